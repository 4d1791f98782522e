-- One wait, unchanged, in the places where Lua runs.

local host = require "spec.support.host"
local minimax = require "minimax"
local process = require "spec.support.process"
local tasks = require "spec.support.tasks"

local SLOW = { "Processing", "Processing", "Success" }

describe("a wait", function()
  local api, client

  lazy_setup(function()
    api = tasks.start { any = SLOW, lost = { "Fail" } }
    client = api:client()
  end)

  lazy_teardown(function()
    client:close()
    api:stop()
  end)

  local count = 0

  -- A task of its own for each wait.
  local function task()
    count = count + 1
    return "task-" .. count
  end

  describe("in the main thread and places that cannot yield blocks", function()
    it("in the main thread", function()
      local status = assert(client:wait(task()))
      assert.equal("succeeded", status.state)
    end)

    it("in a coroutine with the option block", function()
      local co = coroutine.wrap(function()
        return client:wait(task(), { block = true })
      end)
      assert.equal("succeeded", co().state)
    end)

    it("in a coroutine of a client with the option block", function()
      local blocking <close> = api:client { block = true }
      local co = coroutine.wrap(function()
        return blocking:wait(task())
      end)
      assert.equal("succeeded", co().state)
    end)

    it("and drives all other transfers meanwhile", function()
      local id, statuses = task(), 0
      local other = coroutine.create(function()
        return client:wait(id)
      end)
      assert(coroutine.resume(other))
      while api:polls(id) < #SLOW do
        assert(client:wait(task()))
        statuses = statuses + 1
      end
      assert.is_true(statuses > 0)
      local status = host.drive(other)
      assert.equal("succeeded", status.state)
      assert.equal(#SLOW, api:polls(id))
    end)
  end)

  describe("inside a finalizer", function()
    it("returns nil and an error of kind invalid at once", function()
      local results
      do
        local _ = setmetatable({}, { __gc = function()
          results = table.pack(client:wait(task()))
        end })
      end
      collectgarbage()
      collectgarbage()
      assert.equal(2, results.n)
      assert.is_nil(results[1])
      assert.equal("invalid", results[2].kind)
      assert.equal("wait", results[2].stage)
    end)

    it("leaves a wait that the finalizer interrupts unharmed", function()
      local kinds = {}
      local function litter()
        return setmetatable({}, { __gc = function()
          local _, err = client:query("x")
          kinds[#kinds + 1] = err.kind
        end })
      end
      local co = coroutine.create(function()
        return client:wait(task())
      end)
      local ok, got
      repeat
        litter()
        collectgarbage()
        ok, got = coroutine.resume(co)
        assert.is_true(ok)
      until coroutine.status(co) == "dead"
      assert.equal("succeeded", got.state)
      assert.equal("invalid", kinds[1])
    end)

    it("finds that nothing can be stepped", function()
      local co = coroutine.create(minimax.sleep)
      assert(coroutine.resume(co, 0))
      local inside
      do
        local _ = setmetatable({}, { __gc = function()
          inside = minimax.step()
        end })
      end
      collectgarbage()
      assert.equal(0, inside)
      assert.equal(1, minimax.step())
      assert.same({ true, true }, { coroutine.resume(co) })
    end)
  end)

  -- Resumes a coroutine until it ends, as a host does once a frame.
  local function drive(co)
    local frames = 0
    while true do
      local results = table.pack(coroutine.resume(co))
      assert(results[1], results[2])
      if coroutine.status(co) == "dead" then
        return frames, table.unpack(results, 2, results.n)
      end
      frames = frames + 1
      assert.equal(2, results.n)
      assert.equal("userdata", type(results[2]))
    end
  end

  it("weighs what libcurl holds for it: the collector comes to those that are dropped", function()
    local result = process.run { script = [[
      local minimax = require "minimax"
      local tasks = require "spec.support.tasks"
      local api <close> = tasks.start { any = { "hang" } }
      collectgarbage "incremental"
      local ballast = {} -- by its own garbage Lua would not look again so soon
      for i = 1, 4000 do
        ballast[i] = ("x"):rep(1000) .. i
      end
      collectgarbage()
      local alive = setmetatable({}, { __mode = "k" })
      for _ = 1, 450 do
        local client = minimax.new { base_url = api.url, api_key = "sk-spec" }
        local co = coroutine.create(client.wait)
        assert(coroutine.resume(co, client, "x"))
        assert(coroutine.resume(co))
        alive[co] = true
      end
      local count = 0
      for _ in pairs(alive) do
        count = count + 1
      end
      assert(#ballast == 4000 and count < 400, count .. " of 450 are there still")
    ]] }
    assert.equal("", result.err)
  end)

  describe("in a bare coroutine", function()
    it("yields an object with pollfd, events and timeout", function()
      local co = coroutine.create(function()
        return client:wait(task())
      end)
      local _, job = coroutine.resume(co)
      assert.equal(minimax.pollfd(), job:pollfd())
      assert.equal("r", job:events())
      assert.is_true(job:timeout() >= 0)
      local _, status = drive(co)
      assert.equal("succeeded", status.state)
    end)

    it("hands each resume back soon, and goes on where it was", function()
      local co = coroutine.create(function()
        return client:wait(task())
      end)
      local frames, status = drive(co)
      assert.equal("succeeded", status.state)
      assert.is_true(frames > 2)
    end)

    it("pays no heed to what it is resumed with", function()
      local co = coroutine.create(function()
        return client:wait(task())
      end)
      local ok, status
      repeat
        ok, status = coroutine.resume(co, "a", nil, {}, 4)
        assert.is_true(ok)
      until coroutine.status(co) == "dead"
      assert.equal("succeeded", status.state)
    end)

    local function through_pcall(id)
      local ok, status = pcall(client.wait, client, id)
      assert(ok)
      return status
    end

    local function through_xpcall(id)
      local _, status = xpcall(client.wait, debug.traceback, client, id)
      return status
    end

    local function through_metamethod(id)
      local object = setmetatable({}, { __index = function(_, key)
        return assert(client:wait(key))
      end })
      return object[id]
    end

    local function through_iterator(id)
      local last
      for status in function(_, before)
        return not before and client:wait(id) or nil
      end do
        last = status
      end
      return last
    end

    local function through_close(id)
      local status
      do
        local _ <close> = setmetatable({}, { __close = function()
          status = client:wait(id)
        end })
      end
      return status
    end

    local function through_close_of_error(id)
      local status
      pcall(function()
        local _ <close> = setmetatable({}, { __close = function()
          status = client:wait(id)
        end })
        error("on the way")
      end)
      return status
    end

    local function through_loaded_chunk(id)
      return load("local client, id = ... return client:wait(id)")(client, id)
    end

    for name, through in pairs {
      pcall = through_pcall,
      xpcall = through_xpcall,
      ["a metamethod"] = through_metamethod,
      ["an iterator"] = through_iterator,
      ["__close"] = through_close,
      ["__close while an error passes"] = through_close_of_error,
      ["a loaded chunk"] = through_loaded_chunk,
    } do
      it("yields through " .. name, function()
        local frames, status = drive(coroutine.create(function()
          return through(task())
        end))
        assert.equal("succeeded", status.state)
        assert.is_true(frames > 0)
      end)
    end
  end)

  describe("seen from any other loop", function()
    it("moves on by step alone, which says how many operations ended", function()
      local co = coroutine.create(function()
        return client:wait(task())
      end)
      coroutine.resume(co)
      local ended
      repeat
        host.sleep()
        ended = minimax.step()
      until ended > 0
      assert.equal(1, ended)
      local ok, status = coroutine.resume(co)
      assert.is_true(ok)
      assert.equal("succeeded", status.state)
    end)

    it("makes the descriptor readable by itself as soon as something begins #epoll", function()
      host.settle(0.05)
      local co = coroutine.create(client.query)
      assert(coroutine.resume(co, client, task()))
      assert.is_true(host.is_readable(5))
      host.drive(co)
    end)

    it("has one descriptor for the life of the state #epoll", function()
      local before = minimax.pollfd()
      assert.equal("integer", math.type(before))
      do
        local brief <close> = api:client()
        assert(brief:wait(task()))
      end
      collectgarbage()
      assert.equal(before, minimax.pollfd())
      assert.equal("r", minimax.events())
    end)

    it("has no timeout while nothing is under way", function()
      collectgarbage()
      minimax.step()
      assert.is_nil(minimax.timeout())
      assert.equal(0, minimax.step())
    end)

    it("may have an adapter that resumes at once, though the wait parks again there", function()
      finally(function()
        minimax.adapter(nil)
      end)
      minimax.adapter {
        token = function() return (coroutine.running()) end,
        park = coroutine.yield,
        wake = function(co) assert(coroutine.resume(co)) end,
      }
      local states, ended = 0, nil
      local co = coroutine.create(function()
        ended = assert(client:wait(task(), { interval = 0.01, on_status = function()
          states = states + 1
        end }))
      end)
      assert(coroutine.resume(co))
      assert.is_true(host.step_until(function() return ended end))
      assert.equal("succeeded", ended.state)
      assert.equal(3, states)
    end)

    it("refuses a negative time for step", function()
      assert.has_error(function()
        minimax.step(-1)
      end)
    end)
  end)
end)
