--- The server's half of HTTP/2 on a connection of `connection.lua`, as bare as
-- can be: it tells a GET from a POST or a DELETE, reads bodies, and can answer
-- wrongly in every way that the protocol knows. A body is kept up to its first
-- 64 KiB.
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

local KEPT_BYTES = 64 * 1024
local PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
local DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
-- Bodies are read as fast as they come: the windows never close, but for a
-- stream's own where the session is begun so.
local INITIAL_WINDOW_SIZE, LARGEST_WINDOW, FIRST_WINDOW = 4, 0x7fffffff, 65535
local END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 0x20

local function send(session, kind, flags, stream, payload)
  return session.connection:send(string.pack(">I3BBI4", #payload, kind, flags, stream) .. payload)
end

--- Begins the session of a client that speaks HTTP/2. If it is given a function
-- `on_head`, that hears of each request before its body is read; `on_data`
-- hears of it again with each piece of its body.
-- @param connection
-- @param window how many bytes of a body are read, and no more (all)
-- @return a session; or nil and its first bytes if it speaks something else
function h2.accept(connection, window)
  local session = setmetatable({ connection = connection, open = {}, files = {} }, Session)
  local preface = connection.socket:read(#PREFACE)
  if preface ~= PREFACE then
    return nil, preface
  end
  send(session, SETTINGS, 0, 0, string.pack(">I2I4", INITIAL_WINDOW_SIZE,
    window or LARGEST_WINDOW))
  send(session, WINDOW_UPDATE, 0, 0, string.pack(">I4", LARGEST_WINDOW - FIRST_WINDOW))
  return session
end

local function read_frame(session)
  if session.connection.closed then -- by a script, in the midst of a request
    return nil
  end
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

-- The method is the first field. Two of those that are used here stand in the
-- static table: one byte says which. A third one is spelt out. Before it the
-- table's size may be set.
local function method_of(frame)
  local block = without_padding(frame)
  if frame.flags & PRIORITY ~= 0 then
    block = block:sub(6)
  end
  local at = 1
  while block:find("^[\x20-\x3f]", at) do
    at = block:match("^\x3f[\x80-\xff]*.()", at) or at + 1 -- a size may take more bytes
  end
  return assert(({ [0x82] = "GET", [0x83] = "POST", [0x42] = "DELETE", [0x02] = "DELETE" })[
    block:byte(at)],
    "a method that is not known here")
end

local take = {}

-- Where a body is kept whole, if the spec wants that.
local function body_file(session, stream)
  local server = session.connection.server
  if server.keep_bodies then
    local path = ("%s/body-%d-%d"):format(server.folder, session.connection.number, stream)
    session.files[stream] = assert(io.open(path, "wb"))
    return path
  end
end

take[HEADERS] = function(session, frame)
  local request = { method = method_of(frame), stream = frame.stream, body = "", body_length = 0,
    head = frame.payload, body_file = body_file(session, frame.stream) }
  session.open[frame.stream] = request
  if session.on_head then
    session.on_head(request)
  end
  return request
end

take[DATA] = function(session, frame)
  local request = session.open[frame.stream]
  if not request then
    return
  end
  local bytes = without_padding(frame)
  request.body = request.body .. bytes:sub(1, KEPT_BYTES - #request.body)
  request.body_length = request.body_length + #bytes
  if request.body_file then
    session.files[frame.stream]:write(bytes)
  end
  if session.on_data then
    session.on_data(request)
  end
  return request
end

-- A request is over, whole or not, and the spec hears of it.
local function conclude(session, stream, whole)
  local request = session.open[stream]
  session.open[stream] = nil
  if session.files[stream] then
    session.files[stream]:close()
    session.files[stream] = nil
  end
  if request then
    request.type, request.whole = "request", whole
    request.connection, request.number = session.connection.number, (stream + 1) // 2
    session.connection.server.report(request)
  end
  return request
end

take[RST_STREAM] = function(session, frame)
  conclude(session, frame.stream, false)
end

take[SETTINGS] = function(session, frame)
  if frame.flags & ACK == 0 then
    send(session, SETTINGS, ACK, 0, "")
  end
end

take[PING] = function(session, frame)
  if frame.flags & ACK == 0 then
    send(session, PING, ACK, 0, frame.payload)
  else
    session.settled = true
  end
end

--- Waits until the client has heeded all that was sent to it so far.
function Session:settle()
  self.settled = false
  send(self, PING, 0, 0, ("x"):rep(8))
  for frame in read_frame, self do
    if take[frame.kind] then
      take[frame.kind](self, frame)
    end
    if self.settled then
      return
    end
  end
end

--- Reads until some request is whole, and reports it to the spec, as it does
-- with those that are given up.
-- @return a table: `method`, `stream`, `head` (packed) and, as over HTTP/1.1, `body`,
--   `body_length`, `body_file`, `whole`, `connection` and `number`; nil once the
--   client is gone
function Session:read_request()
  for frame in read_frame, self do
    local request = take[frame.kind] and take[frame.kind](self, frame)
    if request and frame.flags & END_STREAM ~= 0 then
      return conclude(self, frame.stream, true)
    end
  end
  for stream in pairs(self.open) do
    conclude(self, stream, false)
  end
end

--- Answers a request.
-- @param request
-- @param status
-- @param body
-- @param unfinished whether the stream stays open, as if more were to come
-- @param length of the body as it is announced; nil: it is not
function Session:reply(request, status, body, unfinished, length)
  -- ":status" is entry 8 of the static table and "content-length" entry 28,
  -- here with values of our own.
  local fields = "\x08" .. string.pack("s1", tostring(status))
  if length then
    fields = fields .. "\x0f\x0d" .. string.pack("s1", tostring(length))
  end
  send(self, HEADERS, END_HEADERS, request.stream, fields)
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
