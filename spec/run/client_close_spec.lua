-- A client's end: closing, collecting, aborting.

local fds = require "spec.support.fds"
local host = require "spec.support.host"
local minimax = require "minimax"
local tasks = require "spec.support.tasks"

-- How many sockets are open that were not before.
local function sockets(before)
  local count = 0
  for _, entry in ipairs(fds.since(before)) do
    count = count + (entry:find("socket:", 1, true) and 1 or 0)
  end
  return count
end

for _, scheme in ipairs { "http", "https" } do
  describe("over " .. scheme .. " a client", function()
    local api, before

    before_each(function()
      api = tasks.start({ held = { { word = "go", "Success" } }, slow = { "Processing" } },
        { tls = scheme == "https" and "good" or nil })
      collectgarbage()
      before = fds.list()
    end)

    after_each(function()
      api:stop()
    end)

    -- A coroutine that waits for a task whose answer never comes.
    local function hold(client)
      local co = coroutine.create(client.wait)
      assert(coroutine.resume(co, client, "held"))
      assert(host.step_until(function()
        return api:polls("held") == 1
      end))
      return co
    end

    it("closes its idle connections with it, and nobody else's", function()
      local other <close> = api:client()
      assert(other:query("x"))
      local client = api:client()
      assert(client:query("x"))
      assert.equal(2, sockets(before))
      client:close()
      assert.equal(1, sockets(before))
      assert(other:query("x"))
      assert.equal(2, api:connections())
    end)

    it("uses no connection of another client", function()
      local one <close> = api:client()
      local two <close> = api:client()
      assert(one:query("x"))
      assert(two:query("x"))
      assert.equal(2, api:connections())
    end)

    it("closes what is under way", function()
      local client = api:client()
      local co = hold(client)
      client:close()
      assert.equal(0, sockets(before))
      local ok, status, err = coroutine.resume(co)
      assert.is_true(ok)
      assert.is_nil(status)
      assert.equal("cancelled", err.kind)
      assert.equal("held", err.task_id)
      assert.equal("dead", coroutine.status(co))
    end)

    it("closes at the end of its block, and when an error leaves it", function()
      pcall(function()
        local client <close> = api:client()
        hold(client)
        error("out")
      end)
      assert.equal(0, sockets(before))
    end)

    it("closes when it is collected", function()
      do
        local client = api:client()
        assert(client:query("x"))
        client = nil -- luacheck: ignore
      end
      collectgarbage()
      collectgarbage()
      assert.equal(0, sockets(before))
    end)

    it("is kept alive by a task, and by a call under way", function()
      local task
      do
        local client = api:client()
        task = assert(client:submit { template_id = "1" })
        task = setmetatable({ task_id = "x", kind = "template" }, getmetatable(task))
      end
      local co = hold(api:client())
      collectgarbage()
      collectgarbage()
      assert.equal("succeeded", assert(task:query()).state)
      assert.is_true(sockets(before) >= 2)
      api:tell("go")
      assert.equal("succeeded", host.drive(co).state)
    end)

    it("cancels a dropped coroutine's wait when that is collected", function()
      local client <close> = api:client()
      do
        hold(client)
      end
      collectgarbage()
      collectgarbage()
      assert.equal(0, sockets(before))
      assert.is_nil(minimax.timeout())
    end)

    it("cancels a wait at once when its coroutine is closed", function()
      local client <close> = api:client()
      local co = hold(client)
      assert.is_true(coroutine.close(co))
      assert.equal(0, sockets(before))
      assert.is_nil(minimax.timeout())
      assert(client:query("x"))
    end)

    it("aborts every call for a task and nothing else; the task goes on", function()
      local client <close> = api:client()
      local co = hold(client)
      local slow = coroutine.create(client.wait)
      assert(coroutine.resume(slow, client, "slow"))
      local second = coroutine.create(client.query)
      assert(coroutine.resume(second, client, "held"))
      local requests = #api:requests()
      assert.equal(2, client:abort("held"))
      for _, one in ipairs { co, second } do
        local ok, status, err = coroutine.resume(one)
        assert.is_true(ok)
        assert.is_nil(status)
        assert.equal("cancelled", err.kind)
        assert.equal("held", err.task_id)
      end
      assert.equal("suspended", coroutine.status(slow))
      assert.equal(requests, #api:requests())
      assert.equal(0, client:abort("held"))
      assert.equal(1, client:abort({ task_id = "slow", kind = "template" }))
    end)

    it("ends each call once where the end of one ends the others", function()
      local client <close> = api:client()
      local kinds, waiting = {}, {}
      minimax.adapter {
        token = coroutine.running,
        park = function()
          coroutine.yield()
        end,
        wake = function()
          client:close()
        end,
      }
      for i = 1, 3 do
        waiting[i] = coroutine.create(function()
          kinds[i] = select(2, client:wait("slow")).kind
        end)
        assert(coroutine.resume(waiting[i]))
      end
      local aborted = client:abort("slow")
      minimax.adapter(nil)
      for i = 1, 3 do
        assert(coroutine.resume(waiting[i]))
      end
      assert.equal(1, aborted)
      assert.same({ "cancelled", "cancelled", "cancelled" }, kinds)
    end)
  end)
end

describe("a closed client", function()
  local client

  before_each(function()
    client = minimax.new { api_key = "sk-spec", base_url = "http://127.0.0.1:1" }
    client:close()
  end)

  it("answers every call with nil and an error of kind cancelled", function()
    for name, arguments in pairs {
      submit = { { template_id = "1" } },
      query = { "1" },
      wait = { "1" },
      download = { "1", "/nowhere" },
      generate = { { template_id = "1" }, "/nowhere" },
      cancel = { "1" },
      abort = { "1" },
      list = {},
      retrieve = { "1" },
      upload = { "/nowhere" },
      call = { "GET", "/v1/x" },
      notify = { { task_id = "1" } },
    } do
      local result, err = client[name](client, table.unpack(arguments))
      assert.is_nil(result, name)
      assert.equal("cancelled", err.kind, name)
    end
  end)

  it("may be closed again", function()
    client:close()
    client:close()
    assert.equal("minimax.client: closed", tostring(client))
  end)
end)

describe("a client closed by its own on_status", function()
  it("ends the wait with kind cancelled", function()
    local api <close> = tasks.start { any = { "Processing" } }
    local client = api:client()
    local status, err = client:wait("x", { on_status = function()
      client:close()
    end })
    assert.is_nil(status)
    assert.equal("cancelled", err.kind)
    assert.equal(1, api:polls("x"))
  end)
end)
