--- An API on the scripted server that gives each submit the fate that its body
-- names by number, `fate17x`, out of a list in a file. A fate is a table:
--
--     open     the answer begins while the rest of the body is unread
--     answer   "none", "begun", "complete"
--     framing  how the answer's end is told: "length", "chunks", "end" (that of
--              the connection or stream)
--     text     the answer's body
--     kept     how many bytes of it are sent where it is only begun
--     ending   what follows: one of the functions below
--     code     of a RST_STREAM
--
-- Each request is reported as `{ type = "post", fate = 17 }` before anything is
-- answered.

local h2 = require "spec.support.h2"

local upload_answers = {}

-- Bytes of a stream's body that are read where its fate is an open one.
local WINDOW = 65535

-- The fate that the body names, if it has come so far, reported.
local function find_fate(connection, path, body)
  local number = math.tointeger(body:match "fate(%d+)x")
  if number then
    connection.server.report { type = "post", fate = number }
    return dofile(path)[number]
  end
end

-- Until the client is gone; what it sends is not read.
local function stop_reading(connection)
  connection:await "the end"
end

local h1_endings = {
  close = function(connection) connection:close() end,
  reset = function(connection) connection:reset() end,
  shutdown = function(connection)
    connection:shutdown()
    connection:hang()
  end,
  stop = stop_reading,
  read = function(connection) connection:hang() end,
}

-- The bytes of an answer over HTTP/1.1, or of its beginning.
local function h1_answer(fate)
  local whole = fate.answer == "complete"
  local text = whole and fate.text or fate.text:sub(1, fate.kept)
  local head = "HTTP/1.1 200 OK\r\n"
  if fate.framing == "length" then
    return head .. "Content-Length: " .. #fate.text .. "\r\n\r\n" .. text
  elseif fate.framing == "end" then
    return head .. "\r\n" .. text
  end
  return head .. "Transfer-Encoding: chunked\r\n\r\n" .. ("%x\r\n%s\r\n"):format(#text, text)
    .. (whole and "0\r\n\r\n" or "")
end

-- Reads a request up to the number of its fate, or to its end.
local function h1_read(connection, path)
  local head = connection:read_head()
  local left = head and tonumber(head:match "[Ll]ength: (%d+)") or 0
  local body, fate = "", nil
  while left > 0 do
    local bytes = connection.socket:read(-math.min(left, 4096))
    if not bytes then
      return fate
    end
    left = left - #bytes
    body = fate and "" or body .. bytes
    fate = fate or find_fate(connection, path, body)
    if fate and fate.open then
      return fate
    end
  end
  return fate
end

--- Plays it over HTTP/1.1.
function upload_answers.serve(connection, path)
  local fate = h1_read(connection, path)
  if fate then
    if fate.answer ~= "none" then
      connection:send(h1_answer(fate))
    end
    h1_endings[fate.ending](connection)
  end
end

local h2_endings = {
  close = function(session) session.connection:close() end,
  reset = function(session) session.connection:reset() end,
  stop = function(session) stop_reading(session.connection) end,
  read = function() end,
  rst = function(session, request, fate) session:refuse(request, fate.code) end,
  goaway = function(session)
    session:goaway(0)
    session.connection:close()
  end,
  ["goaway behind it"] = function(session, request)
    session:goaway(request.stream)
    session.connection:close()
  end,
}

-- The same after the client has read the answer.
for _, name in ipairs { "close", "reset", "goaway", "goaway behind it" } do
  h2_endings["heeded, then " .. name] = function(session, request)
    session:settle()
    h2_endings[name](session, request)
  end
end

local function h2_play(session, request, fate)
  local whole = fate.answer == "complete"
  if fate.answer ~= "none" then
    session:reply(request, 200, whole and fate.text or fate.text:sub(1, fate.kept), not whole,
      fate.framing == "length" and #fate.text or nil)
  end
  h2_endings[fate.ending](session, request, fate)
end

--- Plays it over HTTP/2, where `tls = "h2"` made the client choose it. Windows
-- are narrow, so that the body of an open fate does not end.
function upload_answers.serve_h2(connection, path)
  local session = h2.accept(connection, WINDOW)
  local played
  if not session then
    return
  end
  function session.on_data(request)
    if not played then
      request.fate = request.fate or find_fate(connection, path, request.body)
      played = request.fate and request.fate.open
      if played then
        h2_play(session, request, request.fate)
      end
    end
  end
  for request in session.read_request, session do
    if request.fate and not request.fate.open then
      h2_play(session, request, request.fate)
    end
  end
end

return upload_answers
