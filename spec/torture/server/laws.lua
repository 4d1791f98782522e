--- What must hold of whatever a call returns. Each function raises where it
-- does not.

local mutation = require "spec.torture.server.mutation"

local laws = {}

local KINDS = {}
for kind in ("auth balance quota rate_limit content invalid server timeout network tls protocol "
  .. "failed unknown cancelled expired io"):gmatch "%S+" do
  KINDS[kind] = true
end

local function fail(text, ...)
  error(text:format(...), 0)
end

-- A line for people: no control bytes, those of Unicode neither.
local function check_line(name, text)
  if text:find "%c" or text:find "\xc2[\x80-\x9f]" then
    fail("control bytes in %s: %q", name, text)
  end
end

local function check_keyless(name, value, seen)
  if type(value) == "string" and value:find(mutation.KEY, 1, true) then
    fail("the key in %s: %q", name, value:sub(1, 300))
  elseif type(value) == "table" and not seen[value] then
    seen[value] = true
    for field, inner in next, value do
      check_keyless(name, field, seen)
      check_keyless(name .. "." .. tostring(field), inner, seen)
    end
  end
end

--- Neither an event nor an error holds the key.
function laws.keyless(name, value)
  check_keyless(name, value, {})
end

--- An error has a known kind, one line of text, and no control bytes or key in
-- any field.
function laws.error(err)
  if type(err) ~= "table" or getmetatable(err).__name ~= "minimax.error" then
    fail("an error that is none: %s", tostring(err))
  elseif not KINDS[err.kind] then
    fail("unknown kind %s: %s", tostring(err.kind), tostring(err))
  elseif type(err.message) ~= "string" or err.message == "" then
    fail("no message")
  elseif err.kind == "unknown" and err.retryable then
    fail("unknown and retryable: %s", tostring(err))
  end
  for field, value in next, err do
    if type(value) == "string" then
      check_line("err." .. field, value)
    end
  end
  check_line("the text", tostring(err))
  if not utf8.len(tostring(err)) then
    fail("no UTF-8: %q", tostring(err))
  end
  laws.keyless("err", err)
  laws.keyless("the text", tostring(err))
end

--- A call gave a value, or nil and an error.
function laws.outcome(value, err)
  if value == nil then
    laws.error(err)
  end
end

--- A task's id is one.
function laws.task(task)
  local id = task.task_id
  if type(id) ~= "string" or id == "" or id:find "[%c%s]" or id == "0" then
    fail("a task with the id %q", tostring(id))
  end
end

--- What was asked about one task tells of no other. A gateway may answer a
-- number with an id of its own.
function laws.same_task(value, id)
  laws.task(value)
  if value.task_id ~= id and not value.task_id:find "%D" then
    fail("asked for %s, got %q", id, value.task_id)
  end
end

--- Of the requests noted by the server during a submit there is one only, but
-- after an answer that told of a limit and surely of no task.
-- @param sent what the server noted
function laws.once(sent)
  for i = 1, #sent - 1 do
    if sent[i].sure or not sent[i].limit then
      fail("sent again after %s (%d times)", sent[i].line, #sent)
    end
  end
end

--- The id that an answer held whole is there, and nobody is told to pay again.
-- @param last what the server noted of the last submit
-- @param id that it gave
-- @param result a task or an error
-- @return what came too late, if it did
function laws.named(last, id, result)
  if not last or not last.sure or result.task_id == id and not result.retryable then
    return nil
  elseif result.kind == "unknown" and result.message:find("timeout", 1, true) then
    return "an answer that came after the timeout: " .. last.line
  end
  fail("the id %s of %s is not in %s", id, last.line, tostring(result))
end

--- An id of which a part arrived is no id.
-- @param last, id, result as above
function laws.no_part(last, id, result)
  if last and last.part and result.task_id ~= nil and result.task_id ~= id then
    fail("the id %s of %s became %s", id, last.line, result.task_id)
  end
end

--- A submit is sent once, and what it returns tells what came of that.
-- @param sent, id as above
-- @param refused how many of these the client took for refused, by a limit
-- @param task, err what it returned
-- @return what came too late, if it did
function laws.submit(sent, id, refused, task, err)
  local last = sent[#sent]
  laws.once(sent)
  laws.no_part(last, id, task or err)
  if task then
    laws.task(task)
  elseif #sent == refused then
    return nil
  elseif err.kind == "network" or err.kind == "timeout" or err.kind == "tls" then
    fail("arrived (%s) and all the same %s", last.line, tostring(err))
  elseif err.retryable and not last.limit and (err.http_status or 0) // 100 ~= 3 then
    fail("retryable after %s: %s", last.line, tostring(err))
  end
  return laws.named(last, id, task or err)
end

--- What must be sent once whatever is answered.
function laws.one_attempt(sent)
  if #sent > 1 then
    fail("sent again after %s (%d times)", sent[1].line, #sent)
  end
end

local function boxes(bytes)
  local kinds, at = {}, 1
  while at <= #bytes do
    if at + 7 > #bytes then
      return nil
    end
    local size, kind, header = string.unpack(">I4", bytes, at), bytes:sub(at + 4, at + 7), 8
    if size == 1 and at + 15 <= #bytes then
      size, header = string.unpack(">I8", bytes, at + 8), 16
    elseif size == 0 then
      size = #bytes - at + 1
    end
    if size < header or at + size - 1 > #bytes then
      return nil
    end
    kinds[kind] = true
    at = at + size
  end
  return kinds
end

--- Bytes under a final name are a whole video, and one of those that the server
-- has unless it changed them.
-- @param bytes
-- @param versions that the server has; nil where it changed bytes
function laws.video(bytes, versions)
  local kinds = boxes(bytes)
  if not kinds or not kinds.mdat or not (kinds.moov or kinds.moof) then
    fail("%d bytes that are no whole video: %q", #bytes, bytes:sub(1, 40))
  end
  for _, version in ipairs(versions or { bytes }) do
    if bytes == version then
      return
    end
  end
  fail("%d bytes that are no version of the video", #bytes)
end

--- Bytes handed to a function before an error begin one of the versions.
function laws.beginning(bytes, versions)
  for _, version in ipairs(versions or { bytes }) do
    if version:sub(1, #bytes) == bytes then
      return
    end
  end
  fail("%d bytes that begin no version of the video", #bytes)
end

return laws
