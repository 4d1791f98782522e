--- Waits in copas (lua/minimax/copas.lua): copas.loop goes on meanwhile.

local process = require "spec.support.process"
local tasks = require "spec.support.tasks"

-- What the adapter needs of copas 2.0 and later, where the sleepers are held as
-- weakly as there. `MINIMAX_COPAS` has places_spec run in a true one.
local NEWER = [[
  package.preload.copas = function()
    local socket = require "socket"
    local copas = {}
    local asleep, ready, reading = setmetatable({}, { __mode = "k" }), {}, {}
    function copas.addthread(fn)
      table.insert(ready, coroutine.create(fn))
    end
    function copas.pauseforever()
      asleep[coroutine.running()] = true
      coroutine.yield()
    end
    function copas.wakeup(co)
      if asleep[co] then
        table.insert(ready, co)
      end
    end
    function copas.receive(object)
      while not object:receive() do
        reading[object] = coroutine.running()
        coroutine.yield()
      end
    end
    function copas.step()
      local threads, objects = ready, {}
      ready = {}
      for _, co in ipairs(threads) do
        assert(coroutine.resume(co))
      end
      for object in pairs(reading) do
        table.insert(objects, object)
      end
      for _, object in ipairs((socket.select(objects, nil, #ready > 0 and 0 or 0.01))) do
        table.insert(ready, reading[object])
        reading[object] = nil
      end
    end
    return copas
  end
]]

-- The loop of old copas never ends, so the script steps it.
local function run(api, body, before)
  return process.run {
    script = (before or "") .. [[
      local copas = require "copas"
      local minimax = require "minimax.copas"
      local client = minimax.new {
        api_key = "sk-copas", base_url = os.getenv "SERVER", poll_interval = 0.05,
      }
      local running = 0
      local function thread(fn)
        running = running + 1
        copas.addthread(function()
          fn()
          running = running - 1
        end)
      end
    ]] .. body .. [[
      while running > 0 do copas.step() end
    ]],
    env = { SERVER = api.url },
    timeout = 30,
  }
end

describe("in copas", function()
  local api

  before_each(function()
    api = tasks.start { any = { "Processing", "Success" } }
  end)

  after_each(function()
    api:stop()
  end)

  it("waits yield to the loop, each is woken by its own end", function()
    local result = run(api, [[
      local ended = 0
      for i = 1, 5 do
        thread(function()
          assert(assert(client:wait("task" .. i)).state == "succeeded")
          assert(client:query("task" .. i))
          ended = ended + 1
          if ended == 5 then print "all" end
        end)
      end
      assert(ended == 0)
    ]])
    assert.equal("all\n", result.out, result.err)
  end)

  it("a thread that waits is not collected, though newer versions hold it weakly", function()
    local result = run(api, [[
      thread(function()
        print(assert(client:wait "task").state)
      end)
      local step = copas.step
      function copas.step()
        collectgarbage()
        step()
      end
    ]], NEWER)
    assert.equal("succeeded\n", result.out, result.err)
  end)
end)
