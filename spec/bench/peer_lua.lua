--- Other HTTP clients for Lua, with lua-cjson.
--
--     peer_lua.lua luasocket COUNT BASE
--     peer_lua.lua lua-http COUNT IN_FLIGHT BASE   (0 in flight: one after the other)
--     peer_lua.lua lua-http-download BASE

local cjson = require "cjson"

local PATH = "/v1/query/video_template_generation?task_id="
local FIRST_ID = 401047179385000000

local function report(requests, began)
  print(("requests=%d cpu=%.6f"):format(requests, os.clock() - began))
end

local works = {}

function works.luasocket(count, base)
  local http = require "socket.http"
  local ltn12 = require "ltn12"
  local began = os.clock()
  for i = 1, tonumber(count) do
    local pieces = {}
    assert(http.request {
      url = base .. PATH .. FIRST_ID + i,
      headers = { Authorization = "Bearer bench-key" },
      sink = ltn12.sink.table(pieces),
    })
    assert(cjson.decode(table.concat(pieces)).status == "Processing")
  end
  report(tonumber(count), began)
end

local function connect(base)
  local client = require "http.client"
  local host, port = base:match("//([^:]+):(%d+)")
  return assert(client.connect { host = host, port = tonumber(port), tls = false, version = 1.1 })
end

local function begin_get(connection, base, path)
  local headers = require("http.headers").new()
  headers:append(":method", "GET")
  headers:append(":scheme", "http")
  headers:append(":authority", (base:match("//([^/]+)")))
  headers:append(":path", path)
  headers:append("authorization", "Bearer bench-key")
  local stream = assert(connection:new_stream())
  assert(stream:write_headers(headers, true))
  assert(assert(stream:get_headers()):get(":status") == "200")
  return stream
end

-- A kept-alive connection of its own for each that asks.
local function query_some(base, first, last)
  local connection = connect(base)
  for id = first, last do
    local stream = begin_get(connection, base, PATH .. id)
    assert(cjson.decode(assert(stream:get_body_as_string())).status == "Processing")
  end
  connection:close()
end

works["lua-http"] = function(count, in_flight, base)
  count, in_flight = tonumber(count), tonumber(in_flight)
  local cqueues = require "cqueues"
  local share = count // math.max(in_flight, 1)
  local controller = cqueues.new()
  local began = os.clock()
  for i = 1, math.max(in_flight, 1) do
    local first = FIRST_ID + (i - 1) * share
    controller:wrap(query_some, base, first + 1, first + share)
  end
  assert(controller:loop())
  report(share * math.max(in_flight, 1), began)
end

works["lua-http-download"] = function(base)
  local stream = begin_get(connect(base), base, "/video.mp4")
  local sink = assert(io.open("/dev/null", "wb"))
  local bytes = 0
  for chunk in stream:each_chunk() do
    sink:write(chunk)
    bytes = bytes + #chunk
  end
  assert(bytes == 1 << 30)
end

works[arg[1]](table.unpack(arg, 2))
