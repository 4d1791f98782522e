--- Downloads from a storage host that answers at random, again and again:
--
--     lua spec/torture/storage.lua [rounds] [seed]
--
-- Prints how the rounds ended. A file that is not, byte for byte, one version of
-- what was asked for ends it with 1.

local downloads = require "spec.support.downloads"

local ROUNDS = math.tointeger(tonumber(arg[1])) or 5000
local SEED = math.tointeger(tonumber(arg[2])) or os.time()

print(("%d rounds, seed %d"):format(ROUNDS, SEED))
local began = os.time()
local tally = downloads.run { rounds = ROUNDS, seed = SEED, workers = 16 }
print(("%d whole files, %d of them resumed, %d to functions"):format(tally.whole, tally.resumed,
  tally.given))
print(("%d calls failed, %d files absent; %d s"):format(tally.failed, tally.absent,
  os.time() - began))
