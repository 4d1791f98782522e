--- Coroutines that are abandoned in the middle of a wait, one after the other:
--
--     lua spec/torture/abandon.lua [count] [case]
--
-- Prints, for each place in a wait's life and each kind of collector, the most
-- descriptors and memory there were in the first tenth and afterwards. Growth
-- after the first tenth, beyond what a collector leaves lying for a while (a
-- quarter of the heap), ends it with 1.

local process = require "spec.support.process"
local tasks = require "spec.support.tasks"

local COUNT = math.tointeger(tonumber(arg[1])) or 10000
local MORE_DESCRIPTORS = 16

local MODES = { "incremental", "generational" }
local CASES = {
  { name = "in flight, one client", id = "held" },
  { name = "asleep", id = "asleep", frames = 200 },
  { name = "asleep, in a big heap", id = "asleep", frames = 200, heap = 64 },
  { name = "in flight, in a big heap", id = "held", heap = 64 },
  { name = "in flight, eight clients", id = "held", clients = 8 },
  { name = "in flight, a client each", id = "held", own = true },
}

local SCRIPT = [[
  local URL, COUNT, MODE, ID, FRAMES, HEAP, CLIENTS, OWN = ...
  local fds = require "spec.support.fds"
  local host = require "spec.support.host"
  local minimax = require "minimax"
  collectgarbage(MODE)
  local ballast = {}
  for i = 1, tonumber(HEAP) * 1024 do
    ballast[i] = ("x"):rep(1000) .. i
  end
  collectgarbage()

  local function new_client()
    return minimax.new { base_url = URL, api_key = "sk-abandon", poll_interval = 3600 }
  end
  local clients = {}
  for i = 1, tonumber(CLIENTS) do
    clients[i] = new_client()
  end

  local function kib()
    local file <close> = assert(io.open "/proc/self/statm")
    file:read "n"
    return file:read "n" * 4
  end

  local function abandon(i)
    local client = OWN == "true" and new_client() or clients[i % #clients + 1]
    local co = coroutine.create(client.wait)
    local answered = false
    assert(coroutine.resume(co, client, ID .. i, { on_status = ID == "asleep" and function()
      answered = true
    end or nil }))
    for _ = 1, tonumber(FRAMES) do
      assert(coroutine.resume(co))
      if FRAMES == "1" or answered then break end
      host.sleep(0.1)
    end
  end

  local most_kib, most_fds, first_kib, first_fds = 0, 0, nil, nil
  for i = 1, tonumber(COUNT) do
    abandon(i)
    most_kib = math.max(most_kib, kib())
    most_fds = i % 10 == 0 and math.max(most_fds, fds.count()) or most_fds
    if i == COUNT // 10 then
      first_kib, first_fds = most_kib, most_fds
    end
  end
  print(first_kib, first_fds, most_kib, most_fds)
  print(#ballast)
]]

local api <close> = tasks.start { any = { "hang" } }
local sleeping <close> = tasks.start { any = { "Processing" } }
local well = true
for _, case in ipairs(CASES) do
  for _, mode in ipairs(case.name:find(arg[2] or "", 1, true) and MODES or {}) do
    local result = process.run { script = SCRIPT, timeout = 600, args = {
      case.id == "held" and api.url or sleeping.url, COUNT, mode, case.id, case.frames or 1,
      case.heap or 0, case.clients or 1, case.own or false } }
    local kib, fds, last_kib, last_fds = result.out:match "(%d+)\t(%d+)\t(%d+)\t(%d+)\n"
    if not kib then
      print(case.name, mode, result.err)
      well = false
    else
      print(("%-40s %-12s %6d KiB, %4d descriptors; later %+d KiB, %+d"):format(case.name, mode,
        kib, fds, last_kib - kib, last_fds - fds))
      well = well and last_kib - kib <= kib // 4 and last_fds - fds <= MORE_DESCRIPTORS
    end
  end
end
os.exit(well, true)
