--- Lets one allocation or system call after the other fail in each of the
-- module's calls:
--
--     lua spec/torture/memory.lua [every] [way] [case]
--     VALGRIND=1 lua spec/torture/memory.lua 7
--
-- `every` 7 takes each seventh one only (1: all). The ways: Lua's n-th allocation
-- (`lua`), all of 400 or 20 from the n-th on (`burst 400`), no more than n times 64
-- bytes (`limit`; `limit 40`: until that has failed so often), the n-th of the
-- module's own (`module malloc ENOMEM`) or of libcurl's (`libcurl malloc ENOMEM`),
-- and the n-th of each system call of either with each error that its manual page
-- names (`calls`; one of them: `module fsync EIO`). A crash, a hang, a descriptor
-- closed or left, a block left, a second POST, an accepted task that is lost, a wait
-- that libcurl's failure ended: each is printed and ends it with 1.

local starving = require "spec.support.starving"

local EVERY = math.tointeger(tonumber(arg[1])) or 1
local WAY, CASE = arg[2], arg[3]

local WAYS = { "lua", "burst 400", "burst 20", "limit", "module malloc ENOMEM",
  "libcurl malloc ENOMEM" }

local UNDER = os.getenv "VALGRIND" and { "valgrind", "--quiet", "--error-exitcode=9",
  "--leak-check=full", "--keep-debuginfo=yes", "--errors-for-leak-kinds=definite",
  "--show-leak-kinds=definite", "--suppressions=spec/support/valgrind.supp" }

local host <close> = starving.start()
local total = { runs = 0, wrong = 0 }

local function play(way)
  local runs, wrong = 0, 0
  for _, case in ipairs(CASE and { CASE } or starving.CASES) do
    local tried, findings = host:play(way, case, EVERY, UNDER)
    for _, finding in ipairs(findings) do
      print(("%s, %s: %s"):format(way, case, finding))
    end
    runs, wrong = runs + tried, wrong + #findings
  end
  print(("%-32s %6d failures, %d findings"):format(way, runs, wrong))
  io.stdout:flush()
  total.runs, total.wrong = total.runs + runs, total.wrong + wrong
end

-- "module fsync EIO" and the like, in order.
local function all_calls()
  local ways = {}
  for who, calls in pairs(starving.CALLS) do
    for name, errors in pairs(calls) do
      for error in errors:gmatch "%S+" do
        ways[#ways + 1] = ("%s %s %s"):format(who, name, error)
      end
    end
  end
  table.sort(ways)
  return ways
end

local function ways_of(name)
  if name == "calls" then
    return all_calls()
  elseif name then
    return { name }
  end
  return table.move(all_calls(), 1, #all_calls(), #WAYS + 1, { table.unpack(WAYS) })
end

for _, way in ipairs(ways_of(WAY)) do
  play(way)
end
print(("%d failures tried, %d findings"):format(total.runs, total.wrong))
os.exit(total.wrong == 0, true)
