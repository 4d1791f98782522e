--- Plays nights: `make simulate SEED=1 NIGHTS=1000 LEDGER=sqlite|shared|postgresql`.
-- A night in which a rule is broken is told with its seed, which plays it again.

local play = require "spec.simulate.play"

local function given(name, default)
  local value = os.getenv(name)
  return value and value ~= "" and value or default
end

local seed, nights = tonumber(given("SEED", 1)), tonumber(given("NIGHTS", 1))
local kind = given("LEDGER", "sqlite")
local options = { trace = nights == 1 and print or nil }

local server <close> = kind == "postgresql" and require "spec.support.cluster".start() or nil
options.address = server and server.address

io.stdout:setvbuf "line"
local began, count = os.time(), 0
for number = seed, seed + nights - 1 do
  local broken, mark = play(kind, number, options)
  count = count + (broken[1] and 1 or 0)
  if broken[1] then
    print(("seed %d: %s"):format(number, broken[1]))
  elseif nights == 1 then
    print(("seed %d: all is well (%016x)"):format(number, mark))
  end
end
print(("%d nights, %d broken, %d s"):format(nights, count, os.time() - began))
os.exit(count == 0, true)
