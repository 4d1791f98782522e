--- A thousand tasks at a server that allows 120 queries and 20 submits a minute,
-- in time that runs 60 times as fast:
--
--     lua spec/torture/limits.lua [tasks] [factor]
--
-- Prints how many tasks ended, how many requests were answered with a limit after
-- the first minute, and how long it took beside what the limits allow. A task
-- lost, more than 1 % of limits or more than 10 % of time lost ends it with 1.

local limits = require "spec.support.limits"

local TASKS = math.tointeger(tonumber(arg[1])) or 1000
local FACTOR = math.tointeger(tonumber(arg[2])) or 60
local SUBMITS, QUERIES = 20, 120 -- a minute
local SECONDS = 60 -- that a task takes

local api <close> = limits.start { factor = FACTOR, submits = SUBMITS, queries = QUERIES,
  seconds = SECONDS, timeout = 300 + TASKS * 6 // FACTOR }
local ended, seconds = api:run(([[
  local began = posix.now()
  local ended = 0
  for _ = 1, %d do
    minimax.spawn(function()
      local task = assert(client:submit { template_id = "1" })
      assert(client:wait(task, { timeout = false }))
      ended = ended + 1
    end)
  end
  minimax.run()
  print(ended, posix.now() - began)
]]):format(TASKS)):match("^(%d+)\t(%S+)\n$")

local function count(outcome, method, since)
  return #api:times(method, outcome, since)
end

local limited, all = 0, 0
for _, method in ipairs { "POST", "GET" } do
  local late, fine = count("limited", method, 60), count("fine", method, 60)
  print(("%-4s %5d answered, %3d with a limit in the first minute and %3d later"):format(method,
    count("fine", method), count("limited", method) - late, late))
  limited, all = limited + late, all + late + fine
end
local least = ((TASKS - 1) // SUBMITS) * 60 + SECONDS
local share, lost = limited / all, seconds / least - 1
print(("%d of %d tasks ended; %.2f %% of the requests after the first minute met a limit; "
  .. "%.0f s where the limits allow %.0f: %+.1f %%"):format(ended, TASKS, share * 100, seconds,
  least, lost * 100))
os.exit(tonumber(ended) == TASKS and count("fine", "POST") == TASKS and share <= 0.01
  and lost <= 0.1, true)
