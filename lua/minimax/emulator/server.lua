--- Between lua-http's streams and the emulator's requests and replies.

local http_headers = require "http.headers"
local http_server = require "http.server"
local json = require "minimax.emulator.json"
local seize = require "minimax.emulator.seizure"

local server = {}

-- A connection may rest between two polls of a patient client.
local IDLE_SECONDS = 3600

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

-- lua-http takes the end of the connection for the end of the body.
local function is_complete(stream, body, request)
  local length = stream.connection.version ~= 2 and request.headers["content-length"]
  return not length or tonumber(length) == #body
end

-- Reads head and body; nil where the client went away before it was done.
local function read_request(stream, headers)
  local path, raw_query = headers:get(":path"):match("^([^?]*)%??(.*)$")
  local request = { method = headers:get(":method"), path = path, raw_query = raw_query,
    query = decode_query(raw_query), headers = header_table(headers), time = os.time(),
    http = stream.connection.version == 2 and "2" or tostring(stream.peer_version) }
  if request.headers.expect then
    stream:write_continue()
  end
  local body, why = stream:get_body_as_string()
  request.raw_body = body
  return body and not why and is_complete(stream, body, request) and request
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

--- The head of a reply, as lua-http wants it.
function server.head(answer)
  local headers = http_headers.new()
  headers:append(":status", tostring(answer.status), NEVER_INDEX)
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

local function serve(handle, stream)
  local headers = stream:get_headers()
  if not headers then
    return
  end
  local request = read_request(stream, headers)
  if not request then
    -- Left to itself, lua-http would read on for ever.
    local taken = seize(stream)
    if taken then
      taken:close()
    end
    return
  end
  if request.http == "1.0" then
    stream.close_when_done = (request.headers.connection or ""):lower() ~= "keep-alive"
  end
  local answer = handle(request)
  if answer.trouble then
    answer.trouble(stream)
  else
    server.send(stream, request, answer)
  end
end

-- What a client does to its connection is no error of ours; ours are shown.
local function on_error(_, _, operation, problem)
  if operation == "onstream" then
    io.stderr:write("minimax.emulator: ", tostring(problem), "\n")
  end
end

--- Listens on the loopback.
-- @param controller of cqueues
-- @param port 0 for any free one
-- @param handle a function: request to reply
-- @param context for TLS, or nil
-- @return the port, or nil and why not
function server.listen(controller, port, handle, context)
  local listener, why = http_server.listen {
    host = "127.0.0.1", port = port, reuseaddr = true, cq = controller,
    tls = context ~= nil, ctx = context, intra_stream_timeout = IDLE_SECONDS,
    connection_setup_timeout = IDLE_SECONDS, onerror = on_error,
    onstream = function(_, stream)
      serve(handle, stream)
    end,
  }
  if not listener then
    return nil, why
  end
  local ok
  ok, why = listener:listen()
  if not ok then
    return nil, why
  end
  local _, _, bound = listener:localname()
  return math.tointeger(bound)
end

return server
