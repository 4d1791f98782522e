--- Nights with a batch, each with its figures:
--
--     lua spec/torture/batch.lua kills sqlite|postgresql [jobs kills seed]
--     lua spec/torture/batch.lua workers [jobs kills seed]
--     lua spec/torture/batch.lua scale
--
-- `kills`: one worker, killed and started again at random instants. `workers`:
-- four of them on PostgreSQL, killed at random, PostgreSQL stopped in the middle.
-- `scale`: 100,000 jobs in a file. Anything lost or paid twice ends it with 1.

local batch = require "minimax.batch"
local cluster = require "spec.support.cluster"
local emulator = require "minimax.emulator"
local minimax = require "minimax"
local killed_batch = require "spec.support.killed_batch"
local socket = require "socket"
local temp = require "spec.support.temp"

local function say(...)
  print(string.format(...))
end

local function finish(n, adopted, again)
  repeat
    local result = n:worker():finish()
    say("run: %s %s", result.out:match "end\t[^\n]*", result.err)
    local a, t = n:settle()
    adopted, again = adopted + a, again + t
    n:count_fetches()
  until a + t == 0
  say("unknown settled: %d adopted (the task existed), %d tried again (none did)", adopted, again)
end

-- Prints what came of it; whether all is well.
local function judge(n)
  local balance = n:balance()
  local jobs = n.options.jobs
  say("jobs %d, downloaded %d; tasks paid at the server %d, twice %d; videos whole %d, "
    .. "fetched again once whole %d; stray ids %d", jobs, balance.counts.downloaded,
    balance.tasks, balance.twice, balance.whole, balance.fetched_again, balance.strays)
  return balance.tasks == jobs and balance.twice == 0 and balance.whole == jobs
    and balance.fetched_again == 0 and balance.counts.downloaded == jobs
end

-- How long the next worker lives: neither the jobs nor the kills are to run out
-- before the others, however fast the machine is. So the limit follows.
local function random_life(n, kills)
  local b <close> = n:open()
  local done = b:status().downloaded / n.options.jobs
  local ahead = done > 0.9 * #n.kills / kills
  n.life = math.min(math.max((n.life or 0.1) * (ahead and 0.8 or 1.25), 0.005), 0.4)
  return math.random() * n.life
end

local scenes = {}

function scenes.kills(kind, jobs, kills)
  local server <close> = kind == "postgresql" and cluster.start() or nil
  local n <close> = killed_batch.begin { where = server and server.address, jobs = jobs,
    seconds = 0.3, run = { poll_interval = 0.15, max_in_flight = 10, lease = 0.5 } }
  local adopted, again = 0, 0
  while #n.kills < kills do
    if n:kill_after(random_life(n, kills)) then -- it had ended: all the rest is unknown
      local a, t = n:settle()
      adopted, again = adopted + a, again + t
      assert(a + t > 0, "the night was too short for so many kills")
    end
    local strange = n:unexplained()
    assert(not strange[1], "unknown, and no kill met its submit: " .. table.concat(strange, " "))
  end
  say("killed %d times with SIGKILL; submits under way at each kill, unknown from then on:", kills)
  say("%s", table.concat(n.kills, " "))
  finish(n, adopted, again)
  return judge(n)
end

-- The most submits in any window, by the seconds of their arrival.
local function most_in(times, window)
  local most = 0
  for first = 1, #times do
    local last = first
    while times[last + 1] and times[last + 1] - times[first] < window do
      last = last + 1
    end
    most = math.max(most, last - first + 1)
  end
  return most
end

local RATE = { 60, 5 }

function scenes.workers(jobs, kills)
  local server <close> = cluster.start()
  local n <close> = killed_batch.begin { where = server.address, jobs = jobs, seconds = 0.5,
    run = { poll_interval = 0.2, max_in_flight = 10, lease = 1, submit_rate = RATE } }
  local workers, started = {}, os.time()
  for index = 1, 4 do
    workers[index] = n:worker()
  end
  for kill = 1, kills do
    minimax.sleep(math.random() * 0.6)
    local index = math.random(4)
    killed_batch.kill(workers[index])
    workers[index]:finish()
    workers[index] = n:worker()
    if kill == kills // 3 or kill == 2 * kills // 3 then
      local mode = kill == kills // 3 and "immediate" or "fast"
      server:down(mode)
      minimax.sleep(1)
      server:up()
      say("PostgreSQL stopped (%s) for a second and started again", mode)
    end
  end
  for index = 1, 4 do
    local result = workers[index]:finish()
    say("worker %d: %s %s", index, result.out:match "end\t[^\n]*", result.err)
  end
  say("killed %d workers in %d s", kills, os.time() - started)
  local times = {}
  for _, entry in ipairs(n.emulator:requests { endpoint = "submit" }) do
    times[#times + 1] = entry.time
  end
  local most = most_in(times, RATE[2])
  say("joint budget %d submits in %d s: at most %d arrived in any such window", RATE[1], RATE[2],
    most)
  finish(n, 0, 0)
  return judge(n) and most <= 2 * RATE[1]
end

local function memory()
  local file <close> = assert(io.open "/proc/self/status")
  return tonumber(file:read("a"):match "VmRSS:%s*(%d+)") / 1024
end

local function timed(work, ...)
  local began = socket.gettime()
  local result = work(...)
  return socket.gettime() - began, result
end

-- Runs until so many are done; the memory at each five hundredth.
local function watch_memory(b, client, most)
  local done, seen = 0, {}
  local _, reason = b:run { poll_interval = 0.1, max_in_flight = 50, on_event = function(event)
    if event.state == "downloaded" then
      done = done + 1
      if done % 500 == 0 then
        collectgarbage()
        seen[#seen + 1] = memory()
      end
      if done == most then
        client:close()
      end
    end
  end }
  assert(reason == "cancelled", reason)
  return seen
end

function scenes.scale()
  local folder <close> = temp.folder()
  local emu <close> = assert(emulator.start { seconds = 0.1, speed = 1 })
  local client <close> = minimax.new { base_url = emu.base_url, api_key = emu.api_key }
  local b <close> = assert(batch.open(folder:file "ledger.db", client))
  local function job(number)
    return { key = "job-" .. number, output = folder:file(number .. ".mp4"), request = {
      template_id = "393769180141805569",
      text_inputs = { "Lion number " .. number .. " in the streets of a city at night" },
      media_inputs = { "https://example.com/images/" .. number .. ".jpg" } } }
  end
  local single = timed(function()
    for number = 1, 50000 do
      assert(b:add(job(number)))
    end
  end)
  local list = timed(function()
    for first = 50001, 100000, 1000 do
      local jobs = {}
      for number = first, first + 999 do
        jobs[#jobs + 1] = job(number)
      end
      assert(b:add(jobs))
    end
  end)
  say("add: %d a second one by one, %d a second in lists of 1,000", 50000 // single, 50000 // list)
  local times = {}
  for index = 1, 9 do
    times[index] = timed(b.status, b)
  end
  table.sort(times)
  say("status with %d jobs: %.1f ms (median), %.1f ms (worst)", b:status().total,
    times[5] * 1000, times[9] * 1000)
  local seen, shown = watch_memory(b, client, 4000), {}
  for index, megabytes in ipairs(seen) do
    shown[index] = string.format("%.1f", megabytes)
  end
  say("memory of a run, MB after each 500 jobs: %s", table.concat(shown, " "))
  return 50000 / single > 5000 and 50000 / list > 5000 and times[9] < 0.05
    and seen[#seen] - seen[2] < 2
end

local scene = arg[1]
math.randomseed(tonumber(arg[scene == "kills" and 5 or 4]) or 1)
local well
if scene == "kills" then
  well = scenes.kills(arg[2], tonumber(arg[3]) or 500, tonumber(arg[4]) or 200)
elseif scene == "workers" then
  well = scenes.workers(tonumber(arg[2]) or 500, tonumber(arg[3]) or 60)
elseif scene == "scale" then
  well = scenes.scale()
else
  error("what shall it be: kills, workers or scale?")
end
say(well and "all is well" or "SOMETHING WAS LOST")
os.exit(well and 0 or 1, true)
