-- Waiting inside cqueues, and so inside lua-http.

local auxlib = require "cqueues.auxlib"
local condition = require "cqueues.condition"
local cqueues = require "cqueues"
local minimax = require "minimax"
local native = require "spec.support.native"
local tasks = require "spec.support.tasks"

local starve = native.module "starve"

local SLOW = { "Processing", "Processing", "Success" }
local LONG = 20

describe("inside cqueues a wait", function()
  local api, client

  before_each(function()
    api = tasks.start { any = SLOW, lost = { "Fail" }, held = { { word = "go", "Success" } },
      broken = { { http = 503 }, "Success" } }
    client = api:client()
  end)

  after_each(function()
    client:close()
    api:stop()
  end)

  -- Runs a controller to its end and raises its error.
  local function loop(controller)
    local ok, err = controller:loop(LONG)
    assert(ok, err)
    assert.is_true(controller:empty())
  end

  it("yields to the controller: a ticker goes on beside it", function()
    local controller = cqueues.new()
    local ticks, ended = 0, false
    controller:wrap(function()
      assert.equal("succeeded", assert(client:wait("held")).state)
      ended = true
    end)
    controller:wrap(function()
      while not ended do
        ticks = ticks + 1
        cqueues.sleep(0.001)
        if ticks == 20 then
          api:tell("go")
        end
      end
    end)
    loop(controller)
    assert.is_true(ticks >= 20)
  end)

  for number, what in ipairs { "its waiter is woken", "the last of them is gone" } do
    it("ends although memory is short for a moment as " .. what, function()
      local methods = getmetatable(condition.new()).__index
      local signal, calls = methods.signal, 0
      finally(function()
        methods.signal = signal
        starve.feed()
      end)
      function methods:signal(...)
        calls = calls + 1
        if calls == number then
          starve.lua(1)
          return {} -- "not enough memory"
        end
        return signal(self, ...)
      end
      local controller = cqueues.new()
      local status
      controller:wrap(function()
        status = assert(client:wait("short"))
      end)
      loop(controller)
      assert.equal("succeeded", status.state)
      assert.is_true(calls > number)
    end)
  end

  it("goes on beside many others, each with its own result", function()
    local controller = cqueues.new()
    local count = 0
    for i = 1, 200 do
      controller:wrap(function()
        local status = assert(client:wait("many-" .. i))
        assert(status.task_id == "many-" .. i)
        count = count + 1
      end)
    end
    loop(controller)
    assert.equal(200, count)
  end)

  it("that begins while others sleep is told to the descriptor that they sleep on", function()
    local controller = cqueues.new()
    controller:wrap(function()
      assert(client:wait("held"))
    end)
    controller:wrap(function()
      while api:polls("held") == 0 do
        cqueues.sleep(0.005)
      end
      for i = 1, 6 do -- libcurl's own timers wake them for the first few
        assert(client:query("late" .. i))
      end
      api:tell("go")
    end)
    loop(controller)
  end)

  it("lets on_status wait in the way of cqueues", function()
    local controller = cqueues.new()
    local told = condition.new()
    local seen = 0
    controller:wrap(function()
      assert(client:wait("a", { on_status = function()
        told:signal()
        cqueues.sleep(0.001)
        assert(client:query("inner"))
        seen = seen + 1
      end }))
    end)
    controller:wrap(function()
      told:wait()
    end)
    loop(controller)
    assert.equal(3, seen)
  end)

  it("works again after the controller had nothing to wait for", function()
    local controller = cqueues.new()
    for i = 1, 3 do
      controller:wrap(function()
        assert(client:wait("round-" .. i))
      end)
      loop(controller)
    end
  end)

  it("works in a second controller while the first still waits", function()
    local first, second = cqueues.new(), cqueues.new()
    local states = {}
    first:wrap(function()
      states[1] = assert(client:wait("held")).state
    end)
    assert(first:step(0))
    second:wrap(function()
      states[2] = assert(client:wait("b")).state
    end)
    loop(second)
    api:tell("go")
    loop(first)
    assert.same({ "succeeded", "succeeded" }, states)
  end)

  it("works in a controller that runs inside another's coroutine", function()
    local outer = cqueues.new()
    local states = {}
    outer:wrap(function()
      local inner = cqueues.new()
      inner:wrap(function()
        states[1] = assert(client:wait("inner")).state
        api:tell("go")
      end)
      loop(inner)
    end)
    outer:wrap(function()
      states[2] = assert(client:wait("held")).state
    end)
    loop(outer)
    assert.same({ "succeeded", "succeeded" }, states)
  end)

  it("works after a controller was dropped in the middle", function()
    do
      local dropped = cqueues.new()
      dropped:wrap(function()
        client:wait("held")
      end)
      assert(dropped:step(0))
    end
    collectgarbage()
    collectgarbage()
    minimax.step() -- what the finalizer left to do
    assert.is_nil(minimax.timeout())
    local controller = cqueues.new()
    controller:wrap(function()
      assert(client:wait("a"))
    end)
    loop(controller)
  end)

  it("passes through a generator made by auxlib.wrap", function()
    local controller = cqueues.new()
    local states, ticks = {}, 0
    controller:wrap(function()
      for state in auxlib.wrap(function()
        for i = 1, 2 do
          coroutine.yield(assert(client:wait("g" .. i)).state)
        end
      end) do
        states[#states + 1] = state
      end
    end)
    controller:wrap(function()
      while #states < 2 do
        ticks = ticks + 1
        cqueues.sleep(0.001)
      end
    end)
    loop(controller)
    assert.same({ "succeeded", "succeeded" }, states)
    assert.is_true(ticks > 2)
  end)

  it("with the option block serves a plain generator", function()
    local controller = cqueues.new()
    local states = {}
    controller:wrap(function()
      for state in coroutine.wrap(function()
        coroutine.yield(assert(client:wait("g", { block = true })).state)
      end) do
        states[#states + 1] = state
      end
    end)
    loop(controller)
    assert.same({ "succeeded" }, states)
  end)

  it("passes through pcall, metamethods and closing values", function()
    local controller = cqueues.new()
    local states = {}
    controller:wrap(function()
      local object = setmetatable({}, { __index = function(_, id)
        return assert(client:wait(id)).state
      end })
      local ok, state = pcall(function()
        local _ <close> = setmetatable({}, { __close = function()
          states[1] = object.closing
        end })
        return object.body
      end)
      assert(ok)
      states[2] = state
    end)
    loop(controller)
    assert.same({ "succeeded", "succeeded" }, states)
  end)

  it("blocks in a sort comparator, and the loop is unharmed", function()
    local controller = cqueues.new()
    local states = {}
    controller:wrap(function()
      table.sort({ 1, 2 }, function(a, b)
        states[1] = states[1] or assert(client:wait("a")).state
        return a < b
      end)
      states[2] = assert(client:wait("b")).state
    end)
    loop(controller)
    assert.same({ "succeeded", "succeeded" }, states)
  end)

  it("drives minimax.run inside a coroutine, beside others", function()
    local controller = cqueues.new()
    local states, ticks = {}, 0
    controller:wrap(function()
      minimax.spawn(function()
        states[1] = assert(client:wait("held")).state
      end)
      states[2] = minimax.run(function()
        return assert(client:wait("b")).state
      end)
    end)
    controller:wrap(function()
      while not states[2] do
        ticks = ticks + 1
        cqueues.sleep(0.001)
        if ticks == 20 then
          api:tell("go")
        end
      end
    end)
    loop(controller)
    assert.same({ "succeeded", "succeeded" }, states)
    assert.is_true(ticks >= 20)
  end)

  it("serves a controller stepped inside a spawned function", function()
    local states = {}
    minimax.run(function()
      local controller = cqueues.new()
      controller:wrap(function()
        states[1] = assert(client:wait("a")).state
      end)
      loop(controller)
      states[2] = assert(client:wait("b")).state
    end)
    assert.same({ "succeeded", "succeeded" }, states)
  end)

  it("wakes a controller that another loop steps by its own descriptor", function()
    local controller = cqueues.new()
    local state
    controller:wrap(function()
      state = assert(client:wait("a")).state
    end)
    while not controller:empty() do
      cqueues.poll({ pollfd = controller:pollfd(), events = controller:events(),
        timeout = controller:timeout() }, LONG)
      assert(controller:step(0))
    end
    assert.equal("succeeded", state)
  end)

  it("leaves no pump behind once nobody waits: the loop ends at once", function()
    local controller = cqueues.new()
    controller:wrap(function()
      assert(client:query("a"))
    end)
    loop(controller)
    assert.equal(0, controller:count())
  end)

  it("of a generator that was abandoned does not keep the loop from ending", function()
    local controller = cqueues.new()
    controller:wrap(function()
      do
        local generator = coroutine.wrap(function()
          client:wait("held")
        end)
        generator() -- the yield of cqueues comes out as a value
      end
      collectgarbage()
      collectgarbage()
      assert(client:query("a"))
    end)
    loop(controller)
  end)
end)
