--- Cancels a call at each instant of its life, in each way, many times:
--
--     lua spec/torture/cancel.lua [rounds] [at] [by]
--     VALGRIND=1 lua spec/torture/cancel.lua 100
--
-- Prints how long one took at most, and what was left over; a name lookup takes
-- three seconds there. A call that took more than 50 ms (except under valgrind),
-- a descriptor that is left, more than 8 threads of name lookups of one state, an
-- error or a leak that valgrind finds end it with 1.

local instants = require "spec.support.instants"

local ROUNDS = math.tointeger(tonumber(arg[1])) or 1000
local LIMIT = 0.05
local MOST_THREADS = 8

local LEAKS = "definite,indirect,possible"
local UNDER = os.getenv "VALGRIND" and { "valgrind", "--quiet", "--error-exitcode=9",
  "--leak-check=full", "--keep-debuginfo=yes", "--show-leak-kinds=" .. LEAKS,
  "--errors-for-leak-kinds=" .. LEAKS, "--suppressions=spec/support/valgrind.supp" }

local places <close> = instants.places()
local well = true

for _, at in ipairs(arg[2] and { arg[2] } or instants.when) do
  for _, by in ipairs(arg[3] and { arg[3] } or instants.how) do
    local ran, result = pcall(places.cancel, places,
      { at = at, by = by, rounds = ROUNDS, under = UNDER })
    if ran then
      print(("%-10s %-8s %5d times: at most %5.1f ms, %d descriptors left, %d threads, %+d KiB")
        :format(at, by, ROUNDS, result.longest * 1000, result.descriptors, result.threads,
          result.kib))
      well = well and (UNDER or result.longest <= LIMIT) and result.descriptors == 0
        and (by == "state" or result.threads <= MOST_THREADS)
    else
      print(result)
      well = false
    end
    io.stdout:flush()
  end
end
os.exit(well, true)
