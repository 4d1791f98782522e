-- Signals: SIGPIPE stays the host's own business, Ctrl-C ends a wait.

local native = require "spec.support.native"
local process = require "spec.support.process"
local tasks = require "spec.support.tasks"
local wire = require "spec.support.wire"

local SIGPIPE = 13

-- The API hangs up on the client: what libcurl writes then (over TLS, the
-- close_notify of each connection) would raise the signal.
local function with_broken_pipes(before, after)
  local api <close> = tasks.start({ lion = { "Processing", "reset", "reset", "Success" } },
    { tls = "good" })
  local result = process.run {
    script = native.import "posix" .. ([[
      local PIPE = %d
      posix.unblock(PIPE) -- other specs' libraries block it for all that follow
      local minimax = require "minimax"
      %s
      local client = minimax.new { base_url = %q, api_key = "sk-spec", ca_file = %q,
        poll_interval = 0.01 }
      for _ = 1, 3 do
        assert(client:query("other"))
        client:query("lion")
      end
      client:close()
      %s
    ]]):format(SIGPIPE, before, api.url, api.ca_file, after),
    env = { LD_PRELOAD = native.library "noisy" },
    timeout = 30,
  }
  assert.equal("", result.err)
  return result
end

describe("SIGPIPE", function()
  it("ends no host that leaves it alone", function()
    local result = with_broken_pipes("posix.reset(PIPE)",
      "print(posix.handler(PIPE), posix.is_blocked(PIPE))")
    assert.equal("default\tfalse\n", result.out)
  end)

  it("does not reach a handler of the host's", function()
    local result = with_broken_pipes("posix.catch(PIPE)",
      "print(posix.handler(PIPE), posix.caught(), posix.is_blocked(PIPE))")
    assert.equal("caught\t0\tfalse\n", result.out)
  end)

  it("stays ignored in a host that ignores it", function()
    local result = with_broken_pipes("posix.ignore(PIPE)", "print(posix.handler(PIPE))")
    assert.equal("ignore\n", result.out)
  end)

  it("stays blocked in a host that blocks it, with none pending", function()
    local result = with_broken_pipes("posix.block(PIPE)",
      "print(posix.is_blocked(PIPE), posix.is_pending(PIPE))")
    assert.equal("true\tfalse\n", result.out)
  end)

  it("that was pending before stays pending", function()
    local result = with_broken_pipes("posix.block(PIPE) posix.raise(PIPE)",
      "print(posix.is_blocked(PIPE), posix.is_pending(PIPE))")
    assert.equal("true\ttrue\n", result.out)
  end)

  it("is as the host has it after two threads close connections at the same time", function()
    local result = process.run {
      script = native.import "posix" .. [[
        local thread = require "cqueues.thread"
        local function work()
          local client = require "minimax".new { api_key = "sk-spec" }
          client:close()
        end
        posix.unblock(13)
        posix.reset(13)
        local one, other = assert(thread.start(work)), assert(thread.start(work))
        assert(one:join(10))
        assert(other:join(10))
        print(posix.handler(13), posix.is_blocked(13))
      ]],
      env = { LD_PRELOAD = native.library "noisy", NOISY_MS = "300" },
      timeout = 30,
    }
    assert.same({ code = 0, out = "default\tfalse\n", err = "", timed_out = false }, result)
  end)

  for _, size in ipairs { 1000, 3000000 } do -- held back by stdio until the end, or not
    it(("ends no host whose pipe has no reader for a video of %d bytes"):format(size), function()
      local server <close> = wire.start { serve = ([[
        local connection = ...
        local storage = require "spec.support.storage"
        storage.answer(connection, assert(connection:read_request()), { size = %d })
      ]]):format(size) }
      local result = process.run { script = native.import "posix" .. ([[
        local PIPE, SERVER = %d, %q
        posix.unblock(PIPE)
        posix.reset(PIPE)
        local client = require "minimax".new { base_url = SERVER, api_key = "sk-spec-key" }
        local pipe = io.popen("exec true", "w")
        repeat
          local broken = posix.is_broken(pipe)
        until broken
        local info, err = client:download(SERVER .. "/video", pipe)
        print(info, err.kind, posix.handler(PIPE), posix.is_blocked(PIPE))
      ]]):format(SIGPIPE, server.url) }
      assert.equal("", result.err)
      assert.equal("nil\tio\tdefault\tfalse\n", result.out)
    end)
  end

  it("still ends a host that raises it itself afterwards", function()
    local result = with_broken_pipes("posix.reset(PIPE)", "posix.raise(PIPE) print 'alive'")
    assert.equal(SIGPIPE, result.signal)
    assert.equal("", result.out)
  end)
end)

describe("Ctrl-C", function()
  -- Interrupts a child once its request has arrived; what became of it.
  local function interrupt(body)
    local api <close> = tasks.start { any = { "hang" } }
    local child <close> = process.start {
      script = ([[
        local minimax = require "minimax"
        local client = minimax.new { base_url = %q, api_key = "sk-spec" }
        local closed = setmetatable({}, { __close = function() print("closed") end })
        local guard <close> = closed
      ]]):format(api.url) .. body,
      timeout = 20,
    }
    assert.is_true(api:await("request", 1))
    assert(child:signal("INT"))
    local result = child:finish()
    assert.is_false(result.timed_out)
    assert.equal(1, result.code)
    assert.matches("interrupted!", result.err, 1, true)
    return result
  end

  it("interrupts a wait on the main thread, and closes what is to be closed", function()
    assert.equal("closed\n", interrupt([[ client:wait("lion") ]]).out)
  end)

  it("interrupts a wait in a sort comparator inside a coroutine", function()
    interrupt([[
      local co = coroutine.wrap(function()
        table.sort({ 1, 2 }, function()
          return client:wait("lion") ~= nil
        end)
      end)
      co()
    ]])
  end)

  it("interrupts minimax.run, which closes its coroutines", function()
    local result = interrupt([[
      minimax.spawn(function()
        local mine <close> = setmetatable({}, { __close = function() print("coroutine") end })
        client:wait("lion")
      end)
      minimax.run()
    ]])
    assert.equal("coroutine\nclosed\n", result.out)
  end)

  it("interrupts client:each", function()
    interrupt([[
      for _ in client:each { "lion", "tiger" } do
        print "never"
      end
    ]])
  end)

  it("can be caught, and the next wait works", function()
    local api <close> = tasks.start { lion = { "hang" } }
    local child <close> = process.start {
      script = ([[
        local minimax = require "minimax"
        local client = minimax.new { base_url = %q, api_key = "sk-spec" }
        print(pcall(client.wait, client, "lion"))
        print(minimax.timeout())
        print(client:wait("tiger").state)
      ]]):format(api.url),
      timeout = 20,
    }
    assert.is_true(api:await("request", 1))
    assert(child:signal("INT"))
    local result = child:finish()
    assert.equal("", result.err)
    assert.matches("^false\t.*interrupted!\nnil\nsucceeded\n$", result.out)
  end)
end)
