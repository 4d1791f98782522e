--- Ctrl-C while something is waited for (await.c): the standalone interpreter's
-- handler only sets a hook, which a wait in C has to let run.

local process = require "spec.support.process"
local wire = require "spec.support.wire"

-- A script that says when its request has left, and then waits for an answer
-- that never comes.
local function script(body)
  return [[
    local minimax = require "minimax"
    local client = minimax.new {
      api_key = "sk-interrupt", base_url = os.getenv "SERVER",
      on_event = function(event)
        if event.type == "request" then
          print "asked"
          io.stdout:flush()
        end
      end,
    }
    ]] .. body
end

local places = {
  ["on the main thread"] = [[ client:wait "1" ]],
  ["in a sort comparator inside a coroutine"] = [[
    local co = coroutine.create(function()
      table.sort({ 1, 2 }, function(a, b) client:wait "1" return a < b end)
    end)
    assert(coroutine.resume(co))
  ]],
  ["under minimax.run"] = [[
    minimax.spawn(function() client:wait "1" end)
    minimax.run()
  ]],
}

describe("Ctrl-C interrupts a wait that blocks", function()
  for place, body in pairs(places) do
    it(place, function()
      local server <close> = wire.start { accept = false }
      local child <close> = process.start {
        script = script(body), env = { SERVER = server.url }, timeout = 20,
      }
      assert.equal("asked", child:read "l")
      child:signal "INT"
      local result = child:finish()
      assert.is_false(result.timed_out)
      assert.equal(1, result.code)
      assert.matches("interrupted!", result.err, 1, true)
    end)
  end
end)
