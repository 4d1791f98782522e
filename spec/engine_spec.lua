-- The engine of a Lua state and its host: loaded twice, closed, forked.

local fds = require "spec.support.fds"
local host = require "spec.support.host"
local minimax = require "minimax"
local native = require "spec.support.native"
local posix = native.module "posix"
local process = require "spec.support.process"
local tasks = require "spec.support.tasks"

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

  it("a child that ends with all its finalizers leaves the parent's transfer alone", function()
    local child <close> = process.start {
      script = native.import "posix" .. ([[
        local host = require "spec.support.host"
        local minimax = require "minimax"
        local sent
        local client = minimax.new { base_url = %q, api_key = "k", on_event = function(event)
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
    }
    assert.equal("child gone", child:read("l"))
    assert.is_true(api:await("request", 2))
    api:tell("go")
    assert.same({ code = 0, err = "", out = "succeeded\n", timed_out = false }, child:finish())
    assert.equal(2, api:polls())
  end)
end)
