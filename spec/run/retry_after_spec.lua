--- Retry-After in the API's answers: what is believed, and who is told.

local api = require "spec.support.api"
local process = require "spec.support.process"

local DONE = '{"task_id":"17","status":"Success","video_url":"https://a.example/v.mp4"}'

local function busy(status, time)
  return { status = status, headers = { ["Retry-After"] = time }, body = "busy" }
end

describe("an answer that names a time", function()
  local server

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  -- Makes two calls that meet such a pause; returns what the events of pauses
  -- and the warnings say.
  local function told(call, time, status)
    server:answer(busy(status, time))
    local result = process.run { script = ([[
      warn "@on"
      local minimax = require "minimax"
      local held = 0
      local client = minimax.new { base_url = %q, api_key = "sk-spec", on_event = function(event)
        if event.type == "retry" or event.type == "rate_limit" then
          held = held + 1
          print(event.type, event.delay, event.retry_after, event.http_status)
        end
      end }
      local function call()
        %s
      end
      local threads = { coroutine.create(call), coroutine.create(call) }
      local stop = os.time() + 10
      while held < 2 and os.time() < stop do
        for _, thread in ipairs(threads) do
          assert(coroutine.resume(thread))
        end
        minimax.step(0.01)
      end
      for _, thread in ipairs(threads) do
        coroutine.close(thread)
      end
    ]]):format(server.url, call) }
    assert.equal(0, result.code, result.err)
    return result.out, result.err
  end

  local calls = {
    query = [[client:query "17"]],
    retrieve = [[client:retrieve "17"]],
    wait = [[client:wait("17", { timeout = false })]],
    submit = [[client:submit { template_id = "1" }]],
    cancel = [[client:cancel "17"]],
  }

  for _, name in ipairs { "query", "retrieve", "wait", "cancel" } do
    it("of a day is believed for an hour, an event and one warning say so: " .. name, function()
      local events, warnings = told(calls[name], "86400", 503)
      assert.equal(("retry\t3600.0\t86400.0\t503\n"):rep(2), events)
      assert.equal("Lua warning: minimax: the server asks for a pause of 86400 s; the call goes "
        .. "on in 3600 s\n", warnings)
    end)
  end

  for _, name in ipairs { "query", "wait", "submit", "cancel" } do
    it("as a rate limit is told likewise: " .. name, function()
      local events, warnings = told(calls[name], "86400", 429)
      assert.equal(2, select(2, events:gsub("rate_limit\t3[56]%d%d[^\t]*\t86400.0\t429\n", "")))
      assert.equal("Lua warning: minimax: the server asks for a pause of 86400 s; the call goes "
        .. "on in 3600 s\n", warnings)
    end)
  end

  it("that is short needs no warning", function()
    assert.equal("", select(2, told(calls.query, "59", 503)))
  end)

  -- The time between the first two polls of a wait.
  local function pause_of(time, options)
    local client <close> = server:client()
    server:answer(busy(503, time), DONE)
    assert(client:wait("17", options))
    local asked = server:asked()
    assert.equal(2, #asked)
    return asked[2].time - asked[1].time
  end

  it("is when a wait asks again, be its interval longer or shorter", function()
    for _, interval in ipairs { 0.01, 20 } do
      local pause = pause_of("1500ms", { interval = interval })
      assert.is_true(pause >= 1.45 and pause < 3, pause)
    end
  end)

  it("beyond the deadline of a wait does not end its polls", function()
    local pause = pause_of("86400", { interval = 0.01, timeout = 10 })
    assert.is_true(pause < 3, pause)
  end)
end)
