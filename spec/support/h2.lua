--- The server's half of HTTP/2 on a connection of `connection.lua`, as bare as
-- can be: it tells a GET from a POST, reads bodies, and can answer wrongly in
-- every way that the protocol knows.
--
--     connection:starttls "h2"
--     local session = h2.accept(connection)
--     local request = session:read_request()
--     session:refuse(request, h2.REFUSED_STREAM)

local h2 = {}

local Session = {}
Session.__index = Session

--- Error codes of RFC 9113, section 7.
h2.REFUSED_STREAM, h2.HTTP_1_1_REQUIRED = 7, 13

local PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
local DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
local END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 0x20

local function send(session, kind, flags, stream, payload)
  return session.connection:send(string.pack(">I3BBI4", #payload, kind, flags, stream) .. payload)
end

--- Begins the session of a client that speaks HTTP/2.
-- @return a session, or nil if it speaks something else
function h2.accept(connection)
  local session = setmetatable({ connection = connection, open = {} }, Session)
  if connection.socket:read(#PREFACE) ~= PREFACE or not send(session, SETTINGS, 0, 0, "") then
    return nil
  end
  return session
end

local function read_frame(session)
  local head = session.connection.socket:read(9)
  if not head or #head < 9 then
    return nil
  end
  local length, kind, flags, stream = string.unpack(">I3BBI4", head)
  local payload = length > 0 and session.connection.socket:read(length) or ""
  return #payload == length and { kind = kind, flags = flags, stream = stream, payload = payload }
end

local function without_padding(frame)
  if frame.flags & PADDED == 0 then
    return frame.payload
  end
  return frame.payload:sub(2, -1 - frame.payload:byte())
end

-- The method is the first field, and both that are used here stand in the
-- static table: one byte says which. Before it the table's size may be set.
local function method_of(frame)
  local block = without_padding(frame)
  if frame.flags & PRIORITY ~= 0 then
    block = block:sub(6)
  end
  local byte = block:match("^[\x20-\x3f]*(.)"):byte()
  return assert(({ [0x82] = "GET", [0x83] = "POST" })[byte], "a method that is not known here")
end

local take = {}

take[HEADERS] = function(session, frame)
  local request = { method = method_of(frame), stream = frame.stream, body = "" }
  session.open[frame.stream] = request
  return request
end

take[DATA] = function(session, frame)
  local request = session.open[frame.stream]
  if request then
    request.body = request.body .. without_padding(frame)
  end
  return request
end

take[RST_STREAM] = function(session, frame)
  session.open[frame.stream] = nil
end

take[SETTINGS] = function(session, frame)
  if frame.flags & ACK == 0 then
    send(session, SETTINGS, ACK, 0, "")
  end
end

take[PING] = function(session, frame)
  if frame.flags & ACK == 0 then
    send(session, PING, ACK, 0, frame.payload)
  end
end

--- Reads until some request is whole, and reports it to the spec.
-- @return a table: `method`, `body`, `stream` and, as over HTTP/1.1, `connection`
--   and `number`; nil once the client is gone
function Session:read_request()
  for frame in read_frame, self do
    local request = take[frame.kind] and take[frame.kind](self, frame)
    if request and frame.flags & END_STREAM ~= 0 then
      self.open[frame.stream] = nil
      request.connection, request.number = self.connection.number, (request.stream + 1) // 2
      request.type = "request"
      self.connection.server.report(request)
      return request
    end
  end
end

--- Answers a request.
-- @param request
-- @param status
-- @param body
-- @param unfinished whether the stream stays open, as if more were to come
function Session:reply(request, status, body, unfinished)
  -- ":status" is entry 8 of the static table, here with a value of our own.
  send(self, HEADERS, END_HEADERS, request.stream, "\x08" .. string.pack("s1", tostring(status)))
  send(self, DATA, unfinished and 0 or END_STREAM, request.stream, body)
end

--- Ends a request's stream with an error code.
function Session:refuse(request, code)
  send(self, RST_STREAM, 0, request.stream, string.pack(">I4", code))
end

--- Says that no stream above `last` was or will be looked at.
function Session:goaway(last)
  send(self, GOAWAY, 0, 0, string.pack(">I4I4", last, 0))
end

return h2
