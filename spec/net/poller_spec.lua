-- What the engine waits for, and what it costs the host: addresses, children.

local native = require "spec.support.native"
local process = require "spec.support.process"
local socket = require "socket"
local tasks = require "spec.support.tasks"
local wire = require "spec.support.wire"

local CHILD = native.import "posix" .. [[
  local minimax = require "minimax"
  local host = require "spec.support.host"
  local fds = require "spec.support.fds"
]]

-- Runs a script in a child whose names are resolved by us.
local function run(script, env)
  env.LD_PRELOAD = native.library "resolver"
  local result = process.run { script = CHILD .. script, env = env, timeout = 30 }
  assert.equal("", result.err)
  return result.out
end

describe("a system that has no memory to watch a socket", function()
  local WAYS = {
    ["a script that blocks"] = "fn()",
    ["a host that steps"] = "host.drive(coroutine.create(fn))",
    ["minimax.run"] = "minimax.run(fn)",
  }

  -- The seconds of a submit and a wait while epoll_ctl fails.
  local function seconds_of(fault, run_it)
    local api <close> = tasks.start { any = { "Processing", "Success" } }
    local result = process.run { timeout = 20, env = {
      LD_PRELOAD = native.library "faulty", FAULTY = "epoll_ctl " .. fault, URL = api.url,
    }, script = CHILD .. [[
      local client = minimax.new { base_url = os.getenv "URL", api_key = "sk-spec",
        poll_interval = 0.02 }
      local function fn()
        local began = posix.now()
        local task = assert(client:submit({ template_id = "1" }, { timeout = 8 }))
        assert(client:wait(task, { timeout = 8 }))
        print(posix.now() - began)
      end
      ]] .. run_it }
    assert.equal("", result.err)
    return tonumber(result.out)
  end

  -- The first call is for the timer; without that the module does not load.
  for way, run_it in pairs(WAYS) do
    it("is asked again soon, and no call waits for its timeout: " .. way .. " #epoll", function()
      for _, fault in ipairs { "ENOMEM 1 1", "ENOSPC 1 1", "ENOMEM 2 2", "ENOMEM 1 3", "ENOSPC 3 4",
        "ENOMEM 1 5", "ENOMEM 1 6" } do
        assert.is_true(seconds_of(fault, run_it) < 2, fault)
      end
    end)
  end

  it("is asked again before libcurl would look by itself, after 0.2 s #epoll", function()
    local quickest = math.huge
    for _ = 1, 5 do
      quickest = math.min(quickest, seconds_of("ENOMEM 1 1", WAYS["a script that blocks"]))
    end
    assert.is_true(quickest < 0.2, quickest)
  end)
end)

describe("a host name with two addresses", function()
  local QUERY = [[
    local client = minimax.new { base_url = "http://two.test:" .. PORT, api_key = "sk-spec",
      retries = 0, connect_timeout = 2 }
    local began = posix.now()
    local status, err = client:query("lion")
    print(status and status.state or err.message, posix.now() - began)
  ]]

  local function ask(api, script)
    local out = run(("local PORT = %d\n"):format(api.port) .. (script or QUERY),
      { RESOLVER = "two.test=127.0.0.9,127.0.0.1 three.test=127.0.0.9,127.0.0.8,127.0.0.1" })
    local state, seconds = out:match("^(%S+)\t(%S+)\n$")
    return state or out, tonumber(seconds)
  end

  it("is reached at the second when the first refuses, at once", function()
    local api <close> = tasks.start()
    local state, seconds = ask(api)
    assert.equal("succeeded", state)
    assert.is_true(seconds < 0.15, tostring(seconds))
  end)

  it("is reached at the third when two refuse, at once", function()
    local api <close> = tasks.start()
    local state, seconds = ask(api, (QUERY:gsub("two.test", "three.test")))
    assert.equal("succeeded", state)
    assert.is_true(seconds < 0.15, tostring(seconds))
  end)

  it("is reached at the second when the first is silent, before the connect timeout", function()
    local api <close> = tasks.start()
    -- A listener whose queue is full answers nothing any more.
    local silent = assert(socket.tcp4())
    assert(silent:bind("127.0.0.9", api.port))
    assert(silent:listen(0))
    local fillers = {}
    for i = 1, 4 do
      fillers[i] = assert(socket.tcp4())
      fillers[i]:settimeout(0)
      fillers[i]:connect("127.0.0.9", api.port)
    end
    local state, seconds = ask(api)
    silent:close()
    assert.equal("succeeded", state)
    -- libcurl starts with the second after 0.5 to 1 s, from 8.2x on after 0.2 s.
    assert.is_true(seconds > 0.15 and seconds < 1.9, tostring(seconds))
  end)

  it("is reached so by a bare coroutine that is stepped from outside, too", function()
    local api <close> = tasks.start()
    local state, seconds = ask(api, (QUERY:gsub("client:query%(\"lion\"%)",
      'host.drive(coroutine.create(client.query), client, "lion")')))
    assert.equal("succeeded", state)
    assert.is_true(seconds < 0.15, tostring(seconds))
  end)
end)

describe("the sockets of the engine", function()
  it("are not inherited by children", function()
    local api <close> = tasks.start { held = { { word = "go", "Success" } } }
    local out = run(([[
      local before = fds.list()
      local client = minimax.new { base_url = %q, api_key = "sk-spec" }
      local co = coroutine.create(client.query)
      assert(coroutine.resume(co, client, "held"))
      host.step_until(function()
        for number, target in pairs(fds.list()) do
          if target:find("^socket") and not before[number] then
            return true
          end
        end
      end)
      local count = 0
      for number in pairs(fds.list()) do
        if not before[number] then
          count = count + 1
          assert(not posix.is_inherited(number))
        end
      end
      assert(not posix.is_inherited(minimax.pollfd()))
      print(count > 0)
    ]]):format(api.url), {})
    assert.equal("true\n", out)
  end)

  it("let a child of io.popen run during a connect without needless wake-ups", function()
    -- Nobody accepts here and the queue is full: the connect goes on and on.
    local server <close> = wire.start { accept = false }
    local silent = assert(socket.tcp4())
    assert(silent:bind("127.0.0.9", server.port))
    assert(silent:listen(0))
    local fillers = {}
    for i = 1, 4 do
      fillers[i] = assert(socket.tcp4())
      fillers[i]:settimeout(0)
      fillers[i]:connect("127.0.0.9", server.port)
    end
    local out = run(([[
      local client = minimax.new { base_url = "http://127.0.0.9:%d", api_key = "sk-spec",
        connect_timeout = 0.1, retries = 0 }
      local co = coroutine.create(client.query)
      assert(coroutine.resume(co, client, "lion"))
      assert(coroutine.resume(co))
      local child = io.popen("sleep 0.7")
      local wakes, began = 0, posix.now()
      host.step_until(function()
        wakes = wakes + 1
        return posix.now() - began > 0.5
      end, 0.6)
      print(wakes <= 20 or wakes, coroutine.resume(co))
    ]]):format(server.port), {})
    silent:close()
    assert.matches("^true\ttrue\tnil\t", out)
  end)
end)
