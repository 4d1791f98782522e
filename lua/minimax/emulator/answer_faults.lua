--- Faults that change an answer. Each function takes the reply, the fault and
-- the request, and returns the reply to send.

local gzip = require "minimax.emulator.gzip"
local json = require "minimax.emulator.json"
local reply = require "minimax.emulator.reply"

local answer_faults = {}

local HTML = "<html>\n<head><title>%s</title></head>\n<body>\n<center><h1>%s</h1></center>\n"
  .. "<hr><center>nginx</center>\n</body>\n</html>\n"

local function page(status, title)
  return reply.text(status, HTML:format(title, title), "text/html")
end

-- The table that holds the state of a task: the reply, or a member of it.
local function state_of(answer)
  local object = answer.object or {}
  while type(object.data) == "table" do
    object = object.data
  end
  return object.task or object
end

-- The body as text. A film's first piece stands for it.
local function encoded(answer)
  return answer.object and json.encode(answer.object) or answer.body or answer.pieces()
end

--- `status_503` and the like: an error page of a server before the API.
function answer_faults.status_NNN(_, rule)
  local status = tonumber(rule.fault:match("%d+"))
  local answer = page(status, status .. " Error")
  if rule.retry_after then
    table.insert(answer.headers, { "retry-after", tostring(rule.retry_after) })
  end
  return answer
end

function answer_faults.html()
  return page(200, "Welcome")
end

function answer_faults.empty()
  return reply.text(200, "", "application/json")
end

function answer_faults.garbage(answer)
  local text = encoded(answer)
  return reply.text(200, text:sub(1, #text // 2), "application/json")
end

function answer_faults.code(_, rule, request)
  return reply.refuse(request, rule.code, rule.message)
end

function answer_faults.redirect(_, rule)
  local answer = reply.text(rule.code or 302, "")
  table.insert(answer.headers, { "location", rule.url })
  return answer
end

function answer_faults.gzip(answer)
  local headers = { { "content-type", "application/json" }, { "content-encoding", "gzip" } }
  return { status = answer.status, headers = headers, body = gzip.pack(encoded(answer)) }
end

--- The same JSON, and white space up to `bytes` (9 MiB).
function answer_faults.big(answer, rule)
  local text = encoded(answer)
  local padding = (rule.bytes or 9 << 20) - #text
  return reply.text(answer.status, text .. (" "):rep(padding), "application/json")
end

local function bare_ids(object)
  for name, value in pairs(object) do
    if type(value) == "table" and getmetatable(value) == nil then
      bare_ids(value)
    elseif name == "id" or tostring(name):find("_id$") then
      object[name] = type(value) == "string" and value:find("^%d+$") and json.raw(value) or value
    end
  end
end

function answer_faults.bare_ids(answer)
  bare_ids(answer.object or {})
  return answer
end

local OFTEN_NULL = { "file_id", "video_url", "video_width", "video_height", "error", "content" }

--- Nulls in the members that `fields` names; by default in all that are absent.
function answer_faults.null_fields(answer, rule)
  local state = state_of(answer)
  for _, name in ipairs(rule.fields or OFTEN_NULL) do
    if rule.fields or state[name] == nil or state[name] == "" then
      state[name] = json.null
    end
  end
  return answer
end

function answer_faults.no_task_id(answer)
  state_of(answer).task_id = nil
  return answer
end

function answer_faults.status(answer, rule)
  state_of(answer).status = rule.status
  return answer
end

function answer_faults.no_status(answer)
  state_of(answer).status = nil
  return answer
end

return answer_faults
