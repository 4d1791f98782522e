--- The poller of systems without epoll (poller_portable.c), built on this one
-- and taken through the specs of everything that waits.

local process = require "spec.support.process"
local shell = require "spec.support.shell"

local specs = { "run/await", "run/loop", "calls/wait", "calls/each", "run/cqueues",
  "calls/submit", "run/exchange", "stories/interrupt" }

local function make(target)
  local result = process.run {
    command = { "make", "-s", "BUILD=build/portable", "PORTABLE=1", "LDFLAGS=",
      "LUA=" .. shell.interpreter(), target },
    timeout = 120,
  }
  assert(result.code == 0, result.err)
  return result.out
end

describe("without epoll #timing", function()
  local children, env = {}, nil

  local function start(script)
    return process.start { command = { "sh", "-c", 'eval "$ENVIRONMENT"; ' .. script }, env = env,
      timeout = 120 }
  end

  -- All at once, since they mostly wait.
  setup(function()
    make "all"
    env = { ENVIRONMENT = make "env", LUA_PATH = false, LUA_CPATH = false,
      LUA = shell.interpreter() }
    for _, name in ipairs(specs) do
      children[name] = start('exec "$LUA" spec/support/busted.lua --exclude-tags=epoll '
        .. "spec/" .. name .. "_spec.lua")
    end
  end)

  teardown(function()
    for _, child in pairs(children) do
      child:close()
    end
  end)

  it("there is no descriptor, and timeout() says when to step", function()
    local result = start([[exec "$LUA" -e 'local minimax = require "minimax"
      local client = minimax.new { api_key = "sk-none", base_url = "http://127.0.0.1:9" }
      local co = coroutine.create(function() client:query("1") end)
      coroutine.resume(co)
      print(minimax.pollfd(), minimax.events(), minimax.timeout() <= 0.01)']]):finish()
    assert.equal("nil\tr\ttrue\n", result.out)
  end)

  for _, name in ipairs(specs) do
    it(name .. "_spec passes", function()
      local result = children[name]:finish()
      assert(result.code == 0, result.out .. result.err)
      assert.matches("%d+ passed, 0 failed", result.out)
    end)
  end
end)
