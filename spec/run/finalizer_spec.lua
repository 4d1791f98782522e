-- A finalizer of the program's own may run wherever Lua allocates: also while a
-- call of ours begins, or a job of ours moves on. What it asks for may end that
-- very call, but harms nothing.

local headers = require "spec.support.headers"
local process = require "spec.support.process"
local tasks = require "spec.support.tasks"
local temp = require "spec.support.temp"

local SCRIPT = [[
  local collector = require "spec.support.collector"
  local minimax = require "minimax"
  local URL, CALL, ACT = ...
  local client, left

  local calls = {}
  function calls.query()
    return client:query("a")
  end
  function calls.wait()
    return client:wait("a", { interval = 0.001 })
  end
  function calls.each()
    for _, status, err in client:each({ "a", "b" }, { interval = 0.001 }) do
      if err then
        return status, err
      end
    end
    return true
  end
  function calls.submit()
    return client:submit { template_id = "1" }
  end
  function calls.upload()
    return client:upload("doc/examples/pet.jpg")
  end
  function calls.call()
    return client:call("GET", "/v1/query/video_template_generation?task_id=a")
  end

  local acts = {}
  function acts.close()
    client:close()
  end
  function acts.abort()
    client:abort("a")
  end
  function acts.step()
    minimax.step()
  end

  -- Garbage by the thousand: each small step of the collector runs ten of these.
  local meta = { __gc = function()
    left = left and left - 1
    if left and left <= 0 then
      left = nil
      acts[ACT]()
    end
  end }

  for number = 1, 2000, 23 do
    client = minimax.new { base_url = URL, api_key = "sk-finalizer" }
    left = nil
    collectgarbage()
    collector.incremental(200, 100, 64)
    collectgarbage("stop")
    for _ = 1, 2100 do
      setmetatable({}, meta)
    end
    collectgarbage("restart")
    left = 2100
    while left > 2090 do
      local _ = {}
    end
    left = number
    local result, err = calls[CALL]()
    left = nil
    assert(result or err.kind == "cancelled" or CALL == "upload", tostring(err))
    client:close()
  end
  collectgarbage()
  local other = minimax.new { base_url = URL, api_key = "sk-finalizer" }
  print(assert(other:query "b").state)
  print(minimax.timeout())
]]

-- The collector runs in the middle of a poll, when its answer is decoded.
local DROPPED = [[
  local cjson = require "cjson"
  local new, arm = cjson.new, false
  function cjson.new()
    local own = new()
    local decode = own.decode
    function own.decode(...)
      if arm then
        collectgarbage()
        collectgarbage()
      end
      return decode(...)
    end
    return own
  end
  local host = require "spec.support.host"
  local minimax = require "minimax"
  local client = minimax.new { base_url = ..., api_key = "sk-finalizer" }
  collectgarbage "stop"
  for _ = 1, 20 do
    local co = coroutine.create(function()
      for _ in client:each({ "a", "c", "d" }, { interval = 0.001 }) do end
    end)
    assert(coroutine.resume(co))
    host.sleep()
    minimax.step()
    arm, co = true, nil
    while minimax.timeout() do
      host.sleep()
      minimax.step()
    end
    arm = false
  end
  print "alive"
]]

-- In the middle of a job's move, when its answer is decoded: by a finalizer, or
-- by code of the program's own that stands in lua-cjson's place.
local MOVED = [[
  local cjson = require "cjson"
  local URL, CALL, ACT, HOW = ...
  local act
  local function now()
    local own = act
    act = nil
    if own and HOW == "finalizer" then
      setmetatable({}, { __gc = own })
      collectgarbage()
    elseif own then
      own()
    end
  end
  local new = cjson.new
  function cjson.new()
    local own = new()
    local decode = own.decode
    function own.decode(...)
      now()
      local results = table.pack(decode(...))
      return table.unpack(results, 1, results.n)
    end
    return own
  end
  local host = require "spec.support.host"
  local minimax = require "minimax"
  local client, co
  collectgarbage "generational"

  local calls = {}
  function calls.query()
    return client:query("b")
  end
  function calls.wait()
    return client:wait("a", { interval = 0.001, on_status = function() end })
  end
  function calls.each()
    for _ in client:each({ "a", "b", "c" }, { interval = 0.001 }) do end
  end
  function calls.submit()
    return client:submit { template_id = "1" }
  end
  function calls.cancel()
    return client:cancel("c")
  end

  local acts = {}
  function acts.shut()
    coroutine.close(co)
  end
  function acts.close()
    client:close()
  end
  function acts.abort()
    client:abort("a")
    client:abort("b")
    client:abort("c")
  end
  function acts.step()
    for _ = 1, 10 do
      minimax.step()
    end
  end
  function acts.drop()
    co = nil
    collectgarbage()
    collectgarbage()
  end

  for number = 1, 4 do
    client = minimax.new { base_url = URL, api_key = "sk-finalizer", retries = 0 }
    co = coroutine.create(calls[CALL])
    assert(coroutine.resume(co))
    act = acts[ACT]
    for _ = 1, 200 do
      if not minimax.timeout() or not co or coroutine.status(co) == "dead" then
        break
      end
      host.sleep(0.05)
      if number % 2 == 0 then
        minimax.step()
      else
        assert(coroutine.resume(co))
      end
    end
    act = nil
    client:close()
    if co then
      coroutine.close(co)
    end
  end
  collectgarbage()
  minimax.step()
  local other = minimax.new { base_url = URL, api_key = "sk-finalizer" }
  print(assert(other:query "b").state)
  collectgarbage()
  minimax.step()
  print(minimax.timeout())
]]

describe("a finalizer", function()
  local api

  setup(function()
    api = tasks.start { any = { "Processing", "Success" }, b = { "Success" } }
  end)

  teardown(function()
    api:stop()
  end)

  for act, what in pairs {
    close = "closes the client", abort = "aborts the task", step = "steps the module",
  } do
    for _, call in ipairs { "query", "wait", "each", "submit", "upload", "call" } do
      it("that " .. what .. " at any instant of " .. call .. " harms nothing", function()
        local result = process.run { script = SCRIPT, args = { api.url, call, act } }
        assert.same({ code = 0, out = "succeeded\nnil\n", err = "", timed_out = false }, result)
      end)
    end
  end

  for act, what in pairs {
    shut = "closes the coroutine", close = "closes the client", abort = "aborts the tasks",
    step = "steps the module", drop = "drops the coroutine",
  } do
    for _, call in ipairs { "query", "wait", "each", "submit", "cancel" } do
      for _, how in ipairs { "finalizer", "decoder" } do
        it(("(%s) that %s while its %s moves on harms nothing"):format(how, what, call), function()
          local result = process.run { script = MOVED, args = { api.url, call, act, how } }
          assert.same({ code = 0, out = "succeeded\nnil\n", err = "", timed_out = false }, result)
        end)
      end
    end
  end

  it("of a loop over each that was dropped ends its polls, also in the middle of one", function()
    local result = process.run { script = DROPPED, args = { api.url } }
    assert.same({ code = 0, out = "alive\n", err = "", timed_out = false }, result)
  end)
end)

describe("a Lua that does not tell when a finalizer runs", function()
  it("is told from others by require, which raises", function()
    if not headers.package() then
      pending "pkg-config knows no library of this Lua"
      return
    end
    local folder <close> = temp.folder()
    local built = process.run { command = { "sh", "-c", "cc -D_GNU_SOURCE -rdynamic "
      .. headers.flags() .. " spec/support/old_lua.c " .. headers.flags "--libs" .. ' -ldl -o "$0"',
      folder:file "old_lua" }, env = { LD_PRELOAD = false } }
    assert.equal(0, built.code, built.err)
    local script = folder:write("script.lua", "print(pcall(require, 'minimax'))")
    local result = process.run { command = { folder:file "old_lua", script },
      env = { LD_PRELOAD = os.getenv "LD_PRELOAD" or false } } -- a sanitizer that the module has
    assert.matches("^false\tminimax needs Lua 5%.4%.4 or later", result.out)
    assert.equal(0, result.code)
  end)
end)
