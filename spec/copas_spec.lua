--- Waits in copas (lua/minimax/copas.lua): copas.loop goes on meanwhile.

local process = require "spec.support.process"
local tasks = require "spec.support.tasks"

-- The loop of old copas never ends, so the script steps it.
local function run(api, body)
  return process.run {
    script = [[
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

  it("an abort ends one wait, and its thread waits again", function()
    local result = run(api, [[
      thread(function()
        local status, err = client:wait("held", { interval = 100 })
        print(err.kind)
        print(assert(client:wait "next").state)
      end)
      thread(function()
        assert(client:wait "other")
        client:abort "held"
      end)
    ]])
    assert.equal("cancelled\nsucceeded\n", result.out, result.err)
  end)
end)
