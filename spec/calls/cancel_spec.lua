--- src/calls/cancel.c: cancelling what is queued, and nothing else.

local api = require "spec.support.api"
local minimax = require "minimax"
local native = require "spec.support.native"
local process = require "spec.support.process"
local wire = require "spec.support.wire"

local QUERY = "GET /v2/query/video_generation/17"
local DELETE = "DELETE /v2/video_generation/17"

local function task(status)
  return ('{"task":{"id":"17","status":"%s","content":{"url":"https://a.example/v.mp4"}}}')
    :format(status)
end

local CANCELLED = '{"task_id":"17","action":"cancelled","status":"cancelled"}'

describe("cancel", function()
  local server, client

  setup(function()
    server = api.start()
    client = server:client()
  end)

  teardown(function()
    client:close()
    server:close()
  end)

  -- Cancels, and checks which requests that took.
  local function cancel(replies, requests, what, options)
    server:answer(table.unpack(replies))
    local status, err = client:cancel(what or "17", options)
    local asked = {}
    for i, request in ipairs(server:asked()) do
      asked[i] = request.method .. " " .. request.path
    end
    assert.same(requests, asked)
    if err then
      assert.equal("cancel", err.stage)
    end
    return status, err
  end

  it("queries first and sends DELETE while the task is queued", function()
    for _, word in ipairs { "queued", "Preparing", "submitted" } do
      local status = assert(cancel({ task(word), CANCELLED }, { QUERY, DELETE }))
      assert.equal("minimax.status", getmetatable(status).__name)
      assert.equal("cancelled", status.state)
      assert.equal("17", status.task_id)
      assert.equal("video2", status.kind)
    end
  end)

  it("never sends DELETE for another task: that would delete a paid record", function()
    for word, state in pairs { running = "running", succeeded = "succeeded", failed = "failed",
      cancelled = "cancelled", expired = "failed", unheard_of = "running" } do
      local status, err = cancel({ task(word), CANCELLED }, { QUERY })
      assert.is_nil(status)
      assert.equal("invalid", err.kind)
      assert.is_truthy(err.message:find("this one is '" .. word .. "'", 1, true))
      assert.equal(state, err.status.state)
      assert.equal("17", err.task_id)
    end
  end)

  it("sends nothing else where the query fails", function()
    for _, reply in ipairs { { status = 503 }, { status = 404, body = "{}" }, "{}",
      '{"base_resp":{"status_code":1004}}' } do
      local status, err = cancel({ reply, CANCELLED }, { QUERY })
      assert.is_nil(status)
      assert.not_equal("cancelled", err.kind)
    end
  end)

  it("asks again what came of a DELETE whose answer is empty, broken or lost", function()
    for _, reply in ipairs { { body = "" }, { status = 204 }, "{}", { status = 500 },
      { reset = true }, { close = true }, { status = 400, body = "{}" } } do
      local status = assert(cancel({ task "queued", reply, task "cancelled" },
        { QUERY, DELETE, QUERY }))
      assert.equal("cancelled", status.state)
      local _, err = cancel({ task "queued", reply, task "running" }, { QUERY, DELETE, QUERY })
      assert.equal("invalid", err.kind)
      assert.is_truthy(err.message:find("did not cancel it; it is 'running'", 1, true))
    end
  end)

  it("ends with a refusal of the key or the rights", function()
    local _, err = cancel({ task "queued", { status = 401, body = "{}" } }, { QUERY, DELETE })
    assert.equal("auth", err.kind)
  end)

  it("takes a bare id for a video2 task, and a task of that kind", function()
    assert(cancel({ task "queued", CANCELLED }, { QUERY, DELETE }, 17))
    assert(cancel({ task "queued", CANCELLED }, { QUERY, DELETE },
      { task_id = "17", kind = "video2" }))
    assert(cancel({ task "queued", CANCELLED }, { QUERY, DELETE },
      { task_id = "17", kind = "video" }, { kind = "video2" }))
  end)

  it("says of a v1 task that the API does not offer it", function()
    for _, kind in ipairs { "template", "video" } do
      local status, err = cancel({ CANCELLED }, {}, { task_id = "17", kind = kind })
      assert.is_nil(status)
      assert.equal("invalid", err.kind)
      assert.equal("17", err.task_id)
      assert.is_truthy(err.message:find("offers no cancelling of tasks of kind '" .. kind, 1,
        true))
    end
  end)

  it("ends at its own timeout", function()
    server:answer(task "queued", { hang = true })
    local _, err = client:cancel("17", { timeout = 0.1 })
    assert.equal("timeout", err.kind)
    assert.is_truthy(err.message:find("a query tells", 1, true))
  end)

  it("ends with the limit where its turn did not come, and nothing was sent", function()
    local own <close> = server:client { query_rate = { 1, 3600 } }
    server:answer(task "queued")
    assert(own:query({ task_id = "17", kind = "video2" }))
    local _, err = own:cancel("17", { timeout = 0.1 })
    assert.same({ "rate_limit", 0 }, { err.kind, err.attempts }, tostring(err))
    assert.equal(1, #server:asked())
  end)

  local LATER = { status = 429, headers = { ["Retry-After"] = "1" },
    body = '{"error":{"message":"rate limit (1002)","type":"rate_limit_error"}}' }

  it("looks again after a DELETE that met a rate limit: the task may have ended", function()
    local status, err = cancel({ task "queued", LATER, task "succeeded" },
      { QUERY, DELETE, QUERY })
    assert.is_nil(status)
    assert.equal("invalid", err.kind)
    assert.equal("succeeded", err.status.state)
    local times = server:asked()
    assert.is_true(times[3].time - times[2].time >= 0.99)
    assert(cancel({ task "queued", LATER, task "queued", CANCELLED },
      { QUERY, DELETE, QUERY, DELETE }))
    assert.equal("cancelled", assert(cancel({ task "queued", LATER, task "cancelled" },
      { QUERY, DELETE, QUERY })).state)
  end)

  it("waits for nothing between the look and the DELETE: no rate", function()
    local own <close> = server:client { query_rate = { 1, 1 }, submit_rate = { 1, 60 } }
    server:answer(task "queued", task "queued", CANCELLED)
    assert(own:query("17", { kind = "video2" }))
    assert(own:cancel "17")
    local asked = server:asked()
    assert.equal("DELETE", asked[3].method)
    assert.is_true(asked[2].time - asked[1].time >= 0.95)
    assert.is_true(asked[3].time - asked[2].time < 0.5)
  end)
end)

-- Answers after a while; a query of task 17 says that it is queued.
local SLOW = [==[
local connection = ...
local request = connection:read_request()
while request do
  connection:pause(0.1)
  connection:reply(200, {}, ('{"task":{"id":"%s","status":"%s"}}'):format(
    request.path:match "[^/]*$", request.method == "DELETE" and "cancelled" or "queued"))
  request = connection:read_request()
end
]==]

describe("cancel, between the look and the DELETE,", function()
  it("waits for no place: others take theirs afterwards", function()
    local server <close> = wire.start { serve = SLOW }
    for _, most in ipairs { 1, 2 } do
      local client <close> = minimax.new { base_url = server.url, api_key = "sk-spec",
        max_connections = most }
      minimax.run(function()
        for i = 1, 6 do
          minimax.spawn(function()
            for _ = 1, 2 do
              assert(client:query("9" .. i, { kind = "video2" }))
            end
          end)
          if i == 3 then
            minimax.spawn(function()
              assert(client:cancel("17", { timeout = 10 }))
            end)
          end
        end
      end)
      local look, act
      for _, request in ipairs(server:requests()) do
        if request.method == "DELETE" then
          act = request
        elseif request.path:find "/17$" then
          look = request
        end
      end
      assert.is_true(act.time - look.time < 0.18, act.time - look.time)
    end
  end)

  -- In time that runs ten times as fast, and stands still for nobody.
  it("looks again where the program was busy meanwhile", function()
    local server <close> = wire.start { serve = SLOW }
    local result = process.run {
      script = native.import "posix" .. ([[
        local minimax = require "minimax"
        local busy = true
        local client = minimax.new { base_url = %q, api_key = "sk-spec", on_event = function(event)
          if busy and event.type == "request" then
            busy = false
            local began = posix.now()
            repeat until posix.now() - began > 20
          end
        end }
        print(assert(client:cancel "17").state)
      ]]):format(server.url),
      env = { LD_PRELOAD = native.library "clock", CLOCK_FACTOR = "10" },
      timeout = 30,
    }
    assert.equal("cancelled\n", result.out, result.err)
    local methods = {}
    for i, request in ipairs(server:requests()) do
      methods[i] = request.method
    end
    assert.same({ "GET", "GET", "DELETE" }, methods)
  end)
end)
