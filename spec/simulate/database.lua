--- What stands in for LuaDBI: the same calls on a real SQLite in memory, or a real
-- PostgreSQL, with the night's faults before, in and after each statement.

local clock = require "spec.simulate.clock"

local database = {}

local GONE = "server closed the connection unexpectedly"

-- Statements --------------------------------------------------------------------

local Statement = {}
Statement.__index = Statement

-- All rows at once: only then has the statement ended.
local function run(real, ...)
  local ok, why = real:execute(...)
  if not ok then
    return nil, why
  end
  local rows = {}
  if #real:columns() > 0 then
    for row in real:rows(true) do
      rows[#rows + 1] = row
    end
  end
  return rows
end

-- Words that begin or end a transaction; others change nothing about it.
local INSIDE = { BEGIN = true, COMMIT = false, ROLLBACK = false }

local function is_writing(sql)
  return sql:find "UPDATE" or sql:find "INSERT"
end

-- The truth is told of what has changed.
local function tell(self, rows)
  local connection = self.connection
  local changed = self.sql:find "^COMMIT" or is_writing(self.sql)
    and (#rows > 0 or self.real:affected() > 0)
  if changed and not connection.inside then
    connection.night.truth:look(connection.process)
  end
end

-- What has to be known of a statement that is about to be done: a look for jobs
-- asks for one state.
local function begin(self, state)
  local connection = self.connection
  if self.sql:find("simulated", 1, true) then
    connection:set_clock()
  end
  if self.sql:find "WITH free" then
    local looked = connection.process.looked
    looked[state] = connection.night.clock.events
    looked.submitting = looked[state] -- that no look asks for
  end
end

-- What a statement has come to.
local function finish(self, rows)
  local word = INSIDE[self.sql:match "^%a+"]
  if word ~= nil then
    self.connection.inside = word
  end
  self.rows, self.at = rows, 0
  tell(self, rows)
end

function Statement:execute(...)
  local connection = self.connection
  local night, process = connection.night, connection.process
  if connection.gone then
    return false, GONE
  end
  night:hazard(process, not connection.inside)
  local why, is_end = night.faults:refusal(self.sql, connection.inside)
  if why then
    connection.gone = is_end
    return false, why
  end
  begin(self, (...))
  local rows
  rows, why = run(self.real, ...)
  if not rows then
    return false, why
  end
  finish(self, rows)
  if night.faults:loses_answer(connection.inside) then
    connection.gone = true
    return false, GONE
  end
  night:hazard(process, not connection.inside)
  return true
end

function Statement:columns()
  return self.real:columns()
end

function Statement:affected()
  return self.real:affected()
end

function Statement:fetch()
  self.at = self.at + 1
  return self.rows[self.at]
end

function Statement:close()
  if self.connection.statements[self] then
    self.connection.statements[self] = nil
    self.real:close()
  end
end

-- Connections -------------------------------------------------------------------

-- A statement that is left open would keep its connection from being closed.
local function at_once(real, sql)
  local statement = assert(real:prepare(sql))
  assert(statement:execute())
  statement:close()
end

local Connection = {}
Connection.__index = Connection

-- The night's time is the database's, where a statement asks for it.
function Connection:set_clock()
  local now, told = self.night:database_time(), self.own and self or self.night
  if now ~= told.told then
    told.told = now
    assert(self.setter:execute(("%.6f"):format(now)))
  end
end

-- The driver begins a transaction where it is told not to commit by itself.
function Connection:autocommit(on)
  if self.own and not self.closed then
    self.real:autocommit(on)
    self.inside = not on
  end
  return not self.gone
end

function Connection:ping()
  return not self.gone
end

-- What a database in memory says that it has no use for, and a file on a disk does.
local AS_ON_DISK = { ["PRAGMA journal_mode = WAL"] = "SELECT 'wal' AS journal_mode" }

function Connection:prepare(sql)
  if self.gone then
    return nil, GONE
  end
  local real, why = self.real:prepare(AS_ON_DISK[sql] or sql)
  if not real then
    return nil, why
  end
  local statement = setmetatable({ connection = self, sql = sql, real = real }, Statement)
  self.statements[statement] = true
  return statement
end

function Connection:rollback()
  if self.inside then
    self.real:rollback()
    self.inside = false
  end
end

--- Closes it; what was not committed is undone.
function Connection:close()
  if self.closed then
    return
  end
  for statement in pairs(self.statements) do
    statement.real:close()
  end
  self.statements = {}
  self:rollback()
  self.closed, self.gone = true, true
  self.setter:close()
  if self.own then
    self.real:close()
  else -- others have the same one
    at_once(self.real, "DROP TABLE IF EXISTS temp.minimax_staged")
  end
end

local function new(night, process, real, own, setter)
  local self = setmetatable({ night = night, process = process, real = real, own = own,
    statements = {}, setter = setter, inside = false }, Connection)
  process:at_end(function() self:close() end)
  return self
end

-- The lock of a run ----------------------------------------------------------------

local Lock = {}
Lock.__index = Lock

local function nothing()
  return true
end

Lock.autocommit, Lock.ping, Lock.rollback = nothing, nothing, nothing

local function release(night, process)
  if night.runner == process then
    night.runner = nil
  end
end

local function lock(night, process)
  process:at_end(function() release(night, process) end)
  return setmetatable({ night = night, process = process }, Lock)
end

function Lock:prepare(sql)
  return { close = nothing, affected = function() return 0 end, columns = function() return {} end,
    execute = function()
      if sql ~= "BEGIN EXCLUSIVE" then
        return true
      elseif self.night.runner then
        return false, "database is locked"
      end
      self.night.runner = self.process
      return true
    end }
end

function Lock:close()
  release(self.night, self.process)
end

-- Stores ----------------------------------------------------------------------------

--- A store in memory: all connections of a night are one.
function database.memory()
  require "dbd.sqlite3"
  local real = assert(package.loaded["dbd.sqlite3"].New ":memory:")
  real:autocommit(true)
  at_once(real, "CREATE TEMP TABLE simulated (now REAL)")
  at_once(real, "INSERT INTO simulated VALUES (0)")
  return {
    clock = "(SELECT now FROM temp.simulated)",
    observer = real,
    where = "ledger.db",
    close = function() real:close() end,
    connect = function(night, process, path)
      if path:find "%-run$" then
        return lock(night, process)
      end
      return new(night, process, real, false, real:prepare("UPDATE simulated SET now = ?"))
    end,
  }
end

-- No table of an earlier night is left; and none of this one's is to outlive it.
local EMPTY = { "SET client_min_messages = error", "ALTER SYSTEM SET fsync = off",
  "SELECT pg_reload_conf()", "DROP TABLE IF EXISTS minimax_jobs, minimax_budgets, minimax_ledger" }

local function empty(observer)
  for _, sql in ipairs(EMPTY) do
    at_once(observer, sql)
  end
end

--- A store of PostgreSQL.
-- @param address of a database that holds nothing of value
function database.server(address)
  require "dbd.postgresql"
  local driver = package.loaded["dbd.postgresql"]
  local observer = assert(driver.New(address))
  observer:autocommit(true)
  empty(observer)
  return {
    clock = "(current_setting('simulated.now')::double precision)",
    observer = observer,
    where = address,
    close = function() observer:close() end,
    connect = function(night, process, ...)
      local real, why = driver.New(...)
      if not real then
        return nil, why
      end
      real:autocommit(true)
      return new(night, process, real, true,
        assert(real:prepare("SELECT set_config('simulated.now', ?::text, false)")))
    end,
  }
end

--- The module DBI of a night's code.
-- @param here a function that returns the night
function database.module(here)
  return { Connect = function(_, ...)
    local night = here()
    local why = night.faults:refusal("connect", false)
    if why then
      return nil, "could not connect: " .. why
    end
    return night.store.connect(night, clock.process_here(), ...)
  end }
end

return database
