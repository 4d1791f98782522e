--- Between connections and the emulator's requests and replies.

local condition = require "cqueues.condition"
local connection_common = require "http.connection_common"
local cqueues = require "cqueues"
local errno = require "cqueues.errno"
local h2_connection = require "http.h2_connection"
local http1 = require "minimax.common.http1"
local http_headers = require "http.headers"
local json = require "minimax.emulator.json"
local listener = require "minimax.common.listener"
local take_connection = require "minimax.emulator.take_connection"
local stream1 = require "minimax.emulator.stream1"

local server = {}

-- A connection may rest between two polls of a patient client.
local IDLE_SECONDS = 3600
-- A head comes in one piece, a body as fast as its sender can.
local HEAD_SECONDS = 10
local BODY_SECONDS = 600
local BODY_BYTES = 1 << 28

local function unescaped(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(digits)
    return string.char(tonumber(digits, 16))
  end))
end

-- A name that comes twice has its values joined by a comma.
local function decode_query(text)
  local query = {}
  for pair in text:gmatch("[^&]+") do
    local name, value = pair:match("^([^=]*)=?(.*)$")
    name, value = unescaped(name), unescaped(value)
    query[name] = query[name] and query[name] .. "," .. value or value
  end
  return query
end

local function header_table(headers)
  local found = {}
  for name, value in headers:each() do
    if name == ":authority" then
      found.host = value
    elseif name:sub(1, 1) ~= ":" then
      found[name] = found[name] and found[name] .. ", " .. value or value
    end
  end
  return found
end

local function to_request(method, target, headers, http)
  local path, raw_query = target:match("^([^?]*)%??(.*)$")
  return { method = method, path = path, raw_query = raw_query, query = decode_query(raw_query),
    headers = headers, time = os.time(), http = http }
end

-- nil where the client went away before it was done.
local function read_request2(stream)
  local headers = stream:get_headers(BODY_SECONDS)
  local target = headers and headers:get(":path")
  if not target then
    return
  end
  local request = to_request(headers:get(":method"), target, header_table(headers), "2")
  if request.headers.expect then
    stream:write_continue()
  end
  local why
  request.raw_body, why = stream:get_body_as_string(BODY_SECONDS)
  return request.raw_body and not why and request
end

-- @return a request and its head; or nil and the status that refuses it, if any
local function read_request1(socket)
  local head, refused = http1.head(socket, cqueues.monotime() + HEAD_SECONDS)
  if not head then
    return nil, refused
  end
  local request = to_request(head.method, head.target, head.headers, head.version)
  request.raw_body, refused = http1.body(socket, head, BODY_BYTES,
    cqueues.monotime() + BODY_SECONDS)
  if not request.raw_body then
    return nil, refused
  end
  return request, head
end

--- Encodes a reply's object, if it has one.
function server.prepare(answer)
  if answer.object then
    answer.body, answer.object = json.encode(answer.object), nil
    answer.headers = answer.headers or {}
    table.insert(answer.headers, 1, { "content-type", "application/json; charset=utf-8" })
  end
end

-- Over HTTP/2 no header is indexed: lua-http 0.4 refers to entries of the
-- compression table that its peer does not have, from the second reply on.
local NEVER_INDEX = true

local DAYS = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" }
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
  "Dec" }

-- The time as HTTP writes it, in any locale.
local function http_date()
  local now = os.date("!*t")
  return string.format("%s, %02d %s %04d %02d:%02d:%02d GMT", DAYS[now.wday], now.day,
    MONTHS[now.month], now.year, now.hour, now.min, now.sec)
end

--- The head of a reply, as lua-http wants it.
function server.head(answer)
  local headers = http_headers.new()
  headers:append(":status", tostring(answer.status), NEVER_INDEX)
  headers:append("date", http_date(), NEVER_INDEX)
  for _, pair in ipairs(answer.headers or {}) do
    headers:append(pair[1], pair[2], NEVER_INDEX)
  end
  headers:append("content-length", tostring(answer.length or #answer.body), NEVER_INDEX)
  return headers
end

local function send_pieces(stream, answer)
  for piece in answer.pieces do
    if not stream:write_chunk(piece, false) then
      return
    end
  end
  stream:write_chunk("", true)
end

--- Sends a reply.
function server.send(stream, request, answer)
  server.prepare(answer)
  local headers = server.head(answer)
  if request.method == "HEAD" then
    stream:write_headers(headers, true)
  elseif answer.pieces then
    if stream:write_headers(headers, false) then
      send_pieces(stream, answer)
    end
  elseif stream:write_headers(headers, answer.body == "") and answer.body ~= "" then
    stream:write_chunk(answer.body, true)
  end
end

local function deliver(stream, request, answer)
  if answer.send then
    answer.send(stream)
  else
    server.send(stream, request, answer)
  end
end

local function refuse(socket, status)
  http1.write_head(socket, status, { { "content-length", "0" }, { "connection", "close" } },
    cqueues.monotime() + HEAD_SECONDS)
  http1.finish(socket)
end

-- One request after the other, until one of both has enough.
local function serve1(handle, socket, places)
  http1.prepare(socket)
  while true do
    places:awaits(socket)
    if not socket:fill(1, IDLE_SECONDS) then
      return
    end
    local request, head = read_request1(socket)
    if not request then
      return head and refuse(socket, head)
    end
    places:serves(socket)
    local stream = stream1.new(socket, head)
    deliver(stream, request, handle(request))
    if not stream.connection.socket or not head.keep_alive then
      return
    end
  end
end

-- What lua-http makes of a frame that is out of order is no error of ours.
local function serve_stream2(handle, stream)
  local ran, request = pcall(read_request2, stream)
  if ran and request then
    local answer = handle(request)
    pcall(deliver, stream, request, answer) -- the client may have reset the stream
    return
  end
  -- Left to itself, lua-http would read on for ever.
  local taken = take_connection(stream)
  if taken then
    taken:close()
  end
end

-- At the end of what a client sends, lua-http's streams would look for more at
-- once, and again.
local function step_to_end(connection, timeout)
  local socket = connection.socket
  if socket:eof("r") and socket:pending() == 0 then
    return nil, errno.strerror(errno.EPIPE), errno.EPIPE
  end
  return h2_connection.methods.step(connection, timeout)
end

local function serve2(handle, socket, controller, report)
  local connection = h2_connection.new(socket, "server", nil)
  connection.step = step_to_end
  local running, ended = 0, condition.new()
  local function next_stream()
    return connection:get_next_incoming_stream(IDLE_SECONDS)
  end
  local ran, stream = pcall(next_stream)
  while ran and stream do
    running = running + 1
    local current = stream
    controller:wrap(function()
      local ok, problem = pcall(serve_stream2, handle, current)
      pcall(current.shutdown, current)
      running = running - 1
      ended:signal()
      if not ok then
        report(problem)
      end
    end)
    ran, stream = pcall(next_stream)
  end
  while running > 0 do
    ended:wait()
  end
  pcall(connection.close, connection)
end

-- Whether a connection speaks HTTP/2: it says so with TLS, or begins that way.
local function speaks_http2(socket, context)
  socket:onerror(connection_common.onerror)
  socket:setmode("b", "b")
  if context then
    if not socket:starttls(context, HEAD_SECONDS) then
      return nil
    end
    local protocol = socket:checktls():getAlpnSelected()
    if protocol then
      return protocol == "h2"
    end
  end
  return socket:fill(1, IDLE_SECONDS)
    and h2_connection.socket_has_preface(socket, true, HEAD_SECONDS)
end

-- Ours are shown.
local function report(problem)
  io.stderr:write("minimax.emulator: ", tostring(problem), "\n")
end

--- Listens on the loopback.
-- @param controller of cqueues
-- @param port 0 for any free one
-- @param handle a function: request to reply
-- @param context for TLS, or nil
-- @return the port, or nil and why not
function server.listen(controller, port, handle, context)
  local listening, why = listener.start {
    controller = controller, host = "127.0.0.1", port = port, places = math.huge,
    on_error = report,
    serve = function(socket, places)
      local is_http2 = speaks_http2(socket, context)
      if is_http2 then
        places:serves(socket)
        serve2(handle, socket, controller, report)
      elseif is_http2 == false then
        serve1(handle, socket, places)
      end
    end,
  }
  return listening and listening.port, why
end

return server
