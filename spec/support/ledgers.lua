--- The two kinds of ledger, for specs that hold for both.
--
--     for _, kind in ipairs(ledgers) do
--       describe("on " .. kind.name, function()
--         if kind.missing then return pending(kind.missing) end
--         lazy_setup(kind.start)
--         lazy_teardown(kind.stop)
--         it("…", function()
--           local where = kind.new() -- the address of an empty ledger

local cluster = require "spec.support.cluster"
local temp = require "spec.support.temp"
local database = require "minimax.batch.database"

local sqlite = { name = "SQLite" }

function sqlite.start()
  sqlite.folder, sqlite.count = temp.folder(), 0
end

function sqlite.stop()
  sqlite.folder:close()
end

function sqlite.new()
  sqlite.count = sqlite.count + 1
  return sqlite.folder:file("ledger" .. sqlite.count .. ".db")
end

local postgresql = { name = "PostgreSQL", missing = cluster.missing() }

function postgresql.start()
  postgresql.server = cluster.start()
end

function postgresql.stop()
  postgresql.server:close()
end

function postgresql.new()
  local db <close> = assert(database.open("postgresql", postgresql.server.address))
  assert(db:run "SET client_min_messages = error")
  assert(db:run "DROP TABLE IF EXISTS minimax_jobs, minimax_budgets, minimax_ledger")
  return postgresql.server.address
end

return { sqlite, postgresql }
