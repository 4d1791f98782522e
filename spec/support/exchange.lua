--- One exchange through Prism as a proxy, whose other side answers what the spec
-- wants: so that Prism's word on a request and on a reply can be heard.
--
--     local exchange = require "spec.support.exchange"
--     local server = exchange.listen()
--     local proxy <close> = prism.proxy(document, server.url)
--     local word, body = server:verdict(proxy.url, case)

local cjson = require "cjson"
local cqueues = require "cqueues"
local headers = require "http.headers"
local http_server = require "http.server"
local request = require "http.request"

local exchange = {}

local Upstream = {}
Upstream.__index = Upstream
Upstream.__name = "exchange"

local SECONDS = 30

local function answer(stream, reply)
  assert(stream:get_headers(SECONDS))
  assert(stream:get_body_as_string(SECONDS))
  local head = headers.new()
  head:append(":status", tostring(reply.status))
  head:append("content-type", reply.content_type)
  -- Prism's HTTP client takes the end of a chunked reply for a broken connection
  -- where Node keeps connections (from Node 19 on).
  head:append("content-length", tostring(#reply.body))
  assert(stream:write_headers(head, false, SECONDS))
  assert(stream:write_body_from_string(reply.body, SECONDS))
end

--- Opens the server that stands behind the proxy.
-- @return a server with `url`
function exchange.listen()
  local upstream = setmetatable({}, Upstream)
  upstream.server = assert(http_server.listen {
    host = "127.0.0.1",
    port = 0,
    onstream = function(_, stream)
      answer(stream, upstream.reply)
    end,
  })
  assert(upstream.server:listen(SECONDS))
  local _, _, port = upstream.server:localname()
  upstream.url = "http://127.0.0.1:" .. port
  return upstream
end

-- Calls `fn` in a coroutine while the server behind the proxy is served.
local function beside(server, fn)
  local controller = cqueues.new()
  local result
  controller:wrap(function()
    result = table.pack(fn())
  end)
  local deadline = cqueues.monotime() + SECONDS
  while not result do
    assert(cqueues.monotime() < deadline, "the exchange takes too long")
    cqueues.poll(server, controller, SECONDS)
    assert(server:step(0))
    assert(controller:step(0))
  end
  return table.unpack(result, 1, result.n)
end

local function encoded(value)
  return type(value) == "string" and value or cjson.encode(value)
end

local function send(base_url, case)
  local req = request.new_from_uri(base_url .. case.path)
  req.headers:upsert(":method", case.method)
  req.headers:upsert("authorization", "Bearer sk-api-example")
  if case.body then
    req.headers:upsert("content-type", case.content_type or "application/json")
    req:set_body(encoded(case.body))
  end
  local head, stream = assert(req:go(SECONDS))
  local body = assert(stream:get_body_as_string(SECONDS))
  stream:shutdown()
  return head, body
end

--- What Prism says of one exchange.
-- @param base_url the proxy's
-- @param case `method`, `path`, `body` and `reply` (JSON text or a table),
--   `content_type` of the body, `status` and `reply_type` of the reply
-- @return "fine", "request" or "reply": which of them Prism refuses
-- @return the body that came back
function Upstream:verdict(base_url, case)
  self.reply = {
    status = case.status or 200,
    content_type = case.reply_type or "application/json",
    body = encoded(case.reply),
  }
  local head, body = beside(self.server, function()
    return send(base_url, case)
  end)
  local is_problem = (head:get("content-type") or ""):find("problem", 1, true)
  if not is_problem and not head:get("sl-violations") then
    return "fine", body
  end
  return head:get(":status") == "500" and "reply" or "request", body
end

--- Closes the server.
function Upstream:close()
  self.server:close()
end

return exchange
