--- A storage host for scripts of `wire.lua`: serves a file as a proper server
-- does, with ranges and entity tags, or improperly where the spec wants it.
--
--     serve = [[
--       local connection = ...
--       local storage = require "spec.support.storage"
--       storage.serve(connection, { size = 100000 })
--     ]]

local dump = require "spec.support.dump"
local video = require "spec.support.video"

local storage = {}

local function bytes_of(file)
  return file.body or file.blank and video.blank(file.size) or video.make(file.size, file.seed)
end

local function etag_of(file)
  if file.etag == nil then
    return '"' .. (file.seed or 1) .. '"'
  end
  return file.etag
end

-- Where the answer begins: an offset, or nil for the whole file.
local function range_of(request, file)
  local first = (request.headers.range or ""):match("^bytes=(%d+)%-$")
  local condition = request.headers["if-range"]
  if not first or file.ranges == false then
    return nil
  elseif condition and condition ~= etag_of(file) and not file.ignores_condition then
    return nil
  end
  return tonumber(first)
end

local function head_of(file, status, length, range)
  local lines = { "HTTP/1.1 " .. status .. " Whatever", "Content-Length: " .. length,
    "Content-Type: " .. (file.type or "video/mp4") }
  if etag_of(file) then
    lines[#lines + 1] = "ETag: " .. etag_of(file)
  end
  if range then
    lines[#lines + 1] = "Content-Range: " .. range
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

--- Answers one request.
-- @param connection, request as `wire.lua` hands them over
-- @param file what it serves:
--   `size` and `seed` of a video, or `size` and `blank`, or `body`; `type`;
--   `etag` (one made of the seed; false for none); `ranges = false`: it knows none;
--   `ignores_condition`: it does not heed If-Range; `range`: the Content-Range
--   to claim; `length`: the Content-Length to claim; `cut`: it ends the
--   connection before that offset of the file, by `how` (close or reset);
--   `pause`: seconds between pieces of `piece` bytes
-- @return true, or nil when the connection is gone
function storage.answer(connection, request, file)
  local bytes = bytes_of(file)
  local first = range_of(request, file)
  if first and first >= #bytes then
    return connection:send(head_of(file, 416, 0, "bytes */" .. #bytes))
  end
  local range = first and ("bytes %d-%d/%d"):format(first, #bytes - 1, #bytes)
  local from = first or 0
  local last = file.cut and math.min(file.cut, #bytes) or #bytes
  connection:send(head_of(file, first and 206 or 200, file.length or #bytes - from,
    range and (file.range or range)))
  local ok = connection:send(bytes:sub(from + 1, last), file.piece, file.pause)
  if file.cut and last < #bytes or file.length and file.length > #bytes - from then
    connection[file.how or "close"](connection)
    return nil
  end
  return ok
end

--- Answers all requests of a connection with one file.
function storage.serve(connection, file)
  local request
  repeat
    request = connection:read_request()
  until not request or not storage.answer(connection, request, file)
end

-- "{origin}" in a text stands for the server's own, "{port}" for its port.
local function filled(text, request, scheme)
  local host = request.headers.host
  return (text:gsub("{origin}", scheme .. "://" .. host):gsub("{port}", host:match("%d+$") or ""))
end

local function play_one(connection, request, answer, scheme)
  if answer.act then
    connection[answer.act](connection)
    return nil
  elseif not answer.status then
    return storage.answer(connection, request, answer)
  end
  local headers = {}
  for name, value in pairs(answer.headers or {}) do
    headers[name] = filled(value, request, scheme)
  end
  return connection:reply(answer.status, headers, filled(answer.body or "", request, scheme))
end

--- Answers by a plan: a table from the first word of a path to a list of
-- answers, one for each request of it, the last for all that follow. An answer
-- is a file as above; or `status`, `headers`, `body`, where "{origin}" stands
-- for this server; or `act`, something a connection can do, such as "reset".
-- @param connection, shared as `wire.lua` hands them over
-- @param plan
-- @param scheme of this server ("http")
function storage.play(connection, shared, plan, scheme)
  local request, ok
  repeat
    request = connection:read_request()
    if request then
      local name = request.path:gsub("^%a+://[^/]+", ""):match("^/([%w._]*)") or ""
      local answers = plan[name] or { { status = 404, body = "nothing of that name" } }
      shared[name] = (shared[name] or 0) + 1
      ok = play_one(connection, request, answers[math.min(shared[name], #answers)],
        scheme or "http")
    end
  until not request or not ok
end

--- A script for `wire.start` that plays a plan.
function storage.script(plan, scheme)
  return 'local connection, shared = ...\nrequire "spec.support.storage".play(connection, shared, '
    .. dump(plan) .. ", " .. dump(scheme or "http") .. ")"
end

return storage
