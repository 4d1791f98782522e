--- One accepted connection of the scripted server, in the server's process:
-- what a spec's script can do with it.

local cqueues = require "cqueues"
local cqueues_socket = require "cqueues.socket"
local luasocket = require "socket"

local Connection = {}
Connection.__index = Connection

local KEPT_BYTES = 64 * 1024
local PIECE_BYTES = 64 * 1024

local REASONS = { [200] = "OK", [204] = "No Content", [206] = "Partial Content", [302] = "Found",
  [400] = "Bad Request", [401] = "Unauthorized", [404] = "Not Found", [429] = "Too Many Requests",
  [500] = "Internal Server Error", [502] = "Bad Gateway", [503] = "Service Unavailable" }

-- Errors are values: most clients here go when they like.
local function tame(socket)
  socket:setmode("b", "bn")
  socket:onerror(function(_, _, code)
    return code
  end)
end

--- Wraps an accepted socket.
-- @param socket a cqueues socket
-- @param number which connection of the server this is, from 1
-- @param server what the connection needs of its server: `report(entry)`,
--   `await_word(word)`, `context(kind)`, `keep_bodies`, `folder`
function Connection.new(socket, number, server)
  tame(socket)
  local self = { socket = socket, number = number, server = server, requests = 0 }
  return setmetatable(self, Connection)
end

--- Goes over to TLS.
-- @param kind of the certificate, as in `certificates.context`
-- @return true, or nil if the client broke the handshake off
function Connection:starttls(kind)
  local ok = self.socket:starttls(self.server.context(kind))
  self.server.report { type = "handshake", connection = self.number, ok = ok and true or false }
  return ok and true or nil
end

--- Reads a request's head.
-- @return the raw bytes with their empty line, or nil if there came no whole one
function Connection:read_head()
  local lines = {}
  repeat
    local line = self.socket:read("*L")
    if not line then
      return nil
    end
    lines[#lines + 1] = line
  until line == "\r\n"
  return table.concat(lines)
end

--- What a request's head says.
-- @return a table: `head`, `method`, `path`, `headers` (lower-case names)
function Connection.parse_head(head)
  local method, path = head:match("^(%S+) (%S+)")
  local headers = {}
  for field, value in head:gmatch("\r\n([^:\r\n]+):[ \t]*([^\r\n]*)") do
    headers[field:lower()] = value
  end
  return { head = head, method = method, path = path, headers = headers }
end

-- Hands `length` bytes on to `take`; false if the client stopped before.
local function read_counted(socket, length, take)
  while length > 0 do
    local bytes = socket:read(-math.min(length, PIECE_BYTES))
    if not bytes then
      return false
    end
    take(bytes)
    length = length - #bytes
  end
  return true
end

local function read_chunked(socket, take)
  while true do
    local line = socket:read("*L")
    local length = line and tonumber(line:match("^%x+"), 16)
    if not length or not read_counted(socket, length, take) or not socket:read("*L") then
      return false
    elseif length == 0 then
      return true
    end
  end
end

--- Reads the body that a request's head announces, into its `body`,
-- `body_length` and `whole`.
function Connection:read_body(request)
  local kept, length = {}, 0
  local file
  if self.server.keep_bodies then
    request.body_file = self.server.folder .. "/body-" .. self.number .. "-" .. self.requests
    file = assert(io.open(request.body_file, "wb"))
  end
  local function take(bytes)
    if length < KEPT_BYTES then
      kept[#kept + 1] = bytes:sub(1, KEPT_BYTES - length)
    end
    length = length + #bytes
    return file and file:write(bytes)
  end
  if request.headers["transfer-encoding"] == "chunked" then
    request.whole = read_chunked(self.socket, take)
  else
    local announced = tonumber(request.headers["content-length"]) or 0
    request.whole = read_counted(self.socket, announced, take)
  end
  if file then
    file:close()
  end
  request.body, request.body_length = table.concat(kept), length
end

--- Reads a request with its body and reports it to the spec.
-- @return a table: `head` (raw), `method`, `path`, `headers` (lower-case names),
--   `body` (at most its first 64 KiB), `body_length`, `whole` (false if it was
--   cut short), `connection`, `number` (on this connection), `time` (monotonic);
--   nil if the client sent none
function Connection:read_request()
  local head = self:read_head()
  if not head then
    return nil
  end
  self.requests = self.requests + 1
  local request = Connection.parse_head(head)
  request.type, request.connection, request.number = "request", self.number, self.requests
  self:read_body(request)
  request.time = cqueues.monotime()
  self.server.report(request)
  return request
end

--- Sends bytes as they are.
-- @param bytes
-- @param piece how many bytes to send at once (all)
-- @param pause seconds between two pieces (0)
-- @return true, or nil when the client is gone
function Connection:send(bytes, piece, pause)
  piece = piece or math.max(#bytes, 1)
  for from = 1, #bytes, piece do
    if not self.socket:write(bytes:sub(from, from + piece - 1)) then
      return nil
    end
    if from + piece <= #bytes then
      cqueues.sleep(pause or 0)
    end
  end
  return true
end

--- Sends a whole answer with its length.
-- @param status
-- @param headers name to value
-- @param body
function Connection:reply(status, headers, body)
  body = body or ""
  local lines = { "HTTP/1.1 " .. status .. " " .. (REASONS[status] or "Whatever") }
  for field, value in pairs(headers or {}) do
    lines[#lines + 1] = field .. ": " .. value
  end
  lines[#lines + 1] = "Content-Length: " .. #body
  return self:send(table.concat(lines, "\r\n") .. "\r\n\r\n" .. body)
end

--- Says no more, and still listens.
function Connection:shutdown()
  self.socket:shutdown("w")
end

--- Reads and forgets until the client closes or resets.
-- @return the error number, nil for an ordinary end
function Connection:hang()
  local bytes, code
  repeat
    bytes, code = self.socket:read(-PIECE_BYTES)
  until not bytes
  return code
end

--- Waits until the spec says a word with `server:tell`.
function Connection:await(word)
  self.server.await_word(word)
end

--- Waits for so many seconds.
function Connection.pause(_, seconds)
  cqueues.sleep(seconds)
end

--- Ends the connection with a FIN.
function Connection:close()
  self.closed = true
  self.socket:close()
end

--- Ends the connection with a RST, whatever was sent or read before.
function Connection:reset()
  -- cqueues has no SO_LINGER. LuaSocket has: it borrows the descriptor.
  local borrower = assert(luasocket.tcp4())
  local own = borrower:getfd()
  borrower:setfd(self.socket:pollfd())
  borrower:setoption("linger", { on = true, timeout = 0 })
  borrower:setfd(own)
  borrower:close()
  self:close()
end

--- Sends bytes that are no TLS where TLS is spoken, and closes.
function Connection:garble()
  local below = assert(cqueues_socket.dup(self.socket:pollfd()))
  tame(below)
  below:write(("garbage"):rep(9))
  below:close()
  self:close()
end

return Connection
