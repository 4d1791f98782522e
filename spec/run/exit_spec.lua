-- A program that ends, for whatever reason, while coroutines of a loop wait: no
-- code of that loop is called any more.

local process = require "spec.support.process"
local tasks = require "spec.support.tasks"

-- Each begins waits that do not end, and lets them get under way.
local LOOPS = {
  luv = [[
    local uv = require "luv"
    require "minimax.luv"
    local function begin(fn)
      coroutine.wrap(fn)()
    end
    local function go_on()
      for _ = 1, 5 do
        uv.run "nowait"
      end
    end
    local function inside(fn)
      local timer = uv.new_timer()
      timer:start(20, 0, fn)
      uv.run()
    end
  ]],
  copas = [[
    local copas = require "copas"
    require "minimax.copas"
    local function begin(fn)
      copas.addthread(fn)
    end
    local function go_on()
      for _ = 1, 5 do
        copas.step(0.01)
      end
    end
    local function inside(fn)
      copas.addthread(function()
        minimax.sleep(0.02)
        fn()
      end)
      copas.loop()
    end
  ]],
  cqueues = [[
    local cqueues = require "cqueues"
    local loop = cqueues.new()
    local function begin(fn)
      loop:wrap(fn)
    end
    local function go_on()
      for _ = 1, 5 do
        loop:step(0.01)
      end
    end
    local function inside(fn)
      loop:wrap(function()
        cqueues.sleep(0.02)
        fn()
      end)
      assert(loop:loop())
    end
  ]],
  ["minimax.run"] = [[
    local begin = minimax.spawn
    local function go_on()
      minimax.step()
    end
    local function inside(fn)
      minimax.run(function()
        minimax.sleep(0.02)
        fn()
      end)
    end
  ]],
  ["an adapter of the program's own"] = [[
    local crew, dead = {}, false
    minimax.adapter {
      token = function() return { co = coroutine.running() } end,
      park = function(token) coroutine.yield(token) end,
      wake = function(token)
        assert(not dead and token.co, "woken while the state is closed")
        crew[#crew + 1] = token.co
      end,
    }
    keep = setmetatable({}, { __gc = function() dead = true end })
    local function begin(fn)
      local co = coroutine.create(fn)
      assert(coroutine.resume(co))
      crew[co] = true
    end
    local function go_on()
      minimax.step()
    end
    local function inside(fn)
      go_on()
      fn()
    end
  ]],
}

local ENDS = {
  ["ends"] = "go_on()",
  ["raises"] = "go_on() error 'on purpose'",
  ["exits and closes its state"] = "go_on() os.exit(0, true)",
  ["exits inside the loop and closes its state"] = "inside(function() os.exit(0, true) end)",
  ["drops all it has"] = [[
    go_on()
    client, begin, go_on, inside = nil, nil, nil, nil
    collectgarbage()
    collectgarbage()
  ]],
  ["closes the client at last"] = [[
    go_on()
    late = setmetatable({}, { __gc = function() client:close() end })
  ]],
  ["closes a coroutine at last"] = [[
    go_on()
    late = setmetatable({}, { __gc = function() pcall(coroutine.close, co) end })
  ]],
  ["has a client that closes with it"] = [[
    go_on()
    local _ <close> = client
    os.exit(0, true)
  ]],
}

describe("a program", function()
  local api

  lazy_setup(function()
    api = tasks.start { any = { "hang" }, slow = { "Processing" } }
  end)

  lazy_teardown(function()
    api:stop()
  end)

  for how, ending in pairs(ENDS) do
    for loop, script in pairs(LOOPS) do
      it("that " .. how .. " while coroutines wait does so in peace: " .. loop, function()
        local result = process.run { args = { api.url }, timeout = 20, script = [[
          local minimax = require "minimax"
          client = minimax.new { base_url = ..., api_key = "sk-exit", poll_interval = 0.01 }
        ]] .. script .. [[
          begin(function()
            co = coroutine.running()
            client:wait "slow"
          end)
          begin(function() client:query "x" end)
          begin(function() client:submit { template_id = "1" } end)
          begin(function() for _ in client:each { "slow", "x" } do end end)
        ]] .. ending }
        assert.equal(how == "raises" and 1 or 0, result.code, result.err)
        local err = result.err:gsub("^[^\n]*on purpose.*$", "")
        assert.equal("", err)
      end)
    end
  end
end)
