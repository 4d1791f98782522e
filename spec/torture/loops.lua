--- A ticker of 20 ms in cqueues, luv and copas: alone, and while 100 answers a
-- second arrive and a file of 50 MB is downloaded all the time:
--
--     lua spec/torture/loops.lua [seconds] [loop]
--
-- Prints how many ticks of each round were missed, alone and under work in turn.
-- A loop that misses more under work than alone, by the median of its rounds,
-- ends it with 1.

local process = require "spec.support.process"
local storage = require "spec.support.storage"
local tasks = require "spec.support.tasks"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local SECONDS = tonumber(arg[1]) or 4
local ROUNDS = 5
local MEGABYTES = 50
local PAUSE = 0.01 -- seconds between two pieces of the download

-- Each runs `tick` whenever it is due, and `work` in a coroutine, until `stop`
-- holds and the work has ended.
local LOOPS = {
  { name = "cqueues", script = [[
    local cqueues = require "cqueues"
    function run(work)
      local controller = cqueues.new()
      spawn = function(fn) controller:wrap(fn) end
      spawn(function()
        while not stop() do
          cqueues.sleep(left())
          tick()
        end
      end)
      spawn(work)
      assert(controller:loop())
    end
  ]] },
  { name = "luv", script = [[
    local uv = require "luv"
    require "minimax.luv"
    function run(work)
      spawn = function(fn) assert(coroutine.resume(coroutine.create(fn))) end
      local timer = uv.new_timer()
      local function again()
        timer:start(math.ceil(left() * 1000), 0, function()
          tick()
          if stop() then timer:close() else again() end
        end)
      end
      again()
      spawn(work)
      uv.run()
    end
  ]] },
  -- The old copas knows no timers: its turns are as long as its owner wants.
  { name = "copas", script = [[
    local copas = require "copas"
    require "minimax.copas"
    function run(work)
      spawn = copas.addthread
      spawn(work)
      while not stop() do
        copas.step(left())
        if left() == 0 then tick() end
      end
    end
  ]] },
}

local SCRIPT = [[
  local minimax = require "minimax"
  local socket = require "socket"
  local QUERIES, STORAGE, PATH, SECONDS, ROUNDS = ...
  local TICK = 0.02
  local began, slot, missed, over, working
  local answers, bytes

  local function now()
    return socket.gettime() - began
  end
  -- Seconds until the next tick is due.
  function left()
    return math.max((slot + 1) * TICK - now(), 0)
  end
  function tick()
    local at = now() // TICK
    missed = missed + math.max(at - slot - 1, 0)
    slot = math.max(at, slot)
  end
  function stop()
    over = over or now() >= tonumber(SECONDS)
    return over and working == 0
  end

  local function answers_and_downloads()
    local client = minimax.new { base_url = QUERIES, api_key = "sk-loops", poll_interval = 1 }
    local function add()
      answers = answers + 1
      if over then client:close() end
    end
    for i = 1, 100 do
      working = working + 1
      spawn(function()
        client:wait("task" .. i, { on_status = add })
        working = working - 1
      end)
    end
    local other = minimax.new { base_url = STORAGE, api_key = "sk-loops" }
    bytes = assert(other:download(STORAGE .. "/video", PATH)).bytes
    other:close()
    working = working - 1
  end

  local function round(work)
    began, slot, missed, over, working, answers, bytes = socket.gettime(), 0, 0, false, 1, 0, 0
    run(work)
    os.remove(PATH)
    collectgarbage()
    return missed
  end

  for _ = 1, ROUNDS do
    local alone = round(function() working = 0 end)
    local busy = round(answers_and_downloads)
    print(("%d %d %.0f %.0f"):format(alone, busy, answers / now(), bytes / 1e6 / now()))
  end
]]

local function median(list)
  table.sort(list)
  return list[#list // 2 + 1]
end

local function measure(loop, queries, source, folder)
  local result = process.run {
    script = loop.script .. SCRIPT,
    args = { queries.url, source.url, folder:file "video.mp4", SECONDS, ROUNDS },
    timeout = ROUNDS * 4 * SECONDS + 60,
  }
  local alone, busy, rates = {}, {}, {}
  for one, two, answers, speed in result.out:gmatch "(%d+) (%d+) (%d+) (%d+)\n" do
    alone[#alone + 1], busy[#busy + 1] = math.tointeger(one), math.tointeger(two)
    rates[#rates + 1] = answers .. "/s + " .. speed .. " MB/s"
  end
  if #alone ~= ROUNDS then
    error(loop.name .. ": " .. result.err)
  end
  print(("%-8s of %d ticks missed alone: %s; under work: %s (%s)"):format(loop.name,
    SECONDS // 0.02, table.concat(alone, " "), table.concat(busy, " "), table.concat(rates, ", ")))
  return median(busy) <= median(alone)
end

local folder <close> = temp.folder()
local queries <close> = tasks.start { any = { "Processing" } }
-- It takes as long as a round.
local source <close> = wire.start { serve = storage.script { video = { {
  size = MEGABYTES * 1000000, piece = MEGABYTES * 1000000 * PAUSE // SECONDS | 0, pause = PAUSE,
} } } }
local well = true
for _, loop in ipairs(LOOPS) do
  if not arg[2] or arg[2] == loop.name then
    well = measure(loop, queries, source, folder) and well
  end
end
os.exit(well, true)
