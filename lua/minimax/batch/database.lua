--- A connection through LuaDBI: statements prepared once, rows as tables, every
-- failure as `nil, err`. It works around what LuaDBI does to the unwary: a
-- failed statement must be closed, rows must be read to their end, parameters
-- must live as long as that, `commit` doesn't tell of failures, and its numbers
-- for PostgreSQL go by the locale of the program: one with a fraction is written
-- here, and read as text where that matters.
--
-- Behind a pooler, a connection is only lent to a transaction: what stays (prepared
-- statements, settings) would be somebody else's. `on_connect` finds that out, and
-- sets
--
--     pooled    there is a pooler
--     keeps     prepared statements stay all the same
--     settings  statements that each transaction begins with
--
-- `numbers` names columns that come as text and are numbers.

local fault = require "minimax.batch.fault"
local json = require "minimax.common.json"
local transient = require "minimax.batch.transient"

local database = {}
database.__index = database

local PACKAGES = {
  sqlite3 = { driver = "SQLite3", rock = "luadbi-sqlite3", debian = "lua-dbi-sqlite3" },
  postgresql = { driver = "PostgreSQL", rock = "luadbi-postgresql", debian = "lua-dbi-postgresql",
    by_locale = true },
}

local function find_driver(name)
  local package = PACKAGES[name]
  local found, DBI = pcall(require, "DBI")
  if found and pcall(require, "dbd." .. name) then
    return function(...) return DBI.Connect(package.driver, ...) end
  end
  return nil, fault.new("io", "LuaDBI is not installed for this Lua: it is the rock %s, "
    .. "on Debian the package %s", package.rock, package.debian)
end

--- Opens a connection.
-- @param name "sqlite3" or "postgresql"
-- @param where a path or an address; or a list, of which the first counts that can be
--   reached
-- @param on_connect function(self), called after each connecting; nil: none. It returns
--   true; or nil and an error
function database.open(name, where, on_connect)
  local connect, why = find_driver(name)
  if not connect then
    return nil, why
  end
  local self = { connect = connect, where = type(where) == "table" and where or { where },
    on_connect = on_connect, keeps = true, numbers = {}, statements = {},
    by_locale = PACKAGES[name].by_locale }
  setmetatable(self, database)
  local ok
  ok, why = self:reconnect()
  if not ok then
    self:close()
    return nil, why
  end
  return self
end

local WORDS_OF_DRIVERS = {
  "^Failed to connect to database: ", "^Execute failed ", "^Fetch failed ",
  "^Error preparing statement handle: ", "^Error executing statement parameters: ",
}

-- What a database says, without the driver's words around it.
local function said(why)
  why = tostring(why):gsub("^[^:]*%.lua:%d+: ", "")
  for _, words in ipairs(WORDS_OF_DRIVERS) do
    why = why:gsub(words, "")
  end
  return why
end

-- The same in one line.
local function plain(why)
  why = said(why):gsub("^ERROR:%s+", ""):gsub("%s+", function(blanks)
    return blanks:find("\n", 1, true) and " "
  end)
  return why:match("^.*[^ ]") or ""
end

-- A failed statement would fail once more, and hold its locks until then.
local function forget(self, sql)
  local statement = self.statements[sql]
  self.statements[sql] = nil
  if statement then
    pcall(statement.close, statement)
  end
end

local function forget_all(self)
  for sql in pairs(self.statements) do
    forget(self, sql)
  end
end

-- Statements go before their connection: they point to it.
local function shut(self)
  forget_all(self)
  self.handle:close()
  self.handle = nil
end

-- Reaches the first of the places that can be reached.
local function connect(self)
  local handle, why
  for index = 1, #self.where do
    handle, why = self.connect(self.where[index])
    if handle then
      return handle
    end
  end
  local err = fault.new("io", "%s", plain(why))
  err.transient, err.unreached = true, true
  return nil, err
end

--- Connects, for the first time or once more.
-- @return true; or nil and an error
function database:reconnect()
  if self.handle then
    shut(self)
  end
  local handle, err = connect(self)
  if not handle then
    self.lost = true
    return nil, err
  end
  handle:autocommit(true) -- transactions are begun by hand
  self.handle, self.lost = handle, false
  if not self.on_connect then
    return true
  end
  local ok
  ok, err = self:on_connect()
  self.lost = not ok
  return ok, err
end

local function prepare(self, sql)
  local statement = self.statements[sql]
  if statement then
    return statement
  end
  local why
  statement, why = self.handle:prepare(sql)
  if not statement then
    error(why, 0)
  end
  self.statements[sql] = statement
  return statement
end

-- The values with their fractions as text.
local function in_text(...)
  local values = table.pack(...)
  for index = 1, values.n do
    if math.type(values[index]) == "float" then
      values[index] = json.number(values[index])
    end
  end
  return table.unpack(values, 1, values.n)
end

local function execute(self, sql, ...)
  local statement = prepare(self, sql)
  local ok, why
  if self.by_locale then
    ok, why = statement:execute(in_text(...))
  else
    ok, why = statement:execute(...)
  end
  if not ok then
    error(why, 0)
  end
  return statement
end

local function fetch(self, sql, ...)
  local statement = execute(self, sql, ...)
  local rows = {}
  if #statement:columns() > 0 then
    local row = statement:fetch(true)
    while row do
      for name in pairs(self.numbers) do
        row[name] = tonumber(row[name]) or row[name]
      end
      rows[#rows + 1] = row
      row = statement:fetch(true)
    end
  end
  return rows
end

local function change(self, sql, ...)
  return execute(self, sql, ...):affected()
end

-- Transactions --------------------------------------------------------------------

-- The driver itself begins one where there is a pooler: a statement that does would
-- be prepared on one connection and executed on another.
local function begin(self, sql)
  if not self.pooled then
    return change(self, sql)
  elseif not self.handle:autocommit(false) then
    error("the connection is lost", 0)
  end
  for _, setting in ipairs(self.settings) do
    change(self, setting)
  end
end

-- Gives the connection back as it was.
local function hand_back(self)
  if not self.keeps then
    change(self, "DEALLOCATE ALL")
    forget_all(self)
  end
  self.handle:autocommit(true)
end

-- The chained transaction is on the same connection still.
local function finish(self, word)
  if not self.pooled then
    return change(self, word)
  end
  change(self, word .. " AND CHAIN")
  hand_back(self)
end

-- Does it in a transaction of its own where a statement can't stand alone.
local function alone(self, work, ...)
  if self.inside or not self.pooled or self.keeps and not self.settings[1] then
    return work(self, ...)
  end
  begin(self)
  local ok, result = pcall(work, self, ...)
  if not ok then
    pcall(finish, self, "ROLLBACK")
    error(result, 0)
  end
  finish(self, "COMMIT")
  return result
end

-- After a failure. libpq learns of a connection's end by the second request on it.
-- To roll back is harmless: where there is a transaction, it has failed.
local function abort(self)
  if self.pooled then
    self.handle:autocommit(false) -- PostgreSQL warns of a ROLLBACK for nothing
    self.handle:autocommit(true)
  else
    self.handle:rollback()
  end
  self.lost = not self.handle:ping()
  if not self.keeps then
    forget_all(self)
  end
end

-- @return what a failure means
local function failure(self, why)
  if tostring(why):find("interrupted!", 1, true) then -- Ctrl-C is no error of the ledger
    error(why, 0)
  end
  local err = fault.new("io", "the ledger: %s", plain(why))
  err.transient = self.lost or transient.is(said(why))
  return err
end

local function guarded(self, work, ...)
  if self.closed then
    return nil, fault.new("io", "the ledger is closed")
  end
  if self.lost and not self.inside then
    local ok, err = self:reconnect()
    if not ok then
      return nil, err
    end
  end
  local ok, result = pcall(work, self, ...)
  if ok then
    return result or true
  end
  abort(self)
  return nil, failure(self, result)
end

-- A statement that has failed is prepared anew.
local function fresh(self, work, sql, ...)
  local ok, result = pcall(work, self, sql, ...)
  if not ok then
    forget(self, sql)
    error(result, 0)
  end
  return result
end

--- Runs a statement that gives rows.
-- @return a list of tables by column name; or nil and an error, which is `transient`
--   where the connection is gone or another process writes just now, see
--   `transient.lua`: to repeat what is safe to repeat may help
function database:rows(sql, ...)
  return guarded(self, alone, fresh, fetch, sql, ...)
end

--- The first row; nil where there is none, nil and an error where it failed.
function database:row(sql, ...)
  local rows, err = self:rows(sql, ...)
  return rows and rows[1], err
end

--- Runs a statement that gives none.
-- @return how many rows it changed; or nil and an error
function database:run(sql, ...)
  return guarded(self, alone, fresh, change, sql, ...)
end

-- One question in a transaction, which the answer tells how to end.
local function learn(self, sql, judge)
  self.pooled, self.settings = true, {}
  begin(self)
  judge(self, fetch(self, sql)[1])
  hand_back(self)
  forget(self, sql)
end

--- Asks who is on the other side: for `on_connect`.
-- @param judge function(self, row), which sets `pooled`, `keeps` and `settings`
-- @return true; or nil and an error
function database:ask(sql, judge)
  local ok, why = pcall(learn, self, sql, judge)
  if ok then
    return true
  end
  abort(self)
  return nil, failure(self, why)
end

--- Does the work in a transaction: all of it, or nothing where it returns nil or
-- false, or raises.
-- @param how it begins ("BEGIN IMMEDIATE")
-- @return what the work returned; or nil and an error
function database:transaction(how, work, ...)
  local ok, err = guarded(self, begin, how)
  if not ok then
    return nil, err
  end
  self.inside = true
  local results = table.pack(pcall(work, ...))
  if results[1] and results[2] then
    ok, err = guarded(self, finish, "COMMIT")
    if ok then
      self.inside = false
      return table.unpack(results, 2, results.n)
    end
  end
  guarded(self, finish, "ROLLBACK")
  self.inside = false
  if not results[1] then
    error(results[2], 0)
  end
  return nil, err or results[3]
end

--- Closes it; a second call does nothing.
function database:close()
  self.closed = true
  if self.handle then
    shut(self)
  end
end

database.__close = database.close

return database
