--- Ctrl-C while something is waited for (await.c): the standalone interpreter's
-- handler only sets a hook, which a wait in C has to let run.

local minimax = require "minimax"
local process = require "spec.support.process"
local socket = require "socket"
local tasks = require "spec.support.tasks"
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

-- What jobs do, and the listener, runs in a thread of the module's own: a hook
-- that the handler of a signal sets is not spent there, in a protected call.
describe("a hook that is set while the listener runs", function()
  local HOOKED = [[
    local minimax = require "minimax"
    local main, fired = coroutine.running(), 0
    local client
    local function set()
      debug.sethook(main, function()
        debug.sethook(main)
        fired = fired + 1
        error("interrupted!", 0)
      end, "crl", 1)
    end
    local heard, strangers = 0, 0
    client = minimax.new { base_url = os.getenv "SERVER", api_key = "sk-interrupt",
      poll_interval = 0.01,
      on_event = function(event)
        heard = heard + 1
        local thread = coroutine.running()
        strangers = strangers + (thread ~= main and debug.gethook() == nil and 1 or 0)
        if event.type == "response" then
          set()
          for i = 1, 100 do heard = heard + 0 * i end
        end
      end }
  ]]

  for place, body in pairs {
    ["on the main thread"] = [[
      print(pcall(client.wait, client, "slow", { timeout = 5 }))
    ]],
    ["inside a coroutine that blocks"] = [[
      local co = coroutine.wrap(function()
        return pcall(client.wait, client, "slow", { timeout = 5, block = true })
      end)
      print(pcall(co)) -- the hook goes on to fire in the main thread
    ]],
  } do
    it("interrupts the caller " .. place .. ", and is not spent in the listener", function()
      local api <close> = tasks.start { slow = { "Processing" } }
      local result = process.run { script = HOOKED .. body
        .. "debug.sethook(main) print(heard > 0 and heard == strangers, heard < 6)",
        env = { SERVER = api.url }, timeout = 20 }
      assert.same({ code = 0, out = "false\tinterrupted!\ntrue\ttrue\n", err = "",
        timed_out = false }, result)
    end)
  end
end)

--- A wait whose next poll is far off sleeps in one go; a signal ends that too.
describe("a wait asleep", function()
  local SCRIPT = [[
    local minimax = require "minimax"
    THREADS
    local client = minimax.new { api_key = "sk-interrupt", base_url = os.getenv "SERVER" }
    client:wait("401047179385389059", { interval = 60, on_status = function()
      print "asleep"
      io.stdout:flush()
    end })
  ]]

  local function start(api, threads)
    local child = process.start {
      script = SCRIPT:gsub("THREADS", threads or ""), env = { SERVER = api.url }, timeout = 20,
    }
    assert.equal("asleep", child:read "l")
    return child
  end

  local function switches(child)
    for line in io.lines(("/proc/%d/status"):format(child.pid)) do
      local count = line:match "^voluntary_ctxt_switches:%s*(%d+)"
      if count then
        return tonumber(count)
      end
    end
  end

  -- Where there is no epoll it looks for Ctrl-C every so often.
  (minimax.pollfd() and it or pending)("is not woken up", function()
    local api <close> = tasks.start { any = { "Processing" } }
    local child <close> = start(api)
    local before
    repeat
      before = switches(child)
      socket.sleep(0.3)
    until switches(child) == before
    socket.sleep(0.7)
    assert.equal(before, switches(child))
  end)

  for what, threads in pairs {
    [""] = "",
    [" in a program of several threads"] = [[ assert(require "cqueues.thread".start(function()
      require "cqueues".sleep(60)
    end)) ]],
  } do
    it("is interrupted by Ctrl-C at any instant" .. what, function()
      local api <close> = tasks.start { any = { "Processing" } }
      for _ = 1, 10 do
        local child <close> = start(api, threads)
        child:signal "INT"
        local result = child:finish()
        assert.is_false(result.timed_out)
        assert.matches("interrupted!", result.err, 1, true)
      end
    end)
  end
end)
