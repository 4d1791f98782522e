--- src/api/endpoint.c: the API's kinds of task and its words for what becomes of one.

local api = require "spec.support.api"

-- Contract section 4.
local WORDS = {
  queued = { "preparing", "queueing", "queued", "waiting", "submitted", "not_start" },
  running = { "processing", "running", "in_progress" },
  succeeded = { "success", "succeeded", "finished", "completed" },
  failed = { "fail", "failed", "failure", "error", "expired" },
  cancelled = { "cancelled", "canceled" },
}

local function mixed(word)
  local upper = false
  return (word:gsub("%a", function(letter)
    upper = not upper
    return upper and letter:upper() or letter
  end))
end

-- Calls `fn(word, state)` for each spelling in each case.
local function each_word(fn)
  for state, words in pairs(WORDS) do
    for _, word in ipairs(words) do
      for _, spelling in ipairs { word, word:upper(), mixed(word), word:sub(1, 1):upper()
        .. word:sub(2) } do
        fn(spelling, state)
      end
    end
  end
end

local function reply(word)
  return ('{"task_id":"1","status":"%s","video_url":"https://a.example/v.mp4"}'):format(word)
end

describe("a status word", function()
  local server, client

  setup(function()
    server = api.start()
    client = server:client { poll_interval = 0 }
  end)

  teardown(function()
    client:close()
    server:close()
  end)

  it("gives the state in any case, and stands in `status` as the server wrote it", function()
    each_word(function(word, state)
      server:answer(reply(word))
      local status = assert(client:query "1")
      assert.equal(state, status.state, word)
      assert.equal(word, status.status)
    end)
  end)

  it("that is final ends a wait on the first poll that says so, any other does not", function()
    each_word(function(word, state)
      server:answer(reply "Processing", reply(word), reply "Success")
      local states = {}
      local status, err = client:wait("1", { on_status = function(seen)
        states[#states + 1] = seen.state
      end })
      if state == "queued" or state == "running" then
        assert.equal("Success", status.status, word)
        assert.same({ "running", state, "succeeded" }, states)
        assert.equal(3, #server:asked())
      elseif state == "succeeded" then
        assert.equal(word, status.status)
        assert.same({ "running", state }, states)
        assert.equal(2, #server:asked())
      else
        assert.is_nil(status)
        assert.equal("failed", err.kind, word)
        assert.equal(word, err.status.status)
        assert.equal(state, err.status.state)
        assert.same({ "running", state }, states)
        assert.equal(2, #server:asked())
      end
    end)
  end)

  it("that nobody knows is running, and does not end a wait; a deadline does", function()
    for _, word in ipairs { "Unknown", "doing", "succeed", "successful", "fail ", "\u{5b8c}" } do
      server:answer(reply(word))
      assert.equal("running", assert(client:query "1").state)
      local status, err = client:wait("1", { timeout = 0.05 })
      assert.is_nil(status)
      assert.equal("timeout", err.kind)
      assert.equal("1", err.task_id)
      assert.is_true(#server:asked() > 1)
    end
  end)
end)

describe("a kind of task", function()
  local server, client

  setup(function()
    server = api.start()
    client = server:client()
  end)

  teardown(function()
    client:close()
    server:close()
  end)

  local function asked_paths(kind)
    server:answer(kind == "video2" and '{"task_id":"17"}'
      or '{"task_id":"17","base_resp":{"status_code":0}}', '{"task_id":"17","status":"running"}')
    return function(request, options)
      local task = assert(client:submit(request, options))
      assert.equal(kind, task.kind)
      assert(task:query())
      local paths = {}
      for i, asked in ipairs(server:asked()) do
        paths[i] = asked.method .. " " .. asked.path
      end
      return paths
    end
  end

  it("template is told by template_id", function()
    assert.same({ "POST /v1/video_template_generation",
      "GET /v1/query/video_template_generation?task_id=17" },
      asked_paths "template" { template_id = "393769180141805569", model = "m" })
  end)

  it("video is told by model without content", function()
    assert.same({ "POST /v1/video_generation", "GET /v1/query/video_generation?task_id=17" },
      asked_paths "video" { model = "MiniMax-Hailuo-2.3", prompt = "A lion." })
  end)

  it("video2 is told by content", function()
    assert.same({ "POST /v2/video_generation", "GET /v2/query/video_generation/17" },
      asked_paths "video2" { model = "MiniMax-H3",
        content = { { type = "text", text = "A lion." } } })
  end)

  it("may be named by the option kind instead", function()
    assert.same({ "POST /v2/video_generation", "GET /v2/query/video_generation/17" },
      asked_paths "video2"({ template_id = "393769180141805569" }, { kind = "video2" }))
    assert.same({ "POST /v1/video_generation", "GET /v1/query/video_generation?task_id=17" },
      asked_paths "video"({}, { kind = "video" }))
  end)

  it("that neither tells is an error of kind invalid, and nothing is sent", function()
    server:answer "{}"
    local task, err = client:submit { prompt = "A lion." }
    assert.is_nil(task)
    assert.equal("invalid", err.kind)
    assert.equal("submit", err.stage)
    assert.is_truthy(err.message:find("neither template_id, model nor content", 1, true))
    assert.same({}, server:asked())
  end)
end)
