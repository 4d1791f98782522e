--- src/cancel.c: cancelling what is queued, and nothing else.

local api = require "spec.support.api"

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
end)
