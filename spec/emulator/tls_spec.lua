-- The emulator over TLS, with a certificate of its own, and over HTTP/2.

local emulated = require "spec.support.emulated"
local http_client = require "http.client"
local http_headers = require "http.headers"
local minimax = require "minimax"
local tls = require "minimax.emulator.tls"

describe("the emulator with TLS", function()
  local api

  setup(function()
    api = emulated.start { tls = true, video_bytes = 3000000 }
  end)

  teardown(function()
    api:close()
  end)

  local function connect(version)
    return assert(http_client.connect({ host = "127.0.0.1", port = api.emu.port, tls = true,
      ctx = tls.trusting_context(), version = version, sendname = "localhost" }, 20))
  end

  -- The error of a request to nowhere, by libcurl.
  local function call(ca_file, options)
    local client <close> = minimax.new { base_url = api.emu.base_url, api_key = api.emu.api_key,
      ca_file = ca_file, retries = 0 }
    return select(2, client:call("GET", "/v1/nowhere", options))
  end

  local function get(connection)
    local stream = connection:new_stream()
    local headers = http_headers.new()
    headers:append(":method", "GET")
    headers:append(":scheme", "https")
    headers:append(":authority", "localhost")
    headers:append(":path", "/v1/files/retrieve?file_id=1")
    headers:append("authorization", "Bearer " .. api.emu.api_key)
    assert(stream:write_headers(headers, true, 20))
    local reply = assert(stream:get_headers(20))
    return reply:get ":status", stream:get_body_as_string(20)
  end

  it("is trusted by who trusts its certificate, which it names", function()
    assert.equal("https://localhost:" .. api.emu.port, api.emu.base_url)
    assert.equal(api.emu.ca_file, api.emu.env.CURL_CA_BUNDLE)
    assert.equal(404, call(api.emu.ca_file).http_status)
    assert.equal("tls", call().kind)
  end)

  it("speaks HTTP/2, many requests on one connection", function()
    api.emu:clear()
    local connection = connect(2)
    local _, first = get(connection)
    for _ = 1, 20 do
      local status, body = get(connection)
      assert.same({ "200", first }, { status, body })
    end
    connection:close()
    local requests = api.emu:requests()
    assert.equal(21, #requests)
    assert.equal("2", requests[1].http)
  end)

  it("speaks HTTP/1.1 where the client wants that", function()
    api.emu:clear()
    local connection = connect(1.1)
    get(connection)
    connection:close()
    assert.equal("1.1", api.emu:requests()[1].http)
  end)

  it("serves films", function()
    local link = api:query("template", api:finished "template").video_url
    assert.equal(3000000, #emulated.fetch(link).body)
  end)

  -- lua-http's own client reads on for ever where an HTTP/2 connection ends.
  it("can end a connection in the same ways", function()
    api.emu:clear()
    for _, fault in ipairs { "reset", "close", "cut" } do
      api.emu:fault { endpoint = "call", fault = fault }
      local err = call(api.emu.ca_file)
      assert.equal("network", err.kind, fault .. ": " .. tostring(err))
    end
    api.emu:fault { endpoint = "call", fault = "hang" }
    assert.equal("timeout", call(api.emu.ca_file, { timeout = 0.2 }).kind)
    assert.equal(404, call(api.emu.ca_file).http_status)
    assert.equal("2", api.emu:requests { endpoint = "call" }[1].http)
  end)
end)
