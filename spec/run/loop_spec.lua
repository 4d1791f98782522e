-- minimax.spawn and minimax.run.

local fds = require "spec.support.fds"
local host = require "spec.support.host"
local minimax = require "minimax"
local tasks = require "spec.support.tasks"

local SLOW = { "Processing", "Processing", "Success" }

describe("minimax.run", function()
  local api, client

  before_each(function()
    api = tasks.start { any = SLOW, lost = { "Fail" }, held = { { word = "go", "Success" } } }
    client = api:client()
  end)

  after_each(function()
    client:close()
    api:stop()
  end)

  it("returns what its function returned, nils included", function()
    local results = table.pack(minimax.run(function(...)
      assert(client:wait("a"))
      return nil, select("#", ...), ...
    end, "x", nil))
    assert.equal(4, results.n)
    assert.same({ nil, 2, "x", nil }, { results[1], results[2], results[3], results[4] })
  end)

  it("returns at once when nothing was spawned", function()
    assert.equal(0, select("#", minimax.run()))
    assert.equal(0, select("#", minimax.run(nil)))
  end)

  it("runs until all have ended, and the others go on while one waits", function()
    local order = {}
    minimax.spawn(function()
      assert(client:wait("held"))
      order[#order + 1] = "held"
    end)
    minimax.spawn(function()
      assert(client:wait("quick"))
      order[#order + 1] = "quick"
      api:tell("go")
    end)
    minimax.run()
    assert.same({ "quick", "held" }, order)
  end)

  it("runs a spawned function only inside run", function()
    local ran = false
    local co = minimax.spawn(function()
      ran = true
    end)
    assert.equal("thread", type(co))
    assert(client:wait("a"))
    assert.is_false(ran)
    minimax.run()
    assert.is_true(ran)
    assert.equal("dead", coroutine.status(co))
  end)

  it("does not let a wait on the main thread outside run resume spawned functions", function()
    local steps = 0
    minimax.spawn(function()
      steps = steps + 1
      assert(client:wait("a"))
      steps = steps + 1
    end)
    assert(client:wait("b"))
    assert(client:wait("c"))
    assert.equal(0, steps)
    minimax.run()
    assert.equal(2, steps)
  end)

  it("gives a spawned function its arguments", function()
    local got
    minimax.spawn(function(...)
      got = table.pack(...)
    end, 1, nil, "three", nil)
    minimax.run()
    assert.equal(4, got.n)
    assert.equal("three", got[3])
  end)

  it("goes on after the first uncaught error and raises it when the others ended", function()
    local ended = {}
    minimax.spawn(function()
      assert(client:query("a"))
      error("the first")
    end)
    minimax.spawn(function()
      assert(client:wait("held"))
      ended[#ended + 1] = "held"
      error("the second")
    end)
    minimax.spawn(function()
      assert(client:wait("b"))
      api:tell("go")
      ended[#ended + 1] = "b"
    end)
    local ok, err = pcall(minimax.run)
    assert.is_false(ok)
    assert.matches("the first", err, 1, true)
    assert.not_matches("the second", err, 1, true)
    assert.same({ "b", "held" }, ended)
  end)

  it("raises an error value that is not a string unchanged", function()
    local value = setmetatable({}, { __tostring = function()
      return "an object"
    end })
    local ok, err = pcall(minimax.run, function()
      error(value)
    end)
    assert.is_false(ok)
    assert.equal(value, err)
    -- Since Lua 5.5 nil becomes a text when it is raised.
    local _, raised = pcall(error)
    ok, err = pcall(minimax.run, error)
    assert.is_false(ok)
    assert.equal(raised, err and err:match("[^\n]*"))
  end)

  it("raises the module's own error objects as they are", function()
    local ok, err = pcall(minimax.run, function()
      error(select(2, client:wait("lost")))
    end)
    assert.is_false(ok)
    assert.equal("failed", err.kind)
    assert.equal("lost", err.task_id)
  end)

  it("leaves nothing damaged behind an error: the next run works", function()
    pcall(minimax.run, error, "x")
    assert.equal("succeeded", minimax.run(function()
      return assert(client:wait("a")).state
    end))
  end)

  it("shows where a string error came from", function()
    local function culprit()
      error("out of luck")
    end
    local _, err = pcall(minimax.run, function()
      assert(client:query("a"))
      culprit()
    end)
    assert.matches("out of luck", err, 1, true)
    assert.matches("culprit", err, 1, true)
  end)

  it("lets a spawned function spawn others, which it waits for", function()
    local states = {}
    minimax.run(function()
      for i = 1, 3 do
        minimax.spawn(function()
          states[i] = assert(client:wait("t" .. i)).state
        end)
      end
    end)
    assert.same({ "succeeded", "succeeded", "succeeded" }, states)
  end)

  it("resumes functions that yield something of their own, in turn", function()
    local order = {}
    for _, name in ipairs { "a", "b" } do
      minimax.spawn(function()
        for i = 1, 3 do
          order[#order + 1] = name .. i
          assert.equal(0, select("#", coroutine.yield(name, i)))
        end
      end)
    end
    minimax.run()
    assert.same({ "a1", "b1", "a2", "b2", "a3", "b3" }, order)
  end)

  it("lets a generator inside a spawned function block instead of handing out our job", function()
    local states = {}
    minimax.run(function()
      for state in coroutine.wrap(function()
        for i = 1, 2 do
          coroutine.yield(assert(client:wait("g" .. i)).state)
        end
      end) do
        states[#states + 1] = state
      end
    end)
    assert.same({ "succeeded", "succeeded" }, states)
  end)

  describe("nested in a spawned function", function()
    it("waits only for what was given to it", function()
      local order = {}
      minimax.spawn(function()
        assert(client:wait("held"))
        order[#order + 1] = "outer"
      end)
      minimax.run(function()
        local state = minimax.run(function()
          minimax.spawn(function()
            assert(client:wait("b"))
            order[#order + 1] = "spawned inside"
          end)
          return assert(client:wait("a")).state
        end)
        order[#order + 1] = "inner run " .. state
        api:tell("go")
      end)
      assert.same({ "spawned inside", "inner run succeeded", "outer" }, order)
    end)

    it("raises its error to who called it", function()
      local inner
      minimax.run(function()
        inner = table.pack(pcall(minimax.run, function()
          assert(client:query("a"))
          error({ code = 7 })
        end))
        assert(client:wait("b"))
      end)
      assert.is_false(inner[1])
      assert.equal(7, inner[2].code)
    end)
  end)

  describe("somewhere else than in the main thread", function()
    it("runs inside a bare coroutine, which yields meanwhile", function()
      local frames = 0
      local co = coroutine.create(function()
        local other
        minimax.spawn(function()
          other = assert(client:wait("b")).state
        end)
        return minimax.run(function()
          return assert(client:wait("a")).state
        end), other
      end)
      local ok, one, two = coroutine.resume(co)
      while coroutine.status(co) ~= "dead" do
        host.sleep()
        frames = frames + 1
        ok, one, two = coroutine.resume(co)
      end
      assert(ok, one)
      assert.same({ "succeeded", "succeeded" }, { one, two })
      assert.is_true(frames > 2)
    end)

    it("blocks in a sort comparator", function()
      local state
      table.sort({ 1, 2 }, function(a, b)
        state = state or minimax.run(function()
          return assert(client:wait("a")).state
        end)
        return a < b
      end)
      assert.equal("succeeded", state)
    end)
  end)

  describe("and closing", function()
    it("a spawned coroutine cancels what it waits for, and the run goes on", function()
      local before, closed = nil, 0
      local held = minimax.spawn(function()
        local _ <close> = setmetatable({}, { __close = function()
          closed = closed + 1
        end })
        client:wait("held")
        error("never")
      end)
      minimax.run(function()
        assert(client:wait("a"))
        while api:polls("held") == 0 do
          assert(client:wait("more"))
        end
        collectgarbage()
        before = fds.list()
        assert(coroutine.close(held))
        assert.equal("dead", coroutine.status(held))
        assert(client:wait("b"))
      end)
      assert.equal(1, closed)
      local open = fds.list()
      local gone = 0
      for number, target in pairs(before) do
        gone = gone + (open[number] ~= target and target:find("^socket") and 1 or 0)
      end
      assert.equal(1, gone)
    end)

    it("a spawned coroutine that has not begun means that it never does", function()
      local ran = false
      local co = minimax.spawn(function()
        ran = true
      end)
      coroutine.close(co)
      minimax.run()
      assert.is_false(ran)
    end)

    it("a run that raises closes its remaining coroutines", function()
      local closed = 0
      local hook = { __close = function()
        closed = closed + 1
      end }
      minimax.spawn(function()
        local _ <close> = setmetatable({}, hook)
        client:wait("held")
      end)
      local co = coroutine.create(function()
        minimax.run(function()
          client:wait("held")
        end)
      end)
      coroutine.resume(co)
      assert.is_true(host.step_until(function()
        coroutine.resume(co)
        return api:polls("held") == 2
      end))
      assert.equal(0, closed)
      coroutine.close(co)
      assert.equal(1, closed)
      assert.equal("succeeded", minimax.run(function()
        return assert(client:wait("a")).state
      end))
    end)

    it("the client ends each wait with kind cancelled and the run goes on", function()
      local kinds = {}
      for i = 1, 3 do
        minimax.spawn(function()
          local _, err = client:wait("held")
          kinds[i] = err.kind
        end)
      end
      minimax.run(function()
        assert(client:wait("a"))
        client:close()
      end)
      assert.same({ "cancelled", "cancelled", "cancelled" }, kinds)
    end)
  end)

  it("waits for a thousand at once, over no more connections than allowed", function()
    local count = 0
    minimax.run(function()
      for i = 1, 1000 do
        minimax.spawn(function()
          local status = assert(client:wait("many-" .. i))
          assert(status.task_id == "many-" .. i)
          count = count + 1
        end)
      end
    end)
    assert.equal(1000, count)
    assert.is_true(api:connections() <= 8)
    assert.equal(3000, api:polls("many-"))
  end)

  it("is collected with its coroutines when its own coroutine is dropped", function()
    local gone = 0
    local sentinel = { __gc = function()
      gone = gone + 1
    end }
    do
      local co = coroutine.create(function()
        minimax.run(function()
          local kept = setmetatable({}, sentinel)
          client:wait("held")
          return kept
        end)
      end)
      coroutine.resume(co)
      coroutine.resume(co)
    end
    collectgarbage()
    collectgarbage()
    collectgarbage()
    assert.equal(1, gone)
    assert.is_nil(minimax.timeout())
  end)

  it("raises for what is no function", function()
    assert.has_error(function()
      minimax.run(7)
    end)
    assert.has_error(function()
      minimax.spawn()
    end)
  end)

  it("that is closed closes all of its coroutines, whatever closing them begins", function()
    local closed, late = 0, 0
    local co = coroutine.create(function()
      for i = 1, 500 do
        minimax.spawn(function()
          local _ <close> = setmetatable({}, { __close = function()
            closed = closed + 1
            minimax.spawn(function()
              late = late + 1
            end)
          end })
          minimax.sleep(3600 + i)
        end)
      end
      minimax.run()
    end)
    assert(coroutine.resume(co))
    assert(coroutine.resume(co))
    assert(coroutine.close(co))
    assert.equal(500, closed)
    assert.is_nil(minimax.timeout())
    minimax.run()
    assert.equal(500, late)
  end)
end)
