--- What can be asked of a ledger without a run: its jobs come in, are counted,
-- looked at and set right.

local fault = require "minimax.batch.fault"
local output = require "minimax.batch.output"
local policy = require "minimax.batch.policy"
local postgresql = require "minimax.batch.postgresql"
local request = require "minimax.batch.request"
local schema = require "minimax.batch.schema"
local sqlite = require "minimax.batch.sqlite"
local states = require "minimax.common.states"

local ledger = {}
ledger.__index = ledger

--- Opens a ledger, making its tables where there are none.
-- @param where a path, or `postgresql://…`
-- @param migrations for the specs, see `schema.lua`
function ledger.open(where, migrations)
  local dialect = postgresql.is_address(where) and postgresql or sqlite
  local db, err = dialect.open(where)
  if not db then
    return nil, err
  end
  local ok
  ok, err = schema.prepare(db, dialect, migrations)
  if not ok then
    db:close()
    return nil, db.explain(err)
  end
  local self = setmetatable({ db = db, dialect = dialect }, ledger)
  self.sql = setmetatable({}, { __index = function(known, text)
    known[text] = text:gsub("%$([%a_]+)", dialect)
    return known[text]
  end })
  return self
end

--- Rows of a statement in which `$clock`, `$skip_locked` and `$row` (all of a job)
-- stand for the dialect's words.
function ledger:rows(text, ...)
  return self.db:rows(self.sql[text], ...)
end

function ledger:row(text, ...)
  return self.db:row(self.sql[text], ...)
end

function ledger:run(text, ...)
  return self.db:run(self.sql[text], ...)
end

-- Adding ------------------------------------------------------------------------

-- Why a job could not be put beside those of a table.
-- @return 0 where it is there already; or nil and an error
local function compare(self, where, job)
  local there, err = self:row("SELECT * FROM " .. where .. " WHERE key = ?", job.key)
  if err then
    return nil, err
  elseif not there then
    there, err = self:row("SELECT key FROM " .. where .. " WHERE output = ?", job.output)
    return nil, err or fault.new("invalid", "job '%s': its output '%s' belongs to job '%s'",
      job.key, job.output, there and there.key or "?")
  elseif not request.same(there.request, there.files, job.request, job.files) then
    return nil, fault.new("invalid", "job '%s' is there already, with another request", job.key)
  elseif output.normal(there.output) ~= job.output then
    return nil, fault.new("invalid", "job '%s' is there already, with the output '%s'", job.key,
      there.output)
  end
  return 0
end

--- Adds a job; the same once more changes nothing.
-- @param job `key`, `output`, `kind`, and `request` and `files` as `request.serialize`
--   makes them
-- @return 1 if it was added, 0 if it was there; or nil and an error
function ledger:add(job)
  local added, err = self:run([[INSERT INTO minimax_jobs
    (key, request, files, kind, output, state, added_at) VALUES (?, ?, ?, ?, ?, 'added', $clock)
    ON CONFLICT DO NOTHING]], job.key, job.request, job.files, job.kind, job.output)
  if added == 0 then
    return compare(self, "minimax_jobs", job)
  end
  return added, err
end

-- Puts a job beside the ledger, where nobody else sees it or waits for it.
local function stage(self, job)
  local there, err = self:row([[SELECT 1 AS there FROM minimax_jobs WHERE key = ? OR output = ?
    LIMIT 1]], job.key, job.output)
  if err then
    return nil, err
  elseif there then
    return compare(self, "minimax_jobs", job)
  end
  local staged
  staged, err = self:run([[INSERT INTO minimax_staged (key, request, files, kind, output)
    VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING]], job.key, job.request, job.files, job.kind,
    job.output)
  if staged == 0 then
    return compare(self, "minimax_staged", job)
  end
  return staged, err
end

-- Brings the staged jobs into the ledger. Others may have added some meanwhile.
local function move_staged(self)
  local rows, err = self:rows [[SELECT staged.* FROM minimax_staged AS staged JOIN minimax_jobs
    AS jobs ON jobs.key = staged.key OR jobs.output = staged.output]]
  if not rows then
    return nil, err
  end
  for _, job in ipairs(rows) do
    local there
    there, err = compare(self, "minimax_jobs", job)
    if not there then
      return nil, err
    end
  end
  return self:run [[INSERT INTO minimax_jobs (key, request, files, kind, output, state, added_at)
    SELECT key, request, files, kind, output, 'added', $clock FROM minimax_staged WHERE true
    ORDER BY id ON CONFLICT DO NOTHING]]
end

-- Where one writer keeps all others out, it does so for the last step alone.
local function add_staged(self, work)
  local ok, err = self:run [[CREATE TEMPORARY TABLE IF NOT EXISTS minimax_staged
    (id INTEGER PRIMARY KEY, key TEXT UNIQUE, request TEXT, files TEXT, kind TEXT,
    output TEXT UNIQUE)]]
  if ok then
    ok, err = self.db:transaction("BEGIN", work, function(job) return stage(self, job) end)
  end
  local count
  if ok then
    count, err = self.db:transaction(self.dialect.begin, move_staged, self)
  end
  self:run "DROP TABLE IF EXISTS minimax_staged"
  return count, err
end

--- Adds jobs that come one after the other: all of them or none. None is kept in
-- memory, and others write to the ledger meanwhile.
-- @param work is called with a function that adds a job as `ledger:add` does; where
--   `work` returns nil or false, none is added
-- @return how many were new; or nil and an error, if there was one
function ledger:add_all(work)
  if not self.dialect.shared then
    return add_staged(self, work)
  end
  local count = 0
  local ok, err = self.db:transaction(self.dialect.begin, work, function(job)
    local added, why = self:add(job)
    count = count + (added or 0)
    return added, why
  end)
  return ok and count or nil, err
end

-- Looking -----------------------------------------------------------------------

--- How many jobs are in each state, those without any included.
function ledger:count()
  local rows, err = self:rows "SELECT state, count(*) AS jobs FROM minimax_jobs GROUP BY state"
  if not rows then
    return nil, err
  end
  local counts = {}
  for _, name in ipairs(states) do
    counts[name] = 0
  end
  for _, row in ipairs(rows) do
    counts[row.state] = row.jobs
  end
  return counts
end

--- A page of jobs, in the order of their adding.
-- @param state only those; nil: all
-- @param after the `id` of the last one seen
-- @param limit how many
function ledger:page(state, after, limit)
  if state then
    return self:rows([[SELECT $row FROM minimax_jobs WHERE state = ? AND id > ? ORDER BY id
      LIMIT ?]], state, after, limit)
  end
  return self:rows("SELECT $row FROM minimax_jobs WHERE id > ? ORDER BY id LIMIT ?", after, limit)
end

--- The job with that key; nil and an error where there is none.
function ledger:find(key)
  local job, err = self:row("SELECT $row FROM minimax_jobs WHERE key = ?", key)
  return job, not job and (err or fault.new("invalid", "there is no job '%s'", key)) or nil
end

-- Setting right -----------------------------------------------------------------

--- Settles what dead workers were submitting: nobody knows whether it arrived. It
-- waits for no row: who has one locked lives, or does the same.
-- @param all true: no worker can be alive
-- @return the rows of those jobs; or nil and an error
function ledger:give_up_dead(all)
  return self:rows([[UPDATE minimax_jobs SET state = 'unknown', worker = NULL, lease = NULL,
    ended_at = $clock, error_details = NULL, error_kind = 'unknown',
    error = 'the worker on host ' || coalesce(host, '?')
    || ' ended while the submit was under way: a task may exist and be paid'
    WHERE id IN (SELECT id FROM minimax_jobs WHERE state = 'submitting'
    AND (lease IS NULL OR lease < $clock OR ? = 1) $skip_locked) RETURNING $row]], all and 1 or 0)
end

-- The job with that key, after a look at whether who was submitting it is dead.
local function find_settled(self, key)
  local job, err = self:find(key)
  if not job or job.state ~= "submitting" then
    return job, err
  end
  local lock <close> = self.dialect.lock(self.db)
  if lock then
    local _
    _, err = self:give_up_dead(not self.dialect.shared)
    if err then
      return nil, err
    end
  end
  return self:find(key)
end

local function changed(key, count, err)
  if count == 0 then
    return nil, fault.new("invalid", "job '%s' has changed in the meantime; look again", key)
  end
  return count and true, err
end

-- Before a job gets another task: the id of the one it had stays with it.
local KEEP_ID = [[strays = CASE WHEN task_id IS NULL THEN strays
  ELSE coalesce(strays, '') || task_id || ' ' END, task_failed = 0, succeeded_at = NULL,
  bytes = NULL, digest = NULL]]

local ANEW = "task_id = NULL, " .. KEEP_ID

--- Lets a failed or unknown job be tried again.
-- @return its new state; or nil and an error
function ledger:retry(key, resubmit)
  local job, err = find_settled(self, key)
  if not job then
    return nil, err
  end
  local state, why = policy.after_retry(job, resubmit)
  if not state then
    return nil, fault.new("invalid", "job '%s' %s", key, why)
  end
  local count
  count, err = self:run([[UPDATE minimax_jobs SET state = ?, error = NULL, error_kind = NULL,
    worker = NULL, lease = NULL, avoid = ',', ended_at = NULL]]
    .. (state == "added" and ", " .. ANEW or "")
    .. " WHERE id = ? AND state = ? AND attempt = ?", state, job.id, job.state, job.attempt)
  local ok
  ok, err = changed(key, count, err)
  return ok and state, err
end

-- Why a job can't be given a task, or nil. One whose task succeeded has its video.
local function problem_of_state(job)
  if job.state == "unknown" or job.state == "failed" and not job.succeeded_at then
    return nil
  end
  return fault.new("invalid", "job '%s' is %s: only one that is unknown, or that failed before a "
    .. "task of it succeeded, can adopt a task", job.key, job.state)
end

-- Why an id can be no task's of this job, or nil; and an error of the ledger.
local function problem_of_task(self, job, task_id)
  if task_id:find("[%s%c]") or not utf8.len(task_id) then
    return fault.new("invalid", "a task's id has no blanks and no control characters: '%s'",
      (task_id:gsub("[%c\x80-\xFF]", "?")))
  end
  local owner, err = self:row("SELECT key FROM minimax_jobs WHERE task_id = ? AND id <> ?",
    task_id, job.id)
  return err or owner and fault.new("invalid", "task %s belongs to job '%s'", task_id, owner.key)
end

--- Settles an unknown job, or one that failed with a wrong task: this is its task.
function ledger:adopt(key, task_id)
  local job, err = find_settled(self, key)
  if not job then
    return nil, err
  end
  err = problem_of_state(job) or problem_of_task(self, job, task_id)
  if err then
    return nil, err
  end
  return changed(key, self:run("UPDATE minimax_jobs SET state = 'submitted', " .. KEEP_ID
    .. [[, task_id = ?, submitted_at = $clock, error = NULL, error_kind = NULL, ended_at = NULL,
    avoid = ',' WHERE id = ? AND state = ? AND attempt = ?]], task_id, job.id, job.state,
    job.attempt))
end

function ledger:close()
  self.db:close()
end

return ledger
