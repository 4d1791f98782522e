--- Plays a night on one of three ledgers, by a seed:
--
--   sqlite      SQLite in memory, one worker at a time
--   shared      the same, as if many workers could share it: quick
--   postgresql  a server; several workers

local code = require "spec.simulate.code"
local database = require "spec.simulate.database"
local night = require "spec.simulate.night"

local sqlite = code.require "minimax.batch.sqlite"
local postgresql = code.require "minimax.batch.postgresql"

-- What the dialect of SQLite is for one worker, and for many.
local ALONE = { shared = false, lock = sqlite.lock, reserve = sqlite.reserve }
local MANY = { shared = true, lock = postgresql.lock, reserve = postgresql.reserve }

local function in_memory(nature)
  return function()
    for name, value in pairs(nature) do
      sqlite[name] = value
    end
    local store = database.memory()
    sqlite.clock = store.clock
    return store
  end
end

local function on_server(address)
  local store = database.server(address)
  postgresql.clock = store.clock
  return store
end

local STORES = { sqlite = in_memory(ALONE), shared = in_memory(MANY), postgresql = on_server }

--- @param kind of ledger
-- @param seed an integer
-- @param options `trace` (function(line)), `address` (of a PostgreSQL database that
--   holds nothing of value)
-- @return a list of the rules that were broken; and a number that tells the night
--   from others
return function(kind, seed, options)
  options = options or {}
  local store = STORES[kind](options.address)
  local played = night.new(seed, store, { shared = kind ~= "sqlite", trace = options.trace })
  local broken, mark = played:play()
  store.close()
  return broken, mark
end
