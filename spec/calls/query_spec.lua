--- src/calls/query.c: asking once, and asking again when that is safe.

local api = require "spec.support.api"
local wire = require "spec.support.wire"

local PENDING = '{"task_id":"17","status":"Processing"}'

describe("a query", function()
  local server

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  it("is one GET with the key, and its answer is a status", function()
    server:answer(PENDING)
    local client <close> = server:client()
    local status = assert(client:query "17")
    assert.equal("minimax.status", getmetatable(status).__name)
    local asked = server:asked()
    assert.equal(1, #asked)
    assert.equal("GET", asked[1].method)
    assert.equal("Bearer " .. api.KEY, asked[1].headers.authorization)
    assert.is_nil(asked[1].headers["content-type"])
    assert.equal(0, asked[1].body_length)
  end)

  it("is repeated after whatever may pass: 5xx, HTML, a cut or lost answer", function()
    for _, reply in ipairs {
      { status = 503 }, { status = 500, body = "<html>" }, { body = "<html>" }, { body = '{"a":' },
      { reset = true }, { close = true }, { raw = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{" },
      { body = '{"base_resp":{"status_code":1033}}' }, { status = 408 },
    } do
      server:answer(reply, PENDING)
      local client <close> = server:client { retries = 1 }
      assert.equal("Processing", assert(client:query "17").status)
      assert.equal(2, #server:asked())
    end
  end)

  it("is not repeated after a definite refusal, nor after nonsense in JSON", function()
    for _, reply in ipairs {
      '{"base_resp":{"status_code":1004}}', '{"base_resp":{"status_code":2013}}', "{}",
      { status = 404 }, { status = 302 }, '{"status":"Success"}',
    } do
      server:answer(reply, PENDING)
      local client <close> = server:client { retries = 4 }
      local _, err = client:query "17"
      assert.equal(1, err.attempts)
      assert.equal(1, #server:asked())
    end
  end)

  it("waits as long as Retry-After says before it is repeated", function()
    local delays = {}
    server:answer({ status = 503, headers = { ["Retry-After"] = "700ms" } }, PENDING)
    local client <close> = server:client { retries = 1, on_event = function(event)
      if event.type == "retry" then
        delays[#delays + 1] = event.delay
      end
    end }
    assert(client:query "17")
    assert.equal(1, #delays)
    assert.is_true(delays[1] >= 0.7)
  end)

  it("waits its turn after a rate limit, which is no failed attempt", function()
    server:answer '{"base_resp":{"status_code":1002,"status_msg":"slow down"}}'
    local events = {}
    local client <close> = server:client { on_event = function(event)
      events[#events + 1] = event
    end }
    local _, err = client:query("17", { timeout = 0.05 })
    assert.equal("rate_limit", err.kind)
    assert.equal(1, err.attempts)
    assert.equal("rate_limit", events[3].type)
    assert.is_true(events[3].delay > 0.05)
    assert.equal(1, #server:asked())
  end)

  it("ends at its own timeout, whatever it is waiting for", function()
    server:answer { hang = true }
    local client <close> = server:client { retries = 4 }
    local _, err = client:query("17", { timeout = 0.05 })
    assert.equal("timeout", err.kind)
    assert.equal("17", err.task_id)
    assert.equal(1, err.attempts)
    server:answer { status = 503, headers = { ["Retry-After"] = "60" } }
    _, err = client:query("17", { timeout = 0.05 })
    assert.equal("timeout", err.kind)
    server:answer '{"base_resp":{"status_code":1002,"status_msg":"slow down"}}'
    _, err = client:query("17", { timeout = 0.05 })
    assert.equal("rate_limit", err.kind)
    assert.equal(1002, err.code)
    assert.is_true(err.retryable)
  end)

  it("tries so often as the client's retries say, and tells how often", function()
    local port <close> = wire.refused()
    local client <close> = server:client { base_url = port.url, retries = 2 }
    local _, err = client:query "17"
    assert.equal("network", err.kind)
    assert.equal(3, err.attempts)
  end)
end)
