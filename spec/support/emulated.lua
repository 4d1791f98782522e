--- An emulator and a client that knows nothing of this project: lua-http's.
--
--     local api <close> = emulated.start { speed = 100 }
--     local status, object = api:get("/v1/files/retrieve?file_id=1")

local cqueues = require "cqueues"
local emulator = require "minimax.emulator"
local http_request = require "http.request"
local json = require "minimax.emulator.json"
local tls = require "minimax.emulator.tls"

local emulated = {}

local Api = {}
Api.__index = Api

-- Nothing here takes that long; it ends a test that would hang.
local PATIENCE = 60

--- Starts an emulator.
-- @return an object with `emu`
function emulated.start(options)
  return setmetatable({ emu = assert(emulator.start(options)) }, Api)
end

local function header_table(headers)
  local found = {}
  for name, value in headers:each() do
    found[name] = value
  end
  return found
end

--- Sends a request.
-- @param options `method`, `body` (a table goes as JSON), `headers` (false takes
--   one away), `patience` seconds
-- @return a reply: `status`, `headers`, `body`, `object` (decoded); or nil, why
--   not and its number
function emulated.fetch(url, options)
  options = options or {}
  local request = http_request.new_from_uri(url)
  request.follow_redirects = false
  request.ctx = request.tls and tls.trusting_context() or nil
  request.headers:upsert(":method", options.method or "GET")
  if options.body then
    local is_table = type(options.body) == "table"
    request:set_body(is_table and json.encode(options.body) or options.body)
    request.headers:upsert("content-type", "application/json")
    request.headers:delete("expect")
  end
  for name, value in pairs(options.headers or {}) do
    request.headers:delete(name)
    if value then
      request.headers:append(name, value)
    end
  end
  local headers, stream, number = request:go(options.patience or PATIENCE)
  if not headers then
    return nil, stream, number
  end
  local body, why
  body, why, number = stream:get_body_as_string(options.patience or PATIENCE)
  local length = request.headers:get(":method") ~= "HEAD" and headers:get("content-length")
  if not body or length and #body < tonumber(length) then
    -- lua-http takes the end of the connection for the end of the body, and would
    -- read on for ever in `shutdown`.
    stream.connection:take_socket():close()
    return nil, why or "the body broke off", number
  end
  stream:shutdown()
  local reply = { status = tonumber(headers:get(":status")), body = body,
    headers = header_table(headers) }
  if body:sub(1, 1) == "{" then
    reply.object = json.decode(body)
  end
  return reply
end

--- Asks the API with its key.
function Api:send(path, options)
  options = options or {}
  local headers = { authorization = "Bearer " .. self.emu.api_key }
  for name, value in pairs(options.headers or {}) do
    headers[name] = value
  end
  return emulated.fetch(self.emu.base_url .. path, { method = options.method,
    body = options.body, headers = headers, patience = options.patience })
end

--- A GET.
-- @return the object of its reply, the reply
function Api:get(path)
  local reply = assert(self:send(path))
  return reply.object, reply
end

--- A POST of an object.
-- @return the object of its reply, the reply
function Api:post(path, body)
  local reply = assert(self:send(path, { method = "POST", body = body }))
  return reply.object, reply
end

--- A finished task of a kind, by its id.
function Api:finished(kind)
  local id = self:submit(kind)
  self.emu:advance(60)
  return id
end

local REQUESTS = {
  template = { "/v1/video_template_generation", { template_id = "393769180141805569",
    media_inputs = { { value = "https://example.com/pet.jpg" } },
    text_inputs = { { value = "Lion" } } } },
  video = { "/v1/video_generation", { model = "MiniMax-Hailuo-02", prompt = "a cat" } },
  video2 = { "/v2/video_generation", { model = "MiniMax-H3", resolution = "768P", duration = 6,
    ratio = "16:9", content = { { type = "text", text = "a cat" } } } },
}

local QUERIES = { template = "/v1/query/video_template_generation?task_id=",
  video = "/v1/query/video_generation?task_id=", video2 = "/v2/query/video_generation/" }

--- A request that is in order, to be changed at will.
function emulated.request(kind, changes)
  local request = {}
  for name, value in pairs(REQUESTS[kind][2]) do
    request[name] = value
  end
  for name, value in pairs(changes or {}) do
    request[name] = value or nil
  end
  return request
end

--- Submits a task.
-- @return its id; or nil where the reply has none, and the reply
function Api:submit(kind, changes)
  local object, reply = self:post(REQUESTS[kind][1], emulated.request(kind, changes))
  return object and object.task_id, reply
end

--- Queries a task.
-- @return the object that holds its status, the reply
function Api:query(kind, id)
  local object, reply = self:get(QUERIES[kind] .. id)
  return object and object.task or object, reply
end

--- Waits until a condition holds; fails after long enough.
function emulated.wait_until(condition, what)
  local deadline = cqueues.monotime() + PATIENCE
  while not condition() do
    assert(cqueues.monotime() < deadline, "in vain: " .. what)
    cqueues.sleep(0.01)
  end
end

function Api:close()
  self.emu:stop()
end

Api.__close = Api.close

return emulated
