--- A ledger on a PostgreSQL that is not made for it, 200 jobs by 3 workers in each:
--
--     lua spec/torture/postgresql.lua [scene] [jobs]
--
-- `serializable`: the server's default isolation. `failover`: for 5 seconds it
-- takes no writes. `session`, `transaction`: behind pgbouncer in that mode, in the
-- latter with 2 connections for all. `known`: the same where pgbouncer knows prepared
-- statements (1.21 or later). `killed`: pgbouncer dies three times, and comes back
-- after two seconds. Without a scene, all of them. A job that is not paid once,
-- a video that is not whole, or a worker that does not say `done` ends it with 1.

local cluster = require "spec.support.cluster"
local database = require "minimax.batch.database"
local killed_batch = require "spec.support.killed_batch"
local minimax = require "minimax"
local pooler = require "spec.support.pooler"

local JOBS = math.tointeger(tonumber(arg[2])) or 200
local WORKERS = 3

local function say(...)
  print(string.format(...))
end

-- What a worker printed of its end, and how often it told why it waits.
local function end_of(result)
  local words = result.out:match "end\t[^\n]*" or "no end: " .. result.err
  local _, waits = result.out:gsub("warning\t", "")
  return words, waits
end

-- Works off the jobs.
-- @param meanwhile what happens in the middle
local function work(where, meanwhile)
  local n <close> = killed_batch.begin { where = where, jobs = JOBS, seconds = 0.5,
    run = { poll_interval = 0.2, max_in_flight = 10, lease = 10, submit_rate = { 30, 1 } } }
  local began, workers, well = os.time(), {}, true
  for index = 1, WORKERS do
    workers[index] = n:worker()
  end
  if meanwhile then
    minimax.sleep(1.5)
    meanwhile()
  end
  for index = 1, WORKERS do
    local words, waits = end_of(workers[index]:finish())
    say("  worker %d: %s, %d warnings", index, words, waits)
    well = well and words:find("^end\tdone") ~= nil
  end
  local balance = n:balance()
  say("  %d jobs in %d s: %d paid, %d of them twice, %d whole, %d downloaded", JOBS,
    os.time() - began, balance.tasks, balance.twice, balance.whole, balance.counts.downloaded)
  return well and balance.tasks == JOBS and balance.twice == 0 and balance.whole == JOBS
    and balance.counts.downloaded == JOBS
end

local scenes = {}

local function ask(server, ...)
  local db = assert(database.open("postgresql", server.address))
  for _, sql in ipairs { ... } do
    assert(db:run(sql))
  end
  db:close()
end

function scenes.serializable(server)
  ask(server, "ALTER DATABASE postgres SET default_transaction_isolation = serializable")
  return work(server.address)
end

function scenes.failover(server)
  return work(server.address, function()
    ask(server, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    minimax.sleep(5)
    ask(server, "ALTER SYSTEM SET default_transaction_read_only = off", "SELECT pg_reload_conf()")
  end)
end

local function behind(server, settings, meanwhile)
  local pool <close> = pooler.start(server, settings)
  return work(pool.address, meanwhile and function()
    meanwhile(pool)
  end)
end

function scenes.session(server)
  return behind(server, { pool_mode = "session" })
end

local knows = pooler.missing() == nil and pooler.version() >= 1021

function scenes.transaction(server)
  return behind(server, { pool_mode = "transaction", default_pool_size = 2,
    max_prepared_statements = knows and 0 or nil })
end

function scenes.known(server)
  if not knows then
    say "  left out: this pgbouncer knows no prepared statements"
    return true
  end
  return behind(server, { pool_mode = "transaction", default_pool_size = 2,
    max_prepared_statements = 50 })
end

function scenes.killed(server)
  return behind(server, { pool_mode = "transaction", default_pool_size = 2,
    max_prepared_statements = knows and 0 or nil }, function(pool)
    for _ = 1, 3 do
      pool:stop()
      minimax.sleep(2)
      pool:run()
      minimax.sleep(1)
    end
  end)
end

local missing = pooler.missing()
if missing then
  print(missing)
  os.exit(1, true)
end
local well = true
for _, name in ipairs { "serializable", "failover", "session", "transaction", "known",
  "killed" } do
  if (arg[1] or name) == name then
    say("%s", name)
    local server <close> = cluster.start()
    well = scenes[name](server) and well
  end
end
say(well and "all is well" or "SOMETHING WENT WRONG")
os.exit(well and 0 or 1, true)
