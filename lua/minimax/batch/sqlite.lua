--- A ledger in a file: SQLite through LuaDBI, for one process at a time.

local database = require "minimax.batch.database"
local fault = require "minimax.batch.fault"
local scratch = require "minimax.batch.scratch"

local sqlite = {
  begin = "BEGIN IMMEDIATE",
  row = "*",
  clock = "((julianday('now') - 2440587.5) * 86400.0)",
  skip_locked = "",
  words = { identity = "INTEGER PRIMARY KEY AUTOINCREMENT", number = "REAL" },
  shared = false,
}

local BUSY = 5000 -- ms that a writer waits for another process's

-- Outside a run nothing waits for the disk: a power cut may take back the last
-- jobs that were added, which costs no money, but no crash of the program does.
local AT_EASE = "PRAGMA synchronous = NORMAL"

-- In a run, what is committed is on the disk, and with it all that was before.
local IN_EARNEST = "PRAGMA synchronous = FULL"

local PRAGMAS = { "PRAGMA busy_timeout = " .. BUSY, "PRAGMA journal_mode = WAL", AT_EASE }

-- The log that others read meanwhile lies in memory that processes share. Where there
-- is none, SQLite stays with what it had, or fails.
local function journal_problem(row)
  local mode = row and row.journal_mode
  return mode and mode ~= "wal" and fault.new("io", "the ledger: no write-ahead log") or nil
end

-- A name such as "file:x" or ":memory:" would mean something else to SQLite.
local function as_path(where)
  return where:find("^/") and where or "./" .. where
end

local function explain(err, path)
  local text = err.message
  if text:find("unable to open", 1, true) then
    err.message = text .. " '" .. path .. "': does its folder exist, and may this user write there?"
  elseif text:find("readonly", 1, true) or text:find("read%-only") then
    err.message = text .. ": '" .. path .. "' and its folder must be writable"
  elseif text:find("disk I/O error", 1, true) or text:find("locking protocol", 1, true)
    or text:find("no write-ahead log", 1, true) then
    err.message = text .. ": '" .. path .. "' may lie on a file system without shared memory maps "
      .. "or locks, as networks and shared folders are: put the ledger on a local disk, or use "
      .. "PostgreSQL"
  elseif text:find("not a database", 1, true) then
    err.kind, err.message = "invalid", "'" .. path .. "' is no ledger: it is no SQLite database"
  end
  return err
end

local function set_up(db)
  for _, pragma in ipairs(PRAGMAS) do
    local row, err = db:row(pragma)
    err = err or journal_problem(row)
    if err then
      return nil, err
    end
  end
  return true
end

--- Opens a file, which it makes where there is none.
function sqlite.open(where)
  local path = as_path(where)
  local db, err = database.open("sqlite3", path)
  if not db then
    return nil, explain(err, where)
  end
  local ok
  ok, err = set_up(db)
  if not ok then
    db:close()
    return nil, explain(err, where)
  end
  local found
  found, err = db:row "SELECT file FROM pragma_database_list WHERE name = 'main'"
  if not found then
    db:close()
    return nil, explain(err, where)
  end
  -- The file itself, whatever links lead to it: its lock and its reserve stand
  -- beside it, as SQLite's own files do.
  db.path = found.file ~= "" and found.file or path
  db.explain = function(why) return explain(why, where) end
  return db
end

-- @return a boolean; or nil and an error
function sqlite.has_ledger(db)
  local row, err = db:row [[SELECT count(*) AS tables FROM sqlite_master
    WHERE name = 'minimax_ledger']]
  return row and row.tables > 0, err
end

--- Within a transaction: refuses to make tables in somebody else's file.
function sqlite.lock_schema(db)
  local there, err = sqlite.has_ledger(db)
  if there or err then
    return there, err
  end
  local row
  row, err = db:row("SELECT name FROM sqlite_master WHERE name NOT LIKE 'minimax%' "
    .. "AND name NOT LIKE 'sqlite%' LIMIT 1")
  if row then
    return nil, fault.new("invalid", "it is no ledger: the database holds a table '%s'", row.name)
  end
  return not err or nil, err
end

-- Room for the ids of all submits under way, should the disk be full by then.
local RESERVE = 262144

--- Holds some room on the disk for what must be written whatever happens.
-- @return an object with `free`, which gives the room to the ledger, and `close`;
--   or nil and an error
function sqlite.reserve(db)
  local file, why = scratch.filled(db.path, RESERVE)
  if not file then
    return nil, fault.new("io", "no room beside the ledger: %s", why)
  end
  local function free()
    if io.type(file) == "file" then
      file:close()
    end
  end
  return setmetatable({ free = free, close = free }, { __close = free })
end

local Lock = {}
Lock.__index = Lock

function Lock:close()
  self.held:close()
  self.db:run(AT_EASE)
end

Lock.__close = Lock.close

--- Keeps other processes from running the same ledger, until this one ends or
-- releases it, and waits for the disk from here on. The system frees the lock
-- when a process dies.
-- @return a lock with `close`; or nil and an error
function sqlite.lock(db)
  local lock, err = database.open("sqlite3", db.path .. "-run")
  if not lock then
    return nil, err
  end
  local ok
  ok, err = lock:rows("PRAGMA locking_mode = EXCLUSIVE")
  if ok then
    ok, err = lock:run("BEGIN EXCLUSIVE")
  end
  if ok then
    ok, err = db:run(IN_EARNEST)
  end
  if ok then
    return setmetatable({ held = lock, db = db }, Lock)
  end
  lock:close()
  if err.message:find("locked", 1, true) then
    err = fault.new("io", "another process is running this ledger")
  end
  return nil, err
end

return sqlite
