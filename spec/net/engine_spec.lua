-- The engine of a Lua state and its host: loaded twice, closed, forked.

local fds = require "spec.support.fds"
local host = require "spec.support.host"
local minimax = require "minimax"
local native = require "spec.support.native"
local posix = native.module "posix"
local process = require "spec.support.process"
local socket = require "socket"
local tasks = require "spec.support.tasks"
local wire = require "spec.support.wire"

local KILL = 9

local SLOW = { "Processing", "Processing", "Processing", "Success" }

describe("the engine", function()
  it("is the same when the module is required a second time", function()
    local api <close> = tasks.start { any = SLOW }
    local client <close> = api:client()
    local co = coroutine.create(client.wait)
    assert(coroutine.resume(co, client, "before"))
    local again = assert(package.loadlib(assert(package.searchpath("minimax", package.cpath)),
      "luaopen_minimax"))()
    collectgarbage()
    collectgarbage()
    assert.equal(minimax.pollfd(), again.pollfd())
    assert.equal("succeeded", assert(client:wait("after")).state)
    assert.equal("succeeded", host.drive(co).state)
  end)

  it("leaves no descriptor behind when a client is closed in the middle", function()
    local api <close> = tasks.start { any = { { word = "never", "Success" } } }
    assert(api:client():query("warm-up", { timeout = 0.01 }) == nil)
    local before = fds.list()
    do
      local client <close> = api:client()
      local co = coroutine.create(client.wait)
      coroutine.resume(co, client, "held")
      assert.is_true(host.step_until(function()
        return api:polls("held") == 1
      end))
      assert.is_true(#fds.since(before) > 0)
    end
    assert.same({}, fds.since(before))
  end)
end)

describe("the end of the Lua state", function()
  -- A child with transfers in flight, whose state ends in some way.
  local function ends(how)
    local api <close> = tasks.start { held = { { word = "never" } },
      slow = { "Processing", "Success" } }
    local result = process.run {
      script = ([[
        local minimax = require "minimax"
        local host = require "spec.support.host"
        local client = minimax.new { base_url = %q, api_key = "sk-spec", poll_interval = 10 }
        waiting = {}
        local function start(call, ...)
          local co = coroutine.create(client[call])
          assert(coroutine.resume(co, client, ...))
          waiting[#waiting + 1] = co
        end
        start("wait", "held")
        start("wait", "slow")
        start("query", "held")
        start("submit", { template_id = "1" })
        start("download", "held", function() end)
        loop = client:each { "held", "slow" }
        host.step_until(function()
          return minimax.timeout() > 0
        end)
        %%s
      ]]):format(api.url):format(how),
      timeout = 20,
    }
    assert.same({ code = 0, out = "", err = "", timed_out = false }, result)
  end

  it("is harmless with transfers in flight", function()
    ends ""
  end)

  it("is harmless when a finalizer still calls the module", function()
    ends [[
      late = setmetatable({}, { __gc = function()
        assert(select(2, client:query("held")))
        assert(select(2, pcall(client.wait, client, "held")))
        pcall(minimax.run, function() end)
        pcall(minimax.new, { api_key = "sk-spec" })
        minimax.step()
        minimax.timeout()
        minimax.pollfd()
      end })
    ]]
  end)

  it("is harmless when the engine is gone before a finalizer calls the module", function()
    local result = process.run {
      script = [[
        local minimax, client
        first = setmetatable({}, { __gc = function()
          local kinds = {}
          for i, own in ipairs { client, minimax.new { api_key = "sk-spec" } } do
            kinds[i] = select(2, own:wait("x")).kind .. " " .. select(2, own:query("x")).kind
          end
          print(table.concat(kinds, ", "), minimax.step(), minimax.timeout(), minimax.pollfd())
        end })
        minimax = require "minimax"
        client = minimax.new { api_key = "sk-spec" }
      ]],
    }
    assert.equal("", result.err)
    assert.equal("cancelled cancelled, cancelled cancelled\t0\tnil\tnil\n", result.out)
  end)

  it("is harmless when a closing value still calls the module", function()
    ends [[
      local late <close> = setmetatable({}, { __close = function()
        assert(client:query("slow"))
      end })
    ]]
  end)

  it("is harmless after os.exit that closes the state", function()
    ends "os.exit(0, true)"
  end)
end)

describe("two Lua states in two threads", function()
  it("work side by side", function()
    local api <close> = tasks.start { any = SLOW }
    local result = process.run {
      script = ([[
        local thread = require "cqueues.thread"
        local function work(_, url, name)
          local minimax = require "minimax"
          local client = minimax.new { base_url = url, api_key = "sk-spec", poll_interval = 0.001 }
          local count = 0
          for i = 1, 50 do
            minimax.spawn(function()
              assert(client:wait(name .. i))
              count = count + 1
            end)
          end
          minimax.run()
          assert(count == 50)
        end
        local threads = {}
        for i = 1, 4 do
          threads[i] = assert(thread.start(work, %q, "t" .. i .. "-"))
        end
        work(nil, %q, "main-")
        for i = 1, 4 do
          local ok, err = threads[i]:join(100)
          print(ok, err)
        end
      ]]):format(api.url, api.url),
      timeout = 110,
    }
    assert.equal("", result.err)
    assert.equal(("true\tnil\n"):rep(4), result.out)
    assert.equal(5 * 50 * #SLOW, api:polls())
  end)
end)

describe("other programs that are run in the middle", function()
  it("by io.popen and os.execute leave a wait and a download alone", function()
    local storage = require "spec.support.storage"
    local temp = require "spec.support.temp"
    local api <close> = tasks.start { any = SLOW }
    local source <close> = wire.start {
      serve = storage.script { video = { { size = 300000, piece = 60000, pause = 0.01 } } },
    }
    local folder <close> = temp.folder()
    local client <close> = api:client { base_url = source.url }
    local waiting <close> = api:client()
    local states, info = 0, nil
    minimax.spawn(function()
      info = assert(client:download(source.url .. "/video", folder:file "v.mp4", {
        on_progress = function()
          assert(os.execute "exit 0")
        end,
      }))
    end)
    minimax.run(function()
      assert(waiting:wait("a", { on_status = function()
        local pipe = assert(io.popen("echo here; sleep 0.05"))
        assert(pipe:read "l" == "here")
        assert(pipe:close())
        states = states + 1
      end }))
    end)
    assert.equal(#SLOW, states)
    assert.equal(300000, info.bytes)
  end)
end)

describe("after a fork", function()
  local api

  before_each(function()
    api = tasks.start { slow = SLOW, slower = SLOW, held = { { word = "go", "Success" } } }
  end)

  after_each(function()
    api:stop()
  end)

  -- Runs `fn` in a forked child; it ends without finalizers unless `close`.
  local function in_child(fn)
    io.stdout:flush()
    local pid = posix.fork()
    if pid ~= 0 then
      return posix.wait(pid)
    end
    local ok, err = pcall(fn)
    if not ok then
      io.stderr:write(tostring(err), "\n")
    end
    posix.exit(ok and 0 or 1)
  end

  it("clients and tasks of the parent return nil and kind cancelled in the child", function()
    local client <close> = api:client()
    local task = assert(client:submit { template_id = "1", text_inputs = { "a" } })
    assert.equal(0, in_child(function()
      local function check(result, err)
        assert(result == nil and err.kind == "cancelled", "not cancelled")
        assert(tostring(err):find("parent process", 1, true), tostring(err))
      end
      check(client:query("slow"))
      check(client:wait("slow"))
      check(client:submit { template_id = "1" })
      check(task:wait())
      check(task:query())
      check(client:abort("slow"))
      check(client:retrieve("1"))
      check(client:call("GET", "/v1/x"))
      assert(minimax.step() == 0)
      client:close()
    end))
    assert.equal("succeeded", assert(client:wait("slow")).state)
  end)

  it("minimax.new works afresh in the child, beside the parent's clients", function()
    local client <close> = api:client()
    assert(client:query("slow"))
    assert.equal(0, in_child(function()
      local own = minimax.new(api:options())
      collectgarbage()
      collectgarbage()
      assert(assert(own:wait("slow")).state == "succeeded")
      assert(select(2, client:query("slow")).kind == "cancelled")
      own:close()
    end))
    assert.equal("succeeded", assert(client:wait("slow")).state)
  end)

  it("a wait under way ends in the child, and goes on in the parent", function()
    local client <close> = api:client()
    local co = coroutine.create(client.wait)
    assert(coroutine.resume(co, client, "held"))
    assert.is_true(host.step_until(function()
      return api:polls("held") == 1
    end))
    assert.equal(0, in_child(function()
      local ok, status, err = coroutine.resume(co)
      assert(ok and status == nil and err.kind == "cancelled", tostring(status))
      assert(coroutine.status(co) == "dead")
    end))
    api:tell("go")
    assert.equal("succeeded", host.drive(co).state)
    assert.equal(1, api:connections())
  end)

  it("in a spawned function that forks the child can go on by itself", function()
    local client <close> = api:client()
    local pid, status, own_status
    minimax.run(function()
      minimax.spawn(function()
        status = client:wait("slow")
      end)
      pid = posix.fork()
      if pid == 0 then
        local ok, err = pcall(function()
          local own = minimax.new(api:options())
          own_status = own:wait("slower")
        end)
        posix.exit(ok and own_status.state == "succeeded" and 7 or err and 2 or 1)
      end
      client:wait("slow")
    end)
    assert.equal(7, posix.wait(pid))
    assert.equal("succeeded", status.state)
  end)

  it("client:each hands out what is left as cancelled in the child", function()
    local client <close> = api:client()
    local pid, results = nil, {}
    for task, status, err in client:each { "held", "slow", "slower" } do
      results[task] = status and status.state or err.kind
      pid = pid or posix.fork()
      if pid ~= 0 then
        api:tell("go")
      end
    end
    if pid == 0 then
      -- One that had ended before the fork is handed out as it ended.
      local known = { succeeded = true, cancelled = true }
      posix.exit(results.held == "cancelled" and known[results.slow] and known[results.slower]
        and 7 or 1)
    end
    assert.equal(7, posix.wait(pid))
    assert.same({ held = "succeeded", slow = "succeeded", slower = "succeeded" }, results)
  end)

  it("is seen where the kernel accepts all advice about memory and heeds none", function()
    local result = process.run {
      script = native.import "posix" .. ([[
        local minimax = require "minimax"
        local client = minimax.new { base_url = %q, api_key = "sk-spec" }
        local pid = posix.fork()
        local _, err = client:query "any"
        if pid == 0 then
          posix.exit(err and err.kind == "cancelled" and 7 or 1)
        end
        print(posix.wait(pid), err)
      ]]):format(api.url),
      env = { LD_PRELOAD = native.library "unheeded" },
    }
    assert.equal("7\tnil\n", result.out, result.err)
  end)

  it("in on_status the wait ends in the child, and goes on in the parent", function()
    local client <close> = api:client()
    local pid
    local status, err = client:wait("slow", { on_status = function()
      pid = pid or posix.fork()
    end })
    if pid == 0 then
      posix.exit(status == nil and err.kind == "cancelled" and 7 or 1)
    end
    assert.equal(7, posix.wait(pid))
    assert.equal("succeeded", status.state)
  end)

  it("a child that lives on wakes nobody by a connection that the parent has closed", function()
    local client = api:client()
    assert(client:query("slow"))
    io.stdout:flush()
    local pid = posix.fork()
    if pid == 0 then
      socket.sleep(60)
      posix.exit(0)
    end
    client:close()
    api:stop() -- from here on the child's copy of the connection has something to read
    local wakes = 0
    host.step_until(function()
      wakes = wakes + 1
      return false
    end, 0.3)
    posix.kill(pid, KILL)
    posix.wait(pid)
    assert.is_true(wakes < 20, wakes)
  end)

  it("a child that ends with all its finalizers leaves the parent's transfer alone", function()
    local child <close> = process.start {
      script = native.import "posix" .. ([[
        local host = require "spec.support.host"
        local minimax = require "minimax"
        local sent
        local client = minimax.new { base_url = %q, api_key = "sk-spec", on_event = function(event)
          sent = event.type == "request" and event.task_id == "held"
        end }
        assert(client:query("other"))
        local co = coroutine.create(client.wait)
        assert(coroutine.resume(co, client, "held"))
        host.step_until(function() return sent end)
        local pid = posix.fork()
        if pid == 0 then
          co, client = nil, nil
          collectgarbage()
          os.exit(5, true)
        end
        assert(posix.wait(pid) == 5)
        print("child gone")
        io.stdout:flush()
        print(host.drive(co).state)
      ]]):format(api.url),
      env = { LSAN_OPTIONS = "detect_leaks=0" }, -- the child leaves what is its parent's
    }
    assert.equal("child gone", child:read("l"))
    assert.is_true(api:await("request", 2))
    api:tell("go")
    assert.same({ code = 0, err = "", out = "succeeded\n", timed_out = false }, child:finish())
    assert.equal(2, api:polls())
  end)
end)
