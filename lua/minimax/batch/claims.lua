--- What a run changes in the ledger: one statement for each step of a job, so
-- that a step is on the disk or has not been made. Each names the state that it
-- leaves and whose job it is: a worker whose lease was taken over changes
-- nothing.

local fault = require "minimax.batch.fault"

local claims = {}
claims.__index = claims

--- @param ledger the open ledger
-- @param worker `name` (of this run alone), `host`, `lease` (seconds)
function claims.new(ledger, worker)
  local self = { ledger = ledger, name = worker.name, host = worker.host, lease = worker.lease }
  self.avoid_pattern = "%," .. worker.host .. ",%"
  self.seen = { added = 0, submitted = 0, succeeded = 0 }
  self.taken = 0
  return setmetatable(self, claims)
end

-- Taking --------------------------------------------------------------------------

local function take_after(self, state, id)
  return self.ledger:row([[WITH free AS MATERIALIZED (
      SELECT id FROM minimax_jobs WHERE state = ? AND id > ?
      AND (lease IS NULL OR lease < $clock) AND avoid NOT LIKE ? ORDER BY id LIMIT 1 $skip_locked)
    UPDATE minimax_jobs SET worker = ?, host = ?, lease = $clock + ?
    WHERE id IN (SELECT id FROM free) RETURNING $row]],
    state, id, self.avoid_pattern, self.name, self.host, self.lease)
end

--- Takes a job that is nobody's. It goes on behind the last one, so that a long
-- row of jobs that this host avoids is not walked again for each.
-- @param state one of `policy.open`
-- @return the row; nil where there is none; nil and an error
function claims:take(state)
  local job, err = take_after(self, state, self.seen[state])
  if not job and not err and self.seen[state] > 0 then
    job, err = take_after(self, state, 0)
  end
  self.seen[state] = job and job.id or 0
  if job then
    self.taken = self.taken + 1
    job.claim = self.taken
  end
  return job, err
end

--- Prolongs leases. What this worker holds without knowing (the answer to a
-- claim was lost) is not among them and runs out.
-- @param ids a list of job ids
-- @return how many were prolonged; or nil and an error
function claims:prolong(ids)
  return self.ledger:run([[UPDATE minimax_jobs SET lease = $clock + ?
    WHERE worker = ? AND ? LIKE '%,' || id || ',%']], self.lease, self.name,
    "," .. table.concat(ids, ",") .. ",")
end

local LONGEST = 3600 -- seconds that any worker's lease is believed to have ahead

--- Brings down leases that a clock once ahead has left behind: who held them is waited
-- for no longer than an hour, or four leases of this worker.
-- @return how many; or nil and an error
function claims:shorten()
  local most = math.max(LONGEST, 4 * self.lease)
  return self.ledger:run([[UPDATE minimax_jobs SET lease = $clock + ?
    WHERE worker <> ? AND lease > $clock + ?]], self.lease, self.name, most)
end

--- Frees what a former run of this ledger held, where no other can be alive.
function claims:free_all()
  return self.ledger:run([[UPDATE minimax_jobs SET worker = NULL, lease = NULL
    WHERE worker IS NOT NULL]])
end

--- Forgets what this host could not do in an earlier run.
function claims:forget_avoided()
  return self.ledger:run([[UPDATE minimax_jobs SET avoid = replace(avoid, ?, ',')
    WHERE avoid LIKE ? AND state IN ('added', 'submitted', 'succeeded')]],
    "," .. self.host .. ",", self.avoid_pattern)
end

--- Gives back what this worker holds without knowing, where it knows of nothing
-- that it holds: the answer to a claim was lost.
-- @return how many jobs; or nil and an error
function claims:let_go()
  return self.ledger:run([[UPDATE minimax_jobs SET worker = NULL, lease = NULL
    WHERE worker = ? AND state IN ('added', 'submitted', 'succeeded')]], self.name)
end

--- How many jobs there are that this worker may come to do. That they can't be taken
-- now says nothing: whoever holds one may end at any moment, also after it was looked
-- for and before this.
-- @param held_back true: it submits none that is free; one that lives may, and end
-- @return the number; or nil and an error
function claims:remaining(held_back)
  local row, err = self.ledger:row([[SELECT count(*) AS jobs FROM minimax_jobs
    WHERE state = 'submitting' OR avoid NOT LIKE ? AND (state IN ('submitted', 'succeeded')
    OR state = 'added' AND (? = 0 OR lease >= $clock))]], self.avoid_pattern, held_back and 1 or 0)
  return row and row.jobs, err
end

-- Steps of a job --------------------------------------------------------------------

-- What an intent leaves in its row: whose it is, and for which attempt. A worker that
-- stood still for longer than its lease may hold a job by two claims.
local function intent_of(self, job, attempt)
  return ("%s %d %s"):format(self.name, attempt, job.claim)
end

local HELD = " WHERE id = ? AND attempt = ? AND (state = ? AND worker = ?)"

-- What came of a submit is known to who made it, also after others gave it up.
local INTENDED = HELD:sub(1, -2) .. " OR state = 'unknown' AND intent = ?)"

-- Whether a step was made whose answer was lost.
-- @return 1 or 0; or nil and an error
local function was_made(self, job, to)
  local row, err = self.ledger:row([[SELECT count(*) AS jobs FROM minimax_jobs
    WHERE id = ? AND attempt = ? AND state = ? AND coalesce(worker, ?) = ?]],
    job.id, job.attempt, to, self.name, self.name)
  return row and row.jobs, err
end

local function step(self, job, to, changes, ...)
  local parameters = table.pack(...)
  local count = parameters.n + 4
  table.move({ job.id, job.attempt, job.state, self.name }, 1, 4, count - 3, parameters)
  local where = HELD
  if job.state == "submitting" then
    where, count = INTENDED, count + 1
    parameters[count] = intent_of(self, job, job.attempt)
  end
  local changed, err = self.ledger:run("UPDATE minimax_jobs SET state = '" .. to .. "'" .. changes
    .. where, table.unpack(parameters, 1, count))
  if changed == 0 and job.unconfirmed == to then
    changed, err = was_made(self, job, to)
  end
  job.unconfirmed = err and to
  if changed == 1 then
    job.state = to
  end
  return changed and changed == 1, err
end

--- Before a job is paid for: its video will lie at that place of this host.
-- @return a list of the jobs whose place that is: rows with `key` and `output`; or
--   nil and an error
function claims:settle_place(job, place)
  place = self.host .. ":" .. place
  if job.place ~= place then
    local changed, err = self.ledger:run([[UPDATE minimax_jobs SET place = ?
      WHERE id = ? AND worker = ?]], place, job.id, self.name)
    if not changed then
      return nil, err
    end
    job.place = place
  end
  return self.ledger:rows([[SELECT key, output FROM minimax_jobs WHERE place = ? AND id <> ?
    AND (state <> 'added' OR id < ?) AND (state <> 'failed' OR task_id IS NOT NULL)]],
    place, job.id, job.id)
end

--- The intent: from here on a task may exist.
-- @return true; false where the job is no longer this worker's; nil and an error
function claims:intend(job)
  local changed, err = self.ledger:run([[UPDATE minimax_jobs SET state = 'submitting',
    attempt = attempt + 1, intent = ?, submitting_at = $clock, error = NULL, error_kind = NULL
    WHERE id = ? AND state = 'added' AND attempt = ? AND worker = ? AND lease > $clock]],
    intent_of(self, job, job.attempt + 1), job.id, job.attempt, self.name)
  if changed == 1 then
    job.state, job.attempt = "submitting", job.attempt + 1
  end
  return changed and changed == 1, err
end

--- Certainly nothing was created by this worker's intent: the job can be submitted
-- at any time. This holds also where nobody knows whether the intent reached the
-- ledger. An intent of another worker stays: its task may exist.
function claims:unsent(job)
  local attempt = job.attempt + (job.state == "added" and 1 or 0)
  local row, err = self.ledger:row([[UPDATE minimax_jobs SET state = 'added', ended_at = NULL,
    error = NULL, error_kind = NULL, worker = ?, host = ?, lease = $clock + ?
    WHERE id = ? AND attempt IN (?, ?) AND task_id IS NULL
    AND (state = 'added' AND worker = ? OR state IN ('submitting', 'unknown') AND intent = ?)
    RETURNING attempt]], self.name, self.host, self.lease, job.id, job.attempt, attempt,
    self.name, intent_of(self, job, attempt))
  if row then
    job.state, job.attempt = "added", row.attempt
  elseif err then
    return nil, err
  end
  return row ~= nil
end

-- Text from elsewhere as every database takes it: UTF-8 without NUL.
local function clean(text)
  text = text and text:gsub("%z", "\u{FFFD}")
  local ok, bad = utf8.len(text or "")
  while not ok do
    text = text:sub(1, bad - 1) .. "\u{FFFD}" .. text:sub(bad + 1)
    ok, bad = utf8.len(text, bad)
  end
  return text
end

local ERROR = "error_kind = ?, error = ?, error_details = ?"

-- The values for ERROR; they come last in a statement.
local function values_of(err)
  if err then
    return err.kind, clean(err.message), clean(fault.details(err))
  end
  return nil, nil, nil
end

-- What is good to know and no more: whether it can be written changes nothing.
local function annotate(self, job, trace_id)
  if trace_id then
    self.ledger:run("UPDATE minimax_jobs SET trace_id = ? WHERE id = ? AND task_id = ?",
      clean(trace_id), job.id, job.task_id)
  end
end

--- The id: written first, and without anything that could keep it out. It is kept
-- whoever holds the job by now, as long as this attempt is the last; otherwise it
-- is noted as a stray.
-- @return true; false for a stray; nil and an error
function claims:submitted(job, task)
  local changed, err = self.ledger:run([[UPDATE minimax_jobs SET state = 'submitted', task_id = ?,
    kind = ?, trace_id = NULL, submitted_at = $clock, worker = ?, host = ?, lease = $clock + ?,
    error = NULL, error_kind = NULL, ended_at = NULL WHERE id = ? AND attempt = ?
    AND (task_id IS NULL OR task_id = ?)
    AND state IN ('submitting', 'unknown', 'added', 'submitted')
    AND NOT EXISTS (SELECT 1 FROM minimax_jobs AS other WHERE other.task_id = ?
    AND other.id <> minimax_jobs.id)]], task.task_id, task.kind, self.name, self.host, self.lease,
    job.id, job.attempt, task.task_id, task.task_id)
  if changed == 1 then
    job.state, job.task_id, job.kind = "submitted", task.task_id, task.kind
    annotate(self, job, task.trace_id)
    return true
  elseif changed == 0 then
    changed, err = self.ledger:run([[UPDATE minimax_jobs SET
      strays = coalesce(strays, '') || ? || ' ' WHERE id = ?
      AND replace(' ' || coalesce(strays, ''), ' ' || ? || ' ', '') = ' ' || coalesce(strays, '')]],
      task.task_id, job.id, task.task_id)
  end
  return changed and false, err
end

function claims:unknown(job, err)
  return step(self, job, "unknown", [[, worker = NULL, lease = NULL, ended_at = $clock,
    trace_id = ?, ]] .. ERROR, clean(err.trace_id), values_of(err))
end

function claims:succeeded(job)
  return step(self, job, "succeeded", ", succeeded_at = $clock, error = NULL, error_kind = NULL")
end

--- The whole video is here, and gets its name next: by this it is known again.
function claims:fetched(job, bytes, digest)
  local ok, err = step(self, job, "succeeded", ", bytes = ?, digest = ?", bytes, digest)
  if ok then
    job.bytes, job.digest = bytes, digest
  end
  return ok, err
end

function claims:downloaded(job, bytes)
  return step(self, job, "downloaded", [[, bytes = ?, worker = NULL, lease = NULL,
    ended_at = $clock, error = NULL, error_kind = NULL]], bytes)
end

--- @param task_failed true: the server says that the task came to nothing. That
-- alone makes it one that need not be paid twice to be tried again.
function claims:failed(job, err, task_failed)
  return step(self, job, "failed", [[, worker = NULL, lease = NULL, ended_at = $clock,
    task_failed = ?, ]] .. ERROR, task_failed and 1 or 0, values_of(err))
end

--- Gives a job back as it is.
-- @param err why, or nil: it is kept for people to see
-- @param avoid true: this host does not take it again in this run
function claims:release(job, err, avoid)
  return step(self, job, job.state, ", worker = NULL, lease = NULL, avoid = avoid || ?, "
    .. ERROR, avoid and self.host .. "," or "", values_of(err))
end

return claims
