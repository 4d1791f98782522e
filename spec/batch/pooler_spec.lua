-- A ledger behind a pooler, which lends a connection to each transaction.

local batch = require "minimax.batch"
local cluster = require "spec.support.cluster"
local database = require "minimax.batch.database"
local emulator = require "minimax.emulator"
local minimax = require "minimax"
local pooler = require "spec.support.pooler"
local temp = require "spec.support.temp"

describe("behind pgbouncer", function()
  local missing = pooler.missing()
  if missing then
    return pending(missing)
  end

  local server, direct

  lazy_setup(function()
    server = cluster.start()
    direct = assert(database.open("postgresql", server.address))
    assert(direct:run "SET client_min_messages = error")
  end)
  lazy_teardown(function()
    direct:close()
    server:close()
  end)
  before_each(function()
    assert(direct:run "DROP TABLE IF EXISTS minimax_jobs, minimax_budgets, minimax_ledger")
  end)

  local MODES = {
    ["in session mode"] = { pool_mode = "session" },
    ["in transaction mode"] = { pool_mode = "transaction", default_pool_size = 2,
      max_prepared_statements = 0 },
    ["in transaction mode, dealing the connections in turn"] = { pool_mode = "transaction",
      default_pool_size = 2, server_round_robin = 1, ignore_startup_parameters = "options",
      max_prepared_statements = 0 },
    ["in transaction mode, which knows prepared statements"] = { pool_mode = "transaction",
      default_pool_size = 2, max_prepared_statements = 50 },
  }

  local function settings_of(mode)
    local settings = {}
    for name, value in pairs(mode) do
      if name ~= "max_prepared_statements" or pooler.version() >= 1021 then
        settings[name] = value
      end
    end
    return settings
  end

  local function job(key)
    return { key = key, request = "{}", output = key .. ".mp4", kind = "template" }
  end

  for name, mode in pairs(MODES) do
    describe(name, function()
      local pool
      lazy_setup(function() pool = pooler.start(server, settings_of(mode)) end)
      lazy_teardown(function() pool:close() end)

      it("three workers do all jobs, and leave no prepared statement behind", function()
        local folder <close> = temp.folder()
        local emu = assert(emulator.start { seconds = 0.1, speed = 1 })
        local client = minimax.new { base_url = emu.base_url, api_key = emu.api_key }
        local adder <close> = assert(batch.open(pool.address, client))
        local jobs = {}
        for number = 1, 12 do
          jobs[number] = { key = "job" .. number, output = folder:file(number .. ".mp4"),
            request = { template_id = "394514820878671878", text_inputs = { "scene" } } }
        end
        assert.equal(12, adder:add(jobs))
        local reasons = {}
        minimax.run(function()
          for _ = 1, 3 do
            minimax.spawn(function()
              local b <close> = assert(batch.open(pool.address, client))
              local _, reason, err = b:run { poll_interval = 0.05, max_in_flight = 2, lease = 2,
                submit_rate = { 100, 1 } }
              reasons[#reasons + 1] = reason .. tostring(err or "")
            end)
          end
        end)
        assert.same({ "done", "done", "done" }, reasons)
        assert.equal(12, adder:status().downloaded)
        assert.equal(12, #emu:tasks())
        if not adder.ledger.db.keeps then
          local rows = adder.ledger:rows "SELECT statement FROM pg_prepared_statements"
          assert.equal(1, #rows)
        end
        client:close()
        emu:stop()
      end)

      it("an error leaves nothing behind, in a transaction or out of one", function()
        local b <close> = assert(batch.open(pool.address))
        local l = b.ledger
        assert.equal(1, l:add(job "a"))
        for _ = 1, 3 do
          assert.is_nil((l:run "nonsense"))
          assert.is_nil((l:run "INSERT INTO minimax_jobs (key) VALUES ('a')"))
          assert.is_nil((l:add_all(function(add)
            return add(job "b") and l:run "SELECT 1 / 0 AS x"
          end)))
          assert.equal(1, l:count().added)
        end
        assert.equal(2, l:add_all(function(add) return add(job "b") and add(job "c") end))
        assert.equal(3, l:count().added)
        if not l.db.keeps then
          assert.equal(1, #l:rows "SELECT statement FROM pg_prepared_statements")
        end
      end)
    end)
  end

  it("what is committed is on the disk and seen, whatever the server is used to", function()
    assert(direct:run "ALTER DATABASE postgres SET default_transaction_isolation = serializable")
    assert(direct:run "ALTER DATABASE postgres SET synchronous_commit = off")
    local pool <close> = pooler.start(server, settings_of(MODES["in transaction mode"]))
    local result = {}
    for index, where in ipairs { server.address, pool.address } do
      local b <close> = assert(batch.open(where))
      result[index] = b.ledger:row [[SELECT current_setting('transaction_isolation') AS isolation,
        current_setting('synchronous_commit') AS durable]]
    end
    assert(direct:run "ALTER DATABASE postgres RESET ALL")
    assert.same({ { isolation = "read committed", durable = "on" },
      { isolation = "read committed", durable = "on" } }, result)
  end)

  it("in statement mode it says what is not allowed", function()
    local pool <close> = pooler.start(server, { pool_mode = "statement" })
    local opened, err = batch.open(pool.address)
    assert.is_nil(opened)
    assert.matches("transaction blocks not allowed in statement pooling mode", err.message, 1, true)
  end)

  it("goes on after a restart of the pooler", function()
    local pool = pooler.start(server, { pool_mode = "transaction" })
    local b <close> = assert(batch.open(pool.address))
    local l = b.ledger
    assert.equal(1, l:add(job "a"))
    pool:stop()
    local counts, err = l:count()
    assert.is_nil(counts)
    assert.is_true(err.transient)
    pool:run()
    assert.equal(1, l:count().added)
    pool:close()
  end)
end)
