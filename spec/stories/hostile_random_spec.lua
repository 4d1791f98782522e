-- A program whose tables, finalizers and functions do anything at any moment:
-- close the client, abort, close coroutines, collect, raise, yield. Nothing may
-- crash, hang, or stay behind; calls end with a result, an error, or what the
-- program's own code raised. Each run is told by its seed: HOSTILE_SEED=1
-- HOSTILE_RUNS=100 tries more.

local process = require "spec.support.process"
local tasks = require "spec.support.tasks"
local wire = require "spec.support.wire"

local RUNS = tonumber(os.getenv "HOSTILE_RUNS") or 3
local FIRST = tonumber(os.getenv "HOSTILE_SEED") or 1

local SCRIPT = [==[
  local minimax = require "minimax"
  local URL, LINK, SEED = ...
  math.randomseed(tonumber(SEED))
  local random = math.random
  local path = os.tmpname()
  warn "@off"

  local clients, crew, budget, depth = {}, {}, 0, 0
  local hostile

  local function client()
    return clients[random(#clients)]
  end

  local acts = {
    function() client():close() end,
    function() client():abort(tostring(random(4))) end,
    function()
      local co = crew[random(#crew + 1)]
      if co and coroutine.status(co) == "suspended" then
        coroutine.close(co)
      end
    end,
    function() collectgarbage() end,
    function() collectgarbage "step" end,
    function() collectgarbage(random(2) == 1 and "generational" or "incremental") end,
    function() error("on purpose", 0) end,
    function() error(hostile()) end,
    function() if coroutine.isyieldable() then coroutine.yield() end end,
    function() minimax.step() end,
    function() minimax.spawn(function() client():query "s" end) end,
    function() client():query(tostring(random(4)), { timeout = 0.05 }) end,
    function() client():notify { task_id = tostring(random(4)) } end,
    function() client():callback '{"task_id":"1","status":"Processing"}' end,
    function() crew[random(#crew + 1)] = nil end,
    function() crew[#crew + 1] = coroutine.create(function() client():wait "1" end) end,
  }

  -- Not too often, or nothing else would happen.
  local function act()
    if budget <= 0 or depth > 3 then
      return
    end
    budget, depth = budget - 1, depth + 1
    local ok, why = pcall(acts[random(#acts)])
    depth = depth - 1
    if not ok and random(2) == 1 then
      error(why, 0)
    end
  end

  local values = { "1", 2, "x", true, false, "https://x.test/a", "template", 0.001, 7, "" }

  local function value()
    local which = random(#values + 3)
    if which > #values then
      return which == #values + 1 and hostile() or which == #values + 2 and act or nil
    end
    return values[which]
  end

  local names = { "template_id", "task_id", "file_id", "url", "kind", "model", "content", "id",
    "text_inputs", "media_inputs", "value", "status", "callback_url", "message", "stage", "task" }

  -- A table in which reading anything may do anything.
  function hostile(fields)
    local object = fields or {}
    for _ = 1, random(0, 3) do
      object[names[random(#names)]] = values[random(#values)]
    end
    local meta = { __name = random(2) == 1 and "hostile" or nil }
    for _, event in ipairs { "__index", "__newindex", "__len", "__pairs", "__call", "__eq",
      "__concat" } do
      if random(2) == 1 then
        meta[event] = function(_, name)
          act()
          return event == "__len" and random(3) or event == "__index" and random(3) == 1
            and name ~= "n" and value() or nil
        end
      end
    end
    meta.__tostring = random(2) == 1 and function()
      act()
      return "hostile"
    end or nil
    meta.__gc = random(4) == 1 and act or nil
    meta.__close = act
    return setmetatable(object, meta)
  end

  local function litter()
    for _ = 1, random(20) do
      setmetatable({}, { __gc = act })
    end
  end

  local function sometimes(fn)
    return random(2) == 1 and fn or nil
  end

  local function on(...)
    act()
    if random(5) == 1 then
      return nil, hostile()
    end
    return random(8) > 1 or nil
  end

  local calls = {
    function(c) return c:submit(hostile { template_id = "1" }, { on_send = sometimes(on) }) end,
    function(c) return c:submit({ template_id = "1", text_inputs = hostile { "a" } }) end,
    function(c) return c:submit(hostile(), { dry_run = true }) end,
    function(c) return c:query(hostile { task_id = "1" }, { timeout = 0.2 }) end,
    function(c)
      return c:wait(hostile { task_id = "2" }, { timeout = 0.2, on_status = sometimes(on) })
    end,
    function(c)
      local list = hostile { "1", hostile { task_id = "2" }, "3" }
      for _, _, err in c:each(list, { timeout = 0.2, on_status = sometimes(on) }) do
        act()
        if random(6) == 1 then
          return err
        end
      end
    end,
    function(c)
      return c:download(random(2) == 1 and LINK or hostile { url = LINK }, path,
        { on_progress = sometimes(on), timeout = 0.3 })
    end,
    function(c) return c:download(hostile { task_id = "1" }, on, { timeout = 0.2 }) end,
    function(c) return c:download(LINK, on, { timeout = 0.2 }) end,
    function(c) return c:generate(hostile { template_id = "1" }, path, { timeout = 0.1 }) end,
    function(c) return c:call("POST", "/v1/x", { body = hostile(), timeout = 0.2 }) end,
    function(c) return c:call("GET", "/v1/x", { query = hostile { a = "b" }, timeout = 0.2 }) end,
    function(c) return c:list { task_ids = hostile { "1" }, timeout = 0.2 } end,
    function(c) return c:retrieve("1", { timeout = 0.2 }) end,
    function(c) return c:upload("doc/examples/pet.jpg", nil, { timeout = 0.2 }) end,
    function(c) return c:cancel(hostile { task_id = "3", kind = "video2" }, { timeout = 0.2 }) end,
    function(c) return c:callback(value()) end,
    function(c) return c:notify(hostile { task_id = "1" }) end,
    function(c) return c:abort(hostile { task_id = "1" }) end,
    function(c) return c:wait("1", hostile()) end,
    function() return minimax.new(hostile { api_key = "k", base_url = URL }) end,
    function() return minimax.sleep(0.001) end,
    function() return minimax.run(act) end,
  }

  local function one()
    litter()
    local c = client()
    local results = table.pack(pcall(calls[random(#calls)], c))
    for i = 1, results.n do
      pcall(tostring, results[i])
    end
  end

  local places = {
    function() one() end,
    function()
      minimax.run(function()
        for _ = 1, 4 do
          crew[#crew + 1] = minimax.spawn(one)
        end
      end)
    end,
    function()
      local co = coroutine.create(one)
      crew[#crew + 1] = co
      for _ = 1, random(30) do
        if coroutine.status(co) ~= "suspended" then
          break
        end
        coroutine.resume(co)
      end
    end,
    function() table.sort({ 1, 2 }, function(a, b) one() return a < b end) end,
  }

  local began = os.time()
  for _ = 1, 30 do
    clients = {}
    for i = 1, 3 do
      clients[i] = minimax.new { base_url = URL, api_key = "sk-hostile", retries = random(0, 2),
        poll_interval = 0.005, wait_timeout = 0.3, max_connections = random(3),
        request_timeout = 0.15, on_event = random(3) == 1 and function() act() end or nil }
    end
    budget = random(12)
    pcall(places[random(#places)])
    budget = 0
    for i = 1, #clients do
      clients[i]:close()
    end
    crew = {}
  end
  for _ = 1, 3 do
    collectgarbage()
    pcall(minimax.run)
    minimax.step()
  end
  os.remove(path)
  os.remove(path .. ".part")
  local fresh = minimax.new { base_url = URL, api_key = "sk-hostile" }
  assert(fresh:query("1", { timeout = 10 }))
  assert(os.time() - began < 60)
  fresh:close()
  print(minimax.timeout())
]==]

describe("a program that does anything at any moment", function()
  local api, storage

  setup(function()
    api = tasks.start { any = { "Processing", "Success" }, ["2"] = { "Processing", "reset",
      { http = 503 }, "Success" }, ["3"] = { "queueing" }, s = { "hang" } }
    storage = wire.start { serve = [[
      local connection = ...
      local video = require "spec.support.video"
      while connection:read_request() do
        connection:reply(200, {}, video.make(400000))
      end
    ]] }
  end)

  teardown(function()
    api:stop()
    storage:stop()
  end)

  for seed = FIRST, FIRST + RUNS - 1 do
    it("harms nothing: seed " .. seed, function()
      local result = process.run { script = SCRIPT, timeout = 90,
        args = { api.url, storage.url .. "/v.mp4", tostring(seed) } }
      assert.same({ code = 0, out = "nil\n", err = "", timed_out = false }, result)
    end)
  end
end)
