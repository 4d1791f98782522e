-- Name lookups: never waited for longer than somebody needs them, a few threads
-- at most, and each name looked up once.

local native = require "spec.support.native"
local process = require "spec.support.process"
local socket = require "socket"
local tasks = require "spec.support.tasks"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local CHILD = native.import "posix" .. [[
  local minimax = require "minimax"
  local host = require "spec.support.host"
  local fds = require "spec.support.fds"
]]

-- Runs a script in a child whose names are resolved by us.
local function run(script, env)
  env.LD_PRELOAD = native.library "resolver" .. " " .. (env.LD_PRELOAD or "")
  local result = process.run { script = CHILD .. script, env = env, timeout = 30 }
  assert.equal("", result.err)
  return result.out
end

describe("a name lookup that takes long", function()
  local SLOW = { RESOLVER = "slow.test=127.0.0.1", RESOLVER_DELAY = "3000" }

  it("is waited for without harm to others", function()
    local api <close> = tasks.start()
    local out = run(([[
      local slow = minimax.new { base_url = "http://slow.test:%d", api_key = "sk-spec" }
      local quick = minimax.new { base_url = "http://127.0.0.1:%d", api_key = "sk-spec" }
      local order = {}
      minimax.spawn(function()
        local state = assert(slow:query("a")).state
        order[#order + 1] = "slow " .. state
      end)
      minimax.run(function()
        local state = assert(quick:query("b")).state
        order[#order + 1] = "quick " .. state
      end)
      print(table.concat(order, ", "))
    ]]):format(api.port, api.port), { RESOLVER = SLOW.RESOLVER, RESOLVER_DELAY = "300" })
    assert.equal("quick succeeded, slow succeeded\n", out)
  end)

  for name, cancel in pairs {
    ["closing its coroutine"] = "coroutine.close(co)",
    ["closing the client"] = "client:close()",
    ["abort"] = "client:abort('lion')",
    ["collecting it"] = "co = nil collectgarbage() collectgarbage()",
  } do
    it("is cancelled at once by " .. name, function()
      local out = run(([[
        local client = minimax.new { base_url = "http://slow.test", api_key = "sk-spec" }
        local before = fds.list()
        local co = coroutine.create(client.wait)
        assert(coroutine.resume(co, client, "lion"))
        assert(coroutine.resume(co))
        local began = posix.now()
        do %s end
        print(posix.now() - began < 0.05, minimax.timeout(), #fds.since(before))
        posix.exit(0)
      ]]):format(cancel), SLOW)
      assert.equal("true\tnil\t0\n", out)
    end)
  end

  local THREADS = [[
    local lfs = require "lfs"
    local function threads()
      local count = -3 -- for ".", ".." and the program itself
      for _ in lfs.dir("/proc/self/task") do
        count = count + 1
      end
      return count
    end
  ]]

  -- n1.test to n20.test.
  local MANY = {}
  for number = 1, 20 do
    MANY[number] = ("n%d.test=127.0.0.1"):format(number)
  end
  MANY = table.concat(MANY, " ")

  it("that is cancelled over and over leaves eight threads at most, and none for ever", function()
    local api <close> = tasks.start()
    local out = run(THREADS .. ([[
      local function cancel(name)
        local client = minimax.new { base_url = name, api_key = "sk-spec" }
        local co = coroutine.create(client.wait)
        assert(coroutine.resume(co, client, "lion"))
        assert(coroutine.resume(co))
        coroutine.close(co)
        return client, threads()
      end
      local client
      local one, many = 0, 0
      for _ = 1, 50 do
        one = math.max(one, select(2, cancel "http://n1.test:%d"))
      end
      for i = 1, 100 do
        local name = ("http://n%%d.test:%d"):format(1 + i %% 20)
        local _, count = cancel(name)
        many = math.max(many, count)
      end
      print(one, many)
      client = cancel "http://n1.test:%d"
      local quick <close> = minimax.new { base_url = "http://127.0.0.1:%d", api_key = "sk-spec" }
      local began = posix.now()
      print(assert(quick:query("a")).state, posix.now() - began < 1)
      print(assert(client:query("b")).state, posix.now() - began < 4.5)
      while threads() > 0 do
        require "socket".sleep(0.01)
      end
    ]]):format(api.port, api.port, api.port, api.port),
      { RESOLVER = MANY, RESOLVER_DELAY = "2000" })
    assert.equal("1\t8\nsucceeded\ttrue\nsucceeded\ttrue\n", out)
  end)

  it("leaves eight threads at most in a program that closes states, and all can ask", function()
    local api <close> = tasks.start()
    local out = run(THREADS .. ([[
      local client = minimax.new { base_url = "http://n1.test:%d", api_key = "sk-spec" }
      local before = fds.list()
      local most = 0
      for i = 1, 50 do
        posix.close_state([=[
          local client = require "minimax".new { base_url = ..., api_key = "sk-spec" }
          local co = coroutine.create(client.wait)
          assert(coroutine.resume(co, client, "lion"))
          assert(coroutine.resume(co))
        ]=], ("http://n%%d.test:%d"):format(1 + i %% 20))
        most = math.max(most, threads())
      end
      print(most, #fds.since(before))
      local began = posix.now()
      print(assert(client:query("b")).state, posix.now() - began < 3)
      print(host.drive(coroutine.create(client.query), client, "c").state)
    ]]):format(api.port, api.port), { RESOLVER = MANY, RESOLVER_DELAY = "1000" })
    assert.equal("8\t0\nsucceeded\ttrue\nsucceeded\n", out)
  end)

  it("is over at the connect timeout, as a connect is", function()
    local out = run([[
      local client = minimax.new { base_url = "http://slow.test", api_key = "sk-spec",
        connect_timeout = 0.2, retries = 0 }
      local began = posix.now()
      local _, err = client:query("lion")
      print(err.kind, err.retryable, posix.now() - began < 1)
    ]], SLOW)
    assert.equal("timeout\ttrue\ttrue\n", out)
  end)

  it("does not hold up the end of the state, nor run code that is gone", function()
    local began = socket.gettime()
    local out = run([[
      local client = minimax.new { base_url = "http://slow.test", api_key = "sk-spec" }
      local co = coroutine.create(client.wait)
      assert(coroutine.resume(co, client, "lion"))
      assert(coroutine.resume(co))
      io.stdout:write("closing\n")
      os.exit(0, true)
    ]], { RESOLVER = SLOW.RESOLVER, RESOLVER_DELAY = "20000" })
    assert.equal("closing\n", out)
    assert.is_true(socket.gettime() - began < 2)
  end)

  it("leaves a host alive that unloads the module before it ends", function()
    -- A thread's own Lua state is closed, and the module with it, while the
    -- lookup goes on.
    local result = process.run {
      script = [[
        local cqueues = require "cqueues"
        local lfs = require "lfs"
        local thread = require "cqueues.thread"
        local function threads()
          local count = -2 -- for "." and ".."
          for _ in lfs.dir("/proc/self/task") do
            count = count + 1
          end
          return count
        end
        local other = assert(thread.start(function()
          local minimax = require "minimax"
          local client = minimax.new { base_url = "http://slow.test", api_key = "sk-spec" }
          local co = coroutine.create(client.wait)
          assert(coroutine.resume(co, client, "lion"))
          assert(coroutine.resume(co))
        end))
        assert(other:join(5))
        local left = threads()
        while threads() > 1 do
          cqueues.sleep(0.01)
        end
        print("alive", left >= 2)
      ]],
      env = { LD_PRELOAD = native.library "resolver", RESOLVER = SLOW.RESOLVER,
        RESOLVER_DELAY = "3000" },
      timeout = 20,
    }
    assert.same({ code = 0, out = "alive\ttrue\n", err = "", timed_out = false }, result)
  end)
end)


describe("a host name", function()
  local folder

  before_each(function()
    folder = temp.folder()
  end)

  after_each(function()
    folder:close()
  end)

  -- What a child prints, and the names that were looked up meanwhile, in order.
  local function lookups(script, env)
    env.RESOLVER_LOG = folder:file "log"
    local out = run(script, env)
    local names = {}
    for name in io.lines(env.RESOLVER_LOG) do
      names[#names + 1] = name
    end
    return names, out
  end

  it("is looked up once for all that want it at the same time, and for a while after", function()
    local api <close> = tasks.start()
    local names, out = lookups(([[
      local clients = {}
      for number = 1, 3 do
        clients[number] = minimax.new { base_url = "http://slow.test:%d", api_key = "sk-spec" }
      end
      local answers = 0
      for number = 1, 30 do
        minimax.spawn(function()
          assert(clients[1 + number %% 3]:query "lion")
          answers = answers + 1
        end)
      end
      minimax.run()
      for number = 1, 3 do
        assert(clients[number]:query "tiger")
        clients[number]:close()
      end
      print(answers)
    ]]):format(api.port), { RESOLVER = "slow.test=127.0.0.1", RESOLVER_DELAY = "100" })
    assert.equal("30\n", out)
    assert.same({ "slow.test" }, names)
  end)

  it("is looked up anew after a connect that failed", function()
    local refused <close> = wire.refused()
    local names = lookups(([[
      local client = minimax.new { base_url = "http://gone.test:%d", api_key = "sk-spec",
        retries = 0 }
      for _ = 1, 2 do
        local _, err = client:query "lion"
        assert(err.kind == "network", err)
      end
    ]]):format(refused.port), { RESOLVER = "gone.test=127.0.0.1" })
    assert.same({ "gone.test", "gone.test" }, names)
  end)

  it("that is not found is named in the error, and asked for again", function()
    local names, out = lookups([[
      local client = minimax.new { base_url = "http://none.test", api_key = "sk-spec",
        retries = 0 }
      for _ = 1, 2 do
        local _, err = client:query "lion"
        print(err.kind, err.retryable, err.message:find("none.test", 1, true) ~= nil)
      end
    ]], { RESOLVER = "none.test=127.0.0.1", RESOLVER_SINCE = folder:file "never" })
    assert.equal(("network\ttrue\ttrue\n"):rep(2), out)
    assert.same({ "none.test", "none.test" }, names)
  end)

  -- A minute and more of true time pass in a second.
  it("that is known serves on while the name server is down, for some minutes", function()
    local api <close> = tasks.start()
    local names, out = lookups(([[
      local SINCE = os.getenv "RESOLVER_SINCE"
      assert(io.open(SINCE, "w")):close()
      local client = minimax.new { base_url = "http://known.test:%d", api_key = "sk-spec",
        retries = 0, connect_timeout = 3000, request_timeout = 3000 }
      print(client:query("a").state)
      os.remove(SINCE)
      minimax.sleep(90)
      print(client:query("b").state)
      minimax.sleep(650)
      local _, err = client:query "c"
      print(err and err.kind)
    ]]):format(api.port), { RESOLVER = "known.test=127.0.0.1", RESOLVER_SINCE = folder:file "up",
      LD_PRELOAD = native.library "clock", CLOCK_FACTOR = "500" })
    assert.equal("succeeded\nsucceeded\nnetwork\n", out)
    assert.same({ "known.test", "known.test", "known.test" }, names)
  end)

  it("may have addresses of both families", function()
    local api <close> = tasks.start()
    local names, out = lookups(([[
      local client = minimax.new { base_url = "http://both.test:%d", api_key = "sk-spec" }
      print(assert(client:query "lion").state)
    ]]):format(api.port), { RESOLVER = "both.test=::1,127.0.0.1" })
    assert.equal("succeeded\n", out)
    assert.same({ "both.test" }, names)
  end)

  it("is asked for as name servers know it", function()
    local api <close> = tasks.start()
    local names, out = lookups(([[
      os.setlocale "C.UTF-8" -- for what converts it
      local client = minimax.new { base_url = "http://l\u{f6}we.test:%d", api_key = "sk-spec" }
      print(assert(client:query "lion").state)
    ]]):format(api.port), { RESOLVER = "xn--lwe-sna.test=127.0.0.1" })
    assert.equal("succeeded\n", out)
    assert.same({ "xn--lwe-sna.test" }, names)
  end)

  it("of a proxy is looked up, and the one behind it is not", function()
    local api <close> = tasks.start()
    local names, out = lookups(([[
      local client = minimax.new { base_url = "http://behind.test:%d", api_key = "sk-spec",
        proxy = "http://proxy.test:%d" }
      print(client:query("lion"))
    ]]):format(api.port, api.port), { RESOLVER = "behind.test=127.0.0.1 proxy.test=127.0.0.1" })
    assert.matches("succeeded", out)
    assert.same({ "proxy.test" }, names)
  end)

  -- A SOCKS server that tells the spec what it was asked for, and answers itself.
  local SOCKS = [[
    local connection = ...
    local socket = connection.socket
    socket:read(assert(socket:read(2)):byte(2)) -- the ways in that it offers
    connection:send "\5\0"
    local kind = assert(socket:read(4)):byte(4)
    local place = kind == 3 and socket:read(socket:read(1):byte()) or socket:read(4)
    socket:read(2)
    connection:send "\5\0\0\1\127\0\0\1\0\80"
    connection:read_request()
    connection:reply(200, {}, ('{"status":"Success","file_id":"%s","base_resp":{"status_code":0}}')
      :format(kind == 3 and place or table.concat({ place:byte(1, 4) }, ".")))
  ]]

  for scheme, case in pairs {
    socks5 = { names = { "behind.test", "socks.test" }, asked = "127.0.0.7" },
    socks5h = { names = { "socks.test" }, asked = "behind.test" },
  } do
    it("behind a proxy that speaks " .. scheme .. " is asked of who has to know it", function()
      local server <close> = wire.start { serve = SOCKS }
      local names, out = lookups(([[
        local client = minimax.new { base_url = "http://behind.test", api_key = "sk-spec",
          proxy = "%s://socks.test:%d" }
        print(assert(client:query "lion").file_id)
      ]]):format(scheme, server.port), { RESOLVER = "behind.test=127.0.0.7 socks.test=127.0.0.1" })
      table.sort(names)
      assert.equal(case.asked .. "\n", out)
      assert.same(case.names, names)
    end)
  end
end)
