--- Waits in luv (lua/minimax/luv.lua): uv.run goes on meanwhile, and ends.

local process = require "spec.support.process"
local tasks = require "spec.support.tasks"

-- Runs a script that has `uv`, `minimax` and a client, in a process of its own.
local function run(api, body)
  return process.run {
    script = [[
      local uv = require "luv"
      local minimax = require "minimax.luv"
      local client = minimax.new {
        api_key = "sk-luv", base_url = os.getenv "SERVER", poll_interval = 0.05,
      }
    ]] .. body,
    env = { SERVER = api.url },
    timeout = 30,
  }
end

describe("in luv", function()
  local api

  before_each(function()
    api = tasks.start { any = { "Processing", "Success" }, bad = { "Fail" } }
  end)

  after_each(function()
    api:stop()
  end)

  it("waits yield to uv.run, which ends with the last of them", function()
    local result = run(api, [[
      local ended, ticks = 0, 0
      local timer = uv.new_timer()
      timer:start(5, 5, function()
        ticks = ticks + 1
        if ended == 3 then timer:close() end
      end)
      for i = 1, 3 do
        coroutine.wrap(function()
          local status = assert(client:wait("task" .. i))
          assert(status.state == "succeeded")
          assert(client:query("task" .. i))
          ended = ended + 1
        end)()
      end
      assert(ended == 0)
      uv.run()
      print(ended, ticks > 1)
    ]])
    assert.equal("3\ttrue\n", result.out, result.err)
  end)

  it("an error in a coroutine is a warning, and the others go on", function()
    local result = run(api, [[
      warn "@on"
      coroutine.wrap(function() client:wait "one" error "mine" end)()
      coroutine.wrap(function() client:wait "two" print "two" end)()
      uv.run()
      print "after"
    ]])
    assert.equal("two\nafter\n", result.out)
    assert.matches("mine", result.err, 1, true)
    assert.equal(0, result.code)
  end)
end)
