--- A connection through LuaDBI: statements prepared once, rows as tables, every
-- failure as `nil, err`. It works around what LuaDBI does to the unwary: a
-- failed statement must be closed, rows must be read to their end, parameters
-- must live as long as that, `commit` doesn't tell of failures, and its numbers
-- for PostgreSQL go by the locale of the program: one with a fraction is written
-- here, and read as a whole one where that matters.

local fault = require "minimax.batch.fault"
local json = require "minimax.batch.json"

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
-- @param ... what LuaDBI's `Connect` takes for it
function database.open(name, ...)
  local connect, why = find_driver(name)
  if not connect then
    return nil, why
  end
  local self = { connect = connect, where = table.pack(...), statements = {},
    by_locale = PACKAGES[name].by_locale }
  setmetatable(self, database)
  local ok
  ok, why = self:reconnect()
  if not ok then
    return nil, why
  end
  return self
end

local WORDS_OF_DRIVERS = {
  "^Failed to connect to database: ", "^Execute failed ", "^Fetch failed ",
  "^Error preparing statement handle: ", "^Error executing statement parameters: ",
  "^ERROR:%s+",
}

-- What a driver says, without its own words around it.
local function plain(why)
  why = tostring(why):gsub("^[^:]*%.lua:%d+: ", "")
  for _, words in ipairs(WORDS_OF_DRIVERS) do
    why = why:gsub(words, "")
  end
  why = why:gsub("%s+", function(blanks)
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

-- Statements go before their connection: they point to it.
local function shut(self)
  for sql in pairs(self.statements) do
    forget(self, sql)
  end
  self.handle:close()
end

--- Connects, for the first time or once more.
-- @return true; or nil and an error
function database:reconnect()
  if self.handle then
    shut(self)
  end
  local handle, why = self.connect(table.unpack(self.where, 1, self.where.n))
  if not handle then
    local err = fault.new("io", "%s", plain(why))
    err.passing = true
    return nil, err
  end
  handle:autocommit(true) -- transactions are begun by hand
  self.handle, self.lost = handle, false
  return true
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
      rows[#rows + 1] = row
      row = statement:fetch(true)
    end
  end
  return rows
end

local function change(self, sql, ...)
  return execute(self, sql, ...):affected()
end

local function guarded(self, work, sql, ...)
  if not self.handle then
    return nil, fault.new("io", "the ledger is closed")
  end
  if self.lost and not self.inside then
    local ok, err = self:reconnect()
    if not ok then
      return nil, err
    end
  end
  local ok, result = pcall(work, self, sql, ...)
  if ok then
    return result
  end
  forget(self, sql)
  -- libpq learns of a connection's end by the second request on it. To roll back
  -- is harmless: where there is a transaction, it has failed.
  self.handle:rollback()
  self.lost = not self.handle:ping()
  if tostring(result):find("interrupted!", 1, true) then -- Ctrl-C is no error of the ledger
    error(result, 0)
  end
  local err = fault.new("io", "the ledger: %s", plain(result))
  err.passing = self.lost or err.message:find("database is locked", 1, true) ~= nil
  return nil, err
end

--- Runs a statement that gives rows.
-- @return a list of tables by column name; or nil and an error, which is `passing`
--   where the connection is gone or another process writes just now: to repeat
--   what is safe to repeat may help
function database:rows(sql, ...)
  return guarded(self, fetch, sql, ...)
end

--- The first row; nil where there is none, nil and an error where it failed.
function database:row(sql, ...)
  local rows, err = self:rows(sql, ...)
  return rows and rows[1], err
end

--- Runs a statement that gives none.
-- @return how many rows it changed; or nil and an error
function database:run(sql, ...)
  return guarded(self, change, sql, ...)
end

--- Does the work in a transaction: all of it, or nothing where it returns nil or
-- false, or raises.
-- @param begin how it begins ("BEGIN IMMEDIATE")
-- @return what the work returned; or nil and an error
function database:transaction(begin, work, ...)
  local ok, err = self:run(begin)
  if not ok then
    return nil, err
  end
  self.inside = true
  local results = table.pack(pcall(work, ...))
  if results[1] and results[2] then
    ok, err = self:run("COMMIT")
    if ok then
      self.inside = false
      return table.unpack(results, 2, results.n)
    end
  end
  self:run("ROLLBACK")
  self.inside = false
  if not results[1] then
    error(results[2], 0)
  end
  return nil, err or results[3]
end

--- Closes it; a second call does nothing.
function database:close()
  if self.handle then
    shut(self)
    self.handle = nil
  end
end

database.__close = database.close

return database
