--- src/run/client.c, src/calls/new.c: a client's life.

local api = require "spec.support.api"
local fds = require "spec.support.fds"
local minimax = require "minimax"
local process = require "spec.support.process"

local PENDING = '{"task_id":"1","status":"Processing"}'
local METHODS = { "submit", "query", "wait", "download", "generate", "each", "cancel", "abort",
  "list", "retrieve", "upload", "call", "callback", "notify" }

describe("a client", function()
  local server

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  before_each(function()
    server:answer(PENDING)
  end)

  -- A call in a bare coroutine that has left and waits for its answer.
  local function begin(fn, ...)
    local thread = coroutine.create(fn)
    assert(coroutine.resume(thread, ...))
    assert.equal("suspended", coroutine.status(thread))
    return thread
  end

  -- Resumes it until it returns.
  local function finish(thread)
    local results
    repeat
      results = table.pack(coroutine.resume(thread))
    until coroutine.status(thread) == "dead"
    assert(results[1], results[2])
    return table.unpack(results, 2, results.n)
  end

  it("says its name and its host, and never its key", function()
    local client <close> = server:client()
    assert.equal("minimax.client", getmetatable(client).__name)
    assert.equal("minimax.client: " .. server.url, tostring(client))
    assert.is_nil(tostring(client):find(api.KEY, 1, true))
  end)

  it("has all methods, and the module has the same as functions", function()
    local client <close> = server:client()
    for _, name in ipairs(METHODS) do
      assert.equal("function", type(client[name]), name)
      assert.equal("function", type(minimax[name]), name)
    end
    assert.is_nil(client.new)
    assert.is_nil(minimax.close)
  end)

  it("is expected where a method is called without one", function()
    assert.has_error(function()
      server:client().query("1")
    end)
    assert.has_error(function()
      server:client().close(io.stdout)
    end)
  end)

  it("closes more than once; later calls are errors of kind cancelled", function()
    local client = server:client()
    assert(client:query "1")
    client:close()
    client:close()
    assert.equal("minimax.client: closed", tostring(client))
    for name, arguments in pairs {
      query = { "1" }, submit = { { model = "m" } }, wait = { "1" }, cancel = { "1" }, list = {},
      retrieve = { "1" }, upload = { "/dev/null" }, call = { "GET", "/v1/x" },
      callback = { PENDING }, notify = { { task_id = "1" } }, abort = { "1" },
      generate = { { model = "m" }, "/tmp/minimax_never.mp4" },
      download = { "https://example.com/v.mp4", "/tmp/minimax_never.mp4" },
    } do
      local result, err = client[name](client, table.unpack(arguments))
      assert.is_nil(result, name)
      assert.equal("cancelled", err.kind, name)
      assert.is_truthy(err.message:find("closed", 1, true))
    end
    assert.equal(1, #server:asked())
  end)

  it("closes at the end of its block, and when it is collected", function()
    local kept
    do
      local client <close> = server:client()
      assert(client:query "1")
      kept = client
    end
    assert.equal("cancelled", select(2, kept:query "1").kind)
    local before = fds.list()
    assert(server:client():query "1")
    collectgarbage()
    collectgarbage()
    minimax.step()
    assert.same({}, fds.since(before))
  end)

  it("ends what is under way with kind cancelled when it is closed", function()
    server:answer { hang = true }
    local client = server:client()
    local thread = begin(client.query, client, "1")
    client:close()
    local status, err = finish(thread)
    assert.is_nil(status)
    assert.equal("cancelled", err.kind)
    assert.equal("1", err.task_id)
  end)

  it("stays alive while a task, a status or a call of it is there", function()
    server:answer('{"task_id":"1"}', PENDING)
    local task = assert(server:client():submit { model = "m" })
    collectgarbage()
    collectgarbage()
    local status = assert(task:query())
    task = nil
    collectgarbage()
    collectgarbage()
    assert.equal("Processing", assert(status:query()).status)
    assert.is_nil(task)
    local client = server:client()
    local thread = begin(client.query, client, "1")
    client = nil
    collectgarbage()
    collectgarbage()
    assert.equal("Processing", assert(finish(thread)).status)
    assert.is_nil(client)
  end)

  it("ends every call under way for a task on abort, and sends nothing for it", function()
    server:answer { hang = true }
    local client <close> = server:client()
    local threads = { begin(client.query, client, "1"), begin(client.wait, client, "1") }
    local other = begin(client.query, client, "2")
    assert(server.wire:await("request", 1))
    assert.equal(2, client:abort "1")
    for _, thread in ipairs(threads) do
      local status, err = finish(thread)
      assert.is_nil(status)
      assert.equal("cancelled", err.kind)
      assert.equal("1", err.task_id)
      assert.is_truthy(err.message:find("the task goes on", 1, true))
    end
    assert.equal("suspended", coroutine.status(other))
    assert.equal(0, client:abort "1")
    assert.equal(1, client:abort { task_id = "2" })
    for _, request in ipairs(server:asked()) do
      assert.equal("GET", request.method)
    end
  end)
end)

describe("the default client", function()
  it("is set and returned by configure; calls under way finish on the old one", function()
    local old <close> = api.start()
    local new <close> = api.start()
    old:answer '{"status":"Queueing"}'
    new:answer '{"status":"Processing"}'
    local result = process.run {
      args = { old.url, new.url },
      script = [[
        local old_url, new_url = ...
        local minimax = require "minimax"
        local first = minimax.configure { base_url = old_url, api_key = "sk-api-old" }
        assert(tostring(first) == "minimax.client: " .. old_url)
        local thread = coroutine.create(function()
          return assert(minimax.query("1"))
        end)
        assert(coroutine.resume(thread))
        first = nil
        local second = minimax.configure { base_url = new_url, api_key = "sk-api-new" }
        collectgarbage()
        assert(assert(minimax.query("1")).status == "Processing")
        local ok, status
        repeat
          ok, status = coroutine.resume(thread)
          assert(ok, status)
        until coroutine.status(thread) == "dead"
        assert(status.status == "Queueing")
        assert(not pcall(minimax.configure, { basurl = "x" }))
        assert(assert(minimax.query("1")).status == "Processing")
        assert(second:query("1"))
      ]],
    }
    assert.equal(0, result.code, result.err)
    assert.equal("Bearer sk-api-old", old:asked()[1].headers.authorization)
    assert.equal(1, #old:asked())
    assert.equal(3, #new:asked())
  end)

  it("is built from the environment by the first use without it", function()
    local server <close> = api.start()
    server:answer(PENDING)
    local result = process.run {
      env = { MINIMAX_API_KEY = "sk-api-env", MINIMAX_BASE_URL = server.url },
      script = [[
        local minimax = require "minimax"
        local status = assert(minimax.query("1"))
        print(assert(status:query()).status)
      ]],
    }
    assert.equal("Processing\n", result.out, result.err)
    assert.equal("Bearer sk-api-env", server:asked()[2].headers.authorization)
  end)
end)
