--- The tables of a ledger, and how an older ledger becomes one of today.

local fault = require "minimax.batch.fault"

local schema = {}

-- Each entry leads from the version before to its own; `$identity`, `$number`
-- and the like are the dialect's words. An entry that was released never
-- changes. Times are Unix seconds on the database's clock.
local MIGRATIONS = {
  {
    [[CREATE TABLE minimax_jobs (
      id $identity,
      key TEXT NOT NULL UNIQUE,
      request TEXT NOT NULL,
      files TEXT,
      kind TEXT,
      output TEXT NOT NULL UNIQUE,
      state TEXT NOT NULL,
      attempt INTEGER NOT NULL DEFAULT 0,
      task_id TEXT,
      trace_id TEXT,
      strays TEXT,
      error_kind TEXT,
      error TEXT,
      bytes $number,
      worker TEXT,
      host TEXT,
      lease $number,
      avoid TEXT NOT NULL DEFAULT ',',
      added_at $number,
      submitting_at $number,
      submitted_at $number,
      succeeded_at $number,
      ended_at $number
    )]],
    "CREATE INDEX minimax_jobs_by_state ON minimax_jobs (state, id)",
    "CREATE INDEX minimax_jobs_by_worker ON minimax_jobs (worker) WHERE worker IS NOT NULL",
    [[CREATE TABLE minimax_budgets (
      account TEXT NOT NULL,
      lane TEXT NOT NULL,
      count $number,
      seconds $number,
      next_at $number NOT NULL DEFAULT 0,
      held_until $number NOT NULL DEFAULT 0,
      PRIMARY KEY (account, lane)
    )]],
  },
  {
    "ALTER TABLE minimax_jobs ADD COLUMN intent TEXT",
    "ALTER TABLE minimax_jobs ADD COLUMN task_failed INTEGER NOT NULL DEFAULT 0",
    [[UPDATE minimax_jobs SET task_failed = 1 WHERE state = 'failed' AND error_kind = 'failed'
      AND task_id IS NOT NULL AND succeeded_at IS NULL]],
    "ALTER TABLE minimax_jobs ADD COLUMN digest TEXT",
    -- One task is one job's: the first one's.
    [[UPDATE minimax_jobs SET strays = coalesce(strays, '') || task_id || ' ', task_id = NULL,
      worker = NULL, lease = NULL, error_kind = 'unknown', error = 'its task ' || task_id
      || ' is that of another job', state = CASE WHEN state IN ('submitted', 'succeeded')
      THEN 'unknown' ELSE state END WHERE EXISTS (SELECT 1 FROM minimax_jobs AS other
      WHERE other.task_id = minimax_jobs.task_id AND other.id < minimax_jobs.id)]],
    "CREATE UNIQUE INDEX minimax_jobs_by_task ON minimax_jobs (task_id)",
    "ALTER TABLE minimax_jobs ADD COLUMN place TEXT",
    "ALTER TABLE minimax_jobs ADD COLUMN error_details TEXT",
    "CREATE INDEX minimax_jobs_by_place ON minimax_jobs (place) WHERE place IS NOT NULL",
  },
}

schema.migrations = MIGRATIONS

local function set_version(db, version)
  local changed, err = db:run("UPDATE minimax_ledger SET version = ?", version)
  if changed == 0 then
    changed, err = db:run("INSERT INTO minimax_ledger (version) VALUES (?)", version)
  end
  return changed, err
end

local function apply(db, dialect, migrations, from)
  for version = from + 1, #migrations do
    for _, statement in ipairs(migrations[version]) do
      local ok, err = db:run((statement:gsub("%$(%w+)", dialect.words)))
      if not ok then
        return nil, err
      end
    end
  end
  return set_version(db, #migrations)
end

local function read_version(db)
  local row, err = db:row("SELECT version FROM minimax_ledger")
  if err then
    return nil, err
  end
  return row and row.version or 0
end

-- Another worker may do the same at this moment: all of it is one transaction,
-- and who comes second finds it done.
local function migrate(db, dialect, migrations)
  local ok, err = dialect.lock_schema(db)
  if not ok then
    return nil, err
  end
  ok, err = db:run("CREATE TABLE IF NOT EXISTS minimax_ledger (version INTEGER NOT NULL)")
  if not ok then
    return nil, err
  end
  local version
  version, err = read_version(db)
  if not version then
    return nil, err
  elseif math.type(version) ~= "integer" then
    return nil, fault.new("invalid", "it is no ledger: its version is no number")
  elseif version > #migrations then
    return nil, fault.new("invalid", "the ledger has version %d, written by a newer minimax; this "
      .. "one knows versions up to %d", version, #migrations)
  elseif version == #migrations then
    return version
  end
  return apply(db, dialect, migrations, version)
end

--- Makes the tables, or brings them up to date.
-- @param dialect see `sqlite.lua`
-- @param migrations other steps than the module's own (for the specs)
-- @return true; or nil and an error, and nothing has changed
function schema.prepare(db, dialect, migrations)
  migrations = migrations or MIGRATIONS
  local there, err = dialect.has_ledger(db)
  if err then
    return nil, err
  elseif there then -- nothing to write is the rule
    local version
    version, err = read_version(db)
    if not version then
      return nil, err
    elseif version == #migrations then
      return true
    end
  end
  return db:transaction(dialect.begin, migrate, db, dialect, migrations)
end

return schema
