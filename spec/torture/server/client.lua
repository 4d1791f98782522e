--- The client's process: goes through cases, each from a seed of its own, and
-- prints what broke.
--
--     client.lua <folder> <first seed> <cases> <seconds> <corpus> <url> <ca_file> <proxy>...
--
-- A case that took too long is played twice more: it counts if it does each time.

local case = require "spec.torture.server.case"
local fds = require "spec.support.fds"
local minimax = require "minimax"
local peer = require "spec.torture.server.peer"
local picture = require "spec.support.picture"
local plan = require "spec.torture.server.plan"
local socket = require "socket"

-- The first cases open what stays open, and fill what stays filled.
local WARM = 30
local GROWTH_KB = 400

local folder, first, count, seconds, corpus = table.unpack(arg)
local world = { folder = folder, places = {}, tally = {} }
world.corpus, world.http = peer.load_corpus(corpus)
for i = 6, #arg, 3 do
  table.insert(world.places, { url = arg[i], ca_file = arg[i + 1] ~= "" and arg[i + 1] or nil,
    proxy = arg[i + 2] ~= "" and arg[i + 2] or nil })
end

local function tell(seed, what, err)
  print(("FINDING %d %s: %s"):format(seed, what, err:gsub("[\r\n]+", " | ")))
  io.stdout:flush()
end

-- What the parent holds for the servers of other clients is no matter of ours.
local function left_since(before)
  local left = {}
  for _, entry in ipairs(fds.since(before)) do
    if not entry:find "/orders" then
      left[#left + 1] = entry
    end
  end
  return left
end

-- Some versions of libcurl take up to two seconds to end TLS on a connection.
local function left_behind(before)
  local deadline, left = socket.gettime() + 3, nil
  collectgarbage()
  collectgarbage()
  repeat
    minimax.step(left and 0.05 or 0)
    left = left_since(before)
  until #left == 0 or socket.gettime() > deadline
  return left
end

local function play(seed)
  local what, err, late = case.play(seed, 0, world)
  for again = 1, late and 2 or 0 do
    what, err, late = case.play(seed, again, world)
    if not late then
      break
    end
  end
  if err then
    tell(seed, what, err)
  end
  return what
end

local file = assert(io.open(folder .. "/pet.png", "wb"))
file:write(picture.png(), "\0\0\0\0IEND\xae\x42\x60\x82")
file:close()
for i = 1, 15 do
  plan.versions(i) -- they are kept
end
local deadline = socket.gettime() + seconds
local done, kilobytes = 0, nil
for seed = first, first + count - 1 do
  if socket.gettime() > deadline then
    break
  end
  local before = fds.list()
  local what = play(math.tointeger(seed))
  local left = left_behind(before)
  done = done + 1
  if done > WARM and #left > 0 then
    tell(seed, what, "left open: " .. table.concat(left, ", "))
  end
  if done == WARM then
    kilobytes = collectgarbage "count"
  end
end
local grown = collectgarbage "count" - (kilobytes or math.huge)
if grown > GROWTH_KB then
  tell(first, "all", ("%.0f KB more after %d cases"):format(grown, done))
end
for fate, times in pairs(world.tally) do
  print("FATE " .. times .. " " .. fate)
end
print("DONE " .. done)
os.exit(true, true)
