--- Cancels a call at each instant of its life, in each way, many times:
--
--     lua spec/torture/cancel.lua [rounds] [at] [by]
--
-- Prints how long one took at most, and what was left over. A call that took
-- more than 50 ms, or a descriptor that is left, ends it with 1.

local instants = require "spec.support.instants"

local ROUNDS = math.tointeger(tonumber(arg[1])) or 1000
local LIMIT = 0.05

local places <close> = instants.places()
local well = true

for _, at in ipairs(arg[2] and { arg[2] } or instants.when) do
  for _, by in ipairs(arg[3] and { arg[3] } or instants.how) do
    local result = places:cancel { at = at, by = by, rounds = ROUNDS }
    print(("%-10s %-8s %5d times: at most %5.1f ms, %d descriptors left, %+d KiB"):format(at, by,
      ROUNDS, result.longest * 1000, result.descriptors, result.kib))
    well = well and result.longest <= LIMIT and result.descriptors == 0
  end
end
os.exit(well, true)
