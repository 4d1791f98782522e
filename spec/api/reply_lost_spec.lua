--- src/api/reply_lost.c: which kind of error a request is that got no answer.

local api = require "spec.support.api"
local minimax = require "minimax"
local wire = require "spec.support.wire"

-- What every error must be: one line, and without the key.
local function assert_readable(err)
  assert.is_nil(tostring(err):find("%c"))
  assert.is_nil(tostring(err):find(api.KEY, 1, true))
  assert.is_true(#err.message > 20)
end

local function error_at(url, options)
  local all = { base_url = url, api_key = api.KEY, retries = 0 }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  local client <close> = minimax.new(all)
  local status, err = client:query "17"
  assert.is_nil(status)
  assert.equal("query", err.stage)
  assert.equal("17", err.task_id)
  assert.equal(1, err.attempts)
  assert_readable(err)
  return err
end

describe("a request without an answer", function()
  it("is kind network: a refused connection", function()
    local port <close> = wire.refused()
    local err = error_at(port.url)
    assert.equal("network", err.kind)
    assert.is_true(err.retryable)
    assert.is_truthy(err.message:find("no connection", 1, true))
  end)

  it("is kind network: an unknown host", function()
    local err = error_at "http://nowhere.invalid"
    assert.equal("network", err.kind)
    assert.is_truthy(err.message:find("can't be resolved", 1, true))
    assert.is_truthy(err.message:find("nowhere.invalid", 1, true))
    assert.is_truthy(err.message:find("check base_url", 1, true))
  end)

  it("is kind tls: a certificate that is not to be trusted", function()
    for _, kind in ipairs { "unknown_authority", "expired", "wrong_host" } do
      local server <close> = api.start { tls = kind }
      server:answer '{"status":"Processing"}'
      local err = error_at(server.url, { ca_file = server.ca_file })
      assert.equal("tls", err.kind, kind)
      assert.is_false(err.retryable)
      assert.is_truthy(err.message:find("certificate", 1, true))
      assert.same({}, server:asked())
    end
  end)

  it("is kind tls: a CA file that can't be read", function()
    local server <close> = api.start { tls = "good" }
    server:answer '{"status":"Processing"}'
    assert.equal("tls", error_at(server.url, { ca_file = "/nowhere/ca.pem" }).kind)
  end)

  it("is kind tls: a host that does not speak TLS", function()
    local server <close> = wire.start { steps = {
      { "send", "HTTP/1.1 400 Bad Request\r\n\r\n" }, { "close" },
    } }
    local err = error_at((server.url:gsub("^http:", "https:")))
    assert.equal("tls", err.kind)
    assert.is_truthy(err.message:find("handshake", 1, true))
  end)

  it("is kind timeout: silence", function()
    local server <close> = api.start()
    server:answer { hang = true }
    local err = error_at(server.url, { request_timeout = 0.05 })
    assert.equal("timeout", err.kind)
    assert.is_true(err.retryable)
  end)

  it("is kind network: a connection that breaks before the answer", function()
    local server <close> = api.start()
    for _, reply in ipairs { { reset = true }, { close = true }, { raw = "HTTP/1.1 20" },
      { raw = "SSH-2.0-OpenSSH\r\n" },
      { raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense" } } do
      server:answer(reply)
      assert.equal("network", error_at(server.url).kind)
    end
  end)

  it("is kind network: a connection that breaks in the middle of the answer", function()
    local server <close> = api.start()
    for _, raw in ipairs {
      'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"status":"Success","file_id":"1"}',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"sta',
    } do
      server:answer { raw = raw }
      local err = error_at(server.url)
      assert.equal("network", err.kind)
      assert.equal(200, err.http_status)
      assert.is_truthy(err.message:find("in the middle of the answer", 1, true))
    end
  end)
end)

describe("a wait", function()
  it("ends at once on a certificate that is not to be trusted", function()
    local server <close> = api.start { tls = "unknown_authority" }
    server:answer '{"status":"Processing"}'
    local client <close> = server:client()
    local status, err = client:wait "17"
    assert.is_nil(status)
    assert.equal("tls", err.kind)
    assert.equal("wait", err.stage)
    assert.equal(1, server.wire:connections())
  end)

  it("never ends on a network failure", function()
    local server <close> = api.start()
    server:answer({ reset = true }, '{"status":"Success","file_id":"1"}')
    local client <close> = server:client()
    assert.equal("succeeded", assert(client:wait "17").state)
  end)
end)
