-- What a database refuses and passes by itself: a run waits for it. Each error is a
-- real server's.

local batch = require "minimax.batch"
local database = require "minimax.batch.database"
local emulator = require "minimax.emulator"
local ledgers = require "spec.support.ledgers"
local minimax = require "minimax"
local transient = require "minimax.batch.transient"
local process = require "spec.support.process"
local temp = require "spec.support.temp"

local kind = ledgers[2]

describe("an error of PostgreSQL", function()
  if kind.missing then
    return pending(kind.missing)
  end

  local db, other

  lazy_setup(kind.start)
  lazy_teardown(kind.stop)
  before_each(function()
    db = assert(database.open("postgresql", kind.new()))
    other = assert(database.open("postgresql", kind.server.address))
    assert(db:run "CREATE TEMPORARY TABLE own (key TEXT UNIQUE)")
    assert(db:run "SET client_min_messages = error")
    assert(other:run "SET client_min_messages = error")
    assert(other:run "DROP TABLE IF EXISTS shared")
    assert(other:run "CREATE TABLE shared AS SELECT 1 AS a")
  end)
  after_each(function()
    other:close()
    db:close()
  end)

  local function failing(sql)
    local rows, err = db:rows(sql)
    assert.is_nil(rows)
    return err
  end

  it("passes where others changed the same rows (40001)", function()
    assert(db:run "BEGIN ISOLATION LEVEL SERIALIZABLE")
    assert(db:rows "SELECT * FROM shared")
    assert(other:run "UPDATE shared SET a = 2")
    assert.is_true(failing("UPDATE shared SET a = 3").transient)
  end)

  it("passes where two wait for each other (40P01)", function()
    assert(db:run "SET deadlock_timeout = '10ms'")
    assert(db:run "BEGIN")
    assert(db:rows "SELECT pg_advisory_xact_lock(1)::text")
    local child <close> = process.start { command = { "psql", kind.server.address, "-c", "BEGIN",
      "-c", "SELECT pg_advisory_xact_lock(2)", "-c", "SELECT pg_advisory_xact_lock(1)" } }
    local deadline = os.time() + 30
    repeat
      assert(os.time() < deadline, "psql does not wait")
      local row = assert(other:row "SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted")
    until row.waiting == 1
    local err = failing "SELECT pg_advisory_xact_lock(2)::text"
    assert.matches("deadlock detected", err.message, 1, true)
    assert.is_true(err.transient)
    child:finish()
  end)

  it("passes where a lock or the time was not had (55P03, 57014)", function()
    assert(other:run "BEGIN")
    assert(other:run "UPDATE shared SET a = 2")
    assert(db:run "SET lock_timeout = '10ms'")
    assert.is_true(failing("UPDATE shared SET a = 3").transient)
    assert.is_true(failing("SELECT * FROM shared FOR UPDATE NOWAIT").transient)
    assert(other:run "COMMIT")
    assert(db:run "SET statement_timeout = '10ms'")
    assert.is_true(failing("SELECT pg_sleep(10)::text").transient)
  end)

  it("passes where the server takes no writes for now (25006)", function()
    assert(db:run "SET default_transaction_read_only = on")
    assert.is_true(failing("UPDATE shared SET a = 3").transient)
  end)

  it("passes where a newer worker has changed the tables, and is made good (0A000)", function()
    assert(db:rows "SELECT * FROM shared")
    assert(other:run "ALTER TABLE shared ADD COLUMN b TEXT")
    assert.is_true(failing("SELECT * FROM shared").transient)
    assert.equal(1, #db:rows "SELECT * FROM shared")
  end)

  it("passes not where it will be the same the next time", function()
    assert(db:run "INSERT INTO own VALUES ('a')")
    for _, sql in ipairs { "INSERT INTO own VALUES ('a')", "nonsense", "SELECT * FROM nowhere",
      "SELECT 'x'::integer", "SELECT 1 / 0 AS x" } do
      assert.is_false(failing(sql).transient, sql)
    end
  end)

  it("may pass where it is told in another language", function()
    assert.is_true(transient.is "FEHLER:  Verklemmung (Deadlock) entdeckt\n")
    assert.is_true(transient.is "ERREUR :  Bloquage mortel détecté\n")
    assert.is_false(transient.is "ERROR:  null value in column \"x\"\n")
    assert.is_false(transient.is "disk I/O error")
  end)

  it("that passes ends no run: a failover, a server that is used to serializable", function()
    local folder <close> = temp.folder()
    local emu = assert(emulator.start { seconds = 0.2, speed = 1 })
    local client = minimax.new { base_url = emu.base_url, api_key = emu.api_key }
    local where = kind.new()
    assert(other:run "ALTER DATABASE postgres SET default_transaction_isolation = serializable")
    local function fence(state)
      assert(other:run("ALTER SYSTEM SET default_transaction_read_only = " .. state))
      assert(other:rows "SELECT pg_reload_conf()")
    end
    local adder <close> = assert(batch.open(where, client))
    for number = 1, 12 do
      assert(adder:add { key = "job" .. number, output = folder:file(number .. ".mp4"),
        request = { template_id = "394514820878671878", text_inputs = { "scene" } } })
    end
    local submits, reasons = 0, {}
    minimax.run(function()
      for _ = 1, 2 do
        minimax.spawn(function()
          local b <close> = assert(batch.open(where, client))
          local _, reason, err = b:run { poll_interval = 0.05, max_in_flight = 3, lease = 1,
            on_event = function(event)
              submits = submits + (event.state == "submitting" and 1 or 0)
              if submits == 4 then
                fence "on" -- the intent is written, the id is not
                submits = submits + 1
                minimax.spawn(function()
                  minimax.sleep(1)
                  fence "off"
                end)
              end
            end }
          reasons[#reasons + 1] = reason .. tostring(err or "")
        end)
      end
    end)
    assert(other:run "ALTER DATABASE postgres RESET default_transaction_isolation")
    assert.same({ "done", "done" }, reasons)
    assert.equal(12, adder:status().downloaded)
    assert.equal(12, #emu:tasks())
    client:close()
    emu:stop()
  end)
end)
