--- Many tasks, and no crash loses or pays one twice: a durable ledger of jobs.
--
--     local batch = require "minimax.batch"
--     local b <close> = assert(batch.open "night.db")
--     assert(b:add { key = "lion", output = "lion.mp4", request = {
--       template_id = "393769180141805569",
--       media_inputs = { minimax.file "pet.jpg" }, text_inputs = { "Lion" } } })
--     local counts, reason, err = b:run { max_in_flight = 20 }
--
-- A job goes `added`, `submitting`, `submitted`, `succeeded`, `downloaded`, or
-- becomes `failed`, or `unknown`: submitted perhaps, and nobody knows its id.
-- The ledger is a file (SQLite) or, for many machines, PostgreSQL.
-- @module minimax.batch

local adding = require "minimax.batch.adding"
local budget = require "minimax.batch.budget"
local check = require "minimax.batch.check"
local claims = require "minimax.batch.claims"
local fault = require "minimax.batch.fault"
local ledger = require "minimax.batch.ledger"
local minimax = require "minimax"
local options = require "minimax.batch.options"
local request = require "minimax.batch.request"
local runner = require "minimax.batch.runner"
local worker = require "minimax.batch.worker"

local batch = {}

local Batch = { __name = "minimax.batch" }
Batch.__index = Batch

-- The module's own functions, as if they were a client.
local default_client = setmetatable({}, { __index = function(_, name)
  return function(_, ...) return minimax[name](...) end
end })

--- Opens a ledger, and makes it where there is none.
-- @tparam string where a path (SQLite), or `postgresql://user@host/database`
-- @tparam[opt] minimax.client client whose key pays; else the module's default
-- @treturn[1] minimax.batch
-- @treturn[2] nil
-- @treturn[2] minimax.error kind "io", or "invalid" for what is no ledger, or one of
--   a newer version
function batch.open(where, client)
  if type(where) ~= "string" or where == "" or where:find("%z") then
    error("minimax.batch.open: a path or an address is expected", 2)
  end
  local opened, err = ledger.open(where)
  if not opened then
    return nil, err
  end
  return setmetatable({ ledger = opened, client = client or default_client }, Batch)
end

-- Adding --------------------------------------------------------------------------

--- Adds a job, or a list of jobs: all of it or none. The same job once more
-- changes nothing; the same key with another request is an error. "The same"
-- compares the JSON, with the SHA-256 of each file in its place.
-- @tparam table job `key` (a name of your own), `request` (as for `client:submit`),
--   `output` (a path; the key with ".mp4"), `kind` (where the request does not tell)
-- @treturn[1] integer how many were new
-- @treturn[2] nil
-- @treturn[2] minimax.error with `index`, where a list was given
function Batch:add(job)
  if type(job) == "table" and job[1] ~= nil then
    return adding.list(self.ledger, job)
  end
  return adding.one(self.ledger, job)
end

--- Adds the jobs of a file of JSON Lines: on each line an object with `key` and
-- `request`, and perhaps `output` and `kind`. A media value that begins with "@"
-- is a local path.
-- @param source a path, or an open file
-- @tparam[opt] table given `keep_going`: adds the good ones where others are bad;
--   otherwise one bad line keeps all of them out
-- @treturn[1] integer how many were new
-- @treturn[1] table a list of `{ line, message }` of the bad ones
-- @treturn[2] nil
-- @treturn[2] minimax.error
function Batch:add_lines(source, given)
  return adding.lines(self.ledger, source, options.read("add_lines", given).keep_going)
end

-- Looking -------------------------------------------------------------------------

--- How many jobs are in each state, and their `total`.
-- @treturn[1] table
-- @treturn[2] nil
-- @treturn[2] minimax.error
function Batch:status()
  local counts, err = self.ledger:count()
  if not counts then
    return nil, err
  end
  local total = 0
  for _, count in pairs(counts) do
    total = total + count
  end
  counts.total = total
  return counts
end

local PAGE = 500

-- What people see of a row, as it is.
local PLAIN = { "key", "state", "output", "kind", "attempt", "task_id", "trace_id", "strays",
  "host", "added_at", "submitting_at", "submitted_at", "succeeded_at", "ended_at" }

-- Columns of numbers: SQLite keeps anything in them, and a ledger may come from
-- anywhere.
local NUMBERS = { attempt = true, added_at = true, submitting_at = true, submitted_at = true,
  succeeded_at = true, ended_at = true }

local function shown(row)
  local job = {}
  for _, name in ipairs(PLAIN) do
    job[name] = row[name]
    if NUMBERS[name] and type(job[name]) ~= "number" then
      job[name] = nil
    end
  end
  job.bytes = math.tointeger(row.bytes)
  local damage
  job.request, damage = request.deserialize(row.request, row.files)
  job.request = job.request or {}
  job.err = fault.restore(row) or damage and fault.new("invalid", "%s", damage) or nil
  return job
end

--- Iterates over the jobs, in the order of their adding.
-- @tparam[opt] table filter `state`: only those
-- @treturn function an iterator of tables: `key`, `state`, `request`, `output`, `kind`,
--   `task_id`, `trace_id`, `err` (a minimax.error), `attempt` (how often it was
--   submitted), `bytes`, `host`, `strays` (ids of tasks that it had besides), and
--   times in Unix seconds. It raises where the ledger fails.
function Batch:jobs(filter)
  filter = options.read("jobs", filter)
  local page, index, last = {}, 0, 0
  return function()
    index = index + 1
    if index > #page and (last == 0 or #page == PAGE) then
      page, index = assert(self.ledger:page(filter.state, last, PAGE)), 1
    end
    local row = page[index]
    last = row and row.id or last
    return row and shown(row)
  end
end

-- Setting right -------------------------------------------------------------------

--- Lets a failed or unknown job be tried again in the next run. A task that is
-- paid for is not paid once more: where only its download or its queries failed,
-- the job goes on with it. An unknown one is submitted again: look first whether
-- its task exists.
-- @tparam string key
-- @tparam[opt] table given `resubmit`: pay for a new task in any case
-- @treturn[1] string the job's new state
-- @treturn[2] nil
-- @treturn[2] minimax.error
function Batch:retry(key, given)
  return self.ledger:retry(key, options.read("retry", given).resubmit)
end

--- Settles an unknown job, or one that failed before a task of it succeeded: this
-- is the task that was created for it. The id of another one that it had is kept.
-- @tparam string key
-- @param task its id, or a task or status
-- @treturn[1] boolean true
-- @treturn[2] nil
-- @treturn[2] minimax.error
function Batch:adopt(key, task)
  local id = type(task) == "table" and task.task_id or task
  if type(id) ~= "string" or id == "" then
    error("minimax.batch: a task or a task id is expected", 2)
  end
  return self.ledger:adopt(key, id)
end

-- Running -------------------------------------------------------------------------

-- Says that more jobs are to be submitted than may be; nil where they may.
local function excess_of(counts, most)
  if most and counts.added > most then
    return fault.new("invalid", "%d jobs are to be submitted, and max_submits allows %d: "
      .. "nothing was submitted", counts.added, most)
  end
end

local function dry_run(self, given)
  local found, err = check.all(self.ledger, self.client, given.strict, given.on_event
    or function() end)
  if not found then
    return nil, err
  end
  local counts
  counts, err = self:status()
  if not counts then
    return nil, err
  end
  counts.checked, counts.refused, counts.doubtful = found.checked, found.refused, found.doubtful
  return counts, "dry_run", found.first or excess_of(counts, given.max_submits)
end

-- What is settled before the first request.
local function prepare(self, run, given)
  local steps = {
    function() return run.claims:forget_avoided() end,
    function() return run.budget:configure("submit", given.submit_rate) end,
    function() return run.budget:configure("query", given.query_rate) end,
    function() return run.budget:refresh() end,
  }
  if not self.ledger.dialect.shared then -- whoever ran it before is dead
    table.insert(steps, 1, function() return run.claims:free_all() end)
  end
  for _, step in ipairs(steps) do
    local ok, err = run:with_ledger(false, step)
    if not ok then
      return nil, err
    end
  end
  run:settle_dead(not self.ledger.dialect.shared)
  local counts, err = run:with_ledger(false, self.ledger.count, self.ledger)
  if not counts then
    return nil, err
  end
  run.excess = excess_of(counts, given.max_submits)
  if run.excess then
    given.max_submits = 0
  end
  return true
end

local function go(self, given, reserve)
  local who = worker.new(given.host, given.lease)
  if not self.ledger.dialect.shared then
    who.lease = 1e9 -- the lock holds as long as the process lives
  end
  local run = runner.new { ledger = self.ledger, client = self.client, options = given,
    reserve = reserve, claims = claims.new(self.ledger, who),
    budget = budget.new(self.ledger, given.account) }
  local ok, err = prepare(self, run, given)
  if not ok then
    return nil, err
  end
  local _ <close> = setmetatable({}, { __close = function() run:abandon() end })
  local reason
  reason, err = run:run()
  return reason, err or run.excess, run.lost
end

--- Works on the jobs until nothing is left to do, or there is a reason to stop.
-- What an earlier run left goes on where it was; nothing is submitted or fetched
-- twice; an unknown job stays unknown.
-- @tparam[opt] table given
--
--   * `on_event`: function(event), see the manual
--   * `max_in_flight`: jobs at a time (20)
--   * `max_submits`: a spend guard: where more jobs than that are to be submitted,
--     none is; nor does the run pay for more where jobs are added meanwhile
--   * `dry_run`: checks every job that is still to be submitted, and pays nothing;
--     the counts then hold `checked`, `refused` and `doubtful` (what the catalogues
--     do not know), the reason is "dry_run", the error the first job's, or that
--     `max_submits` is too small
--   * `strict`: refuses what the catalogues of templates and models do not know
--   * `poll_interval` (MINIMAX_POLL_INTERVAL, 10 s),
--     `wait_timeout` (7200 s, false), `patience`: seconds
--     without any answer until the run gives up (3600, false)
--   * `submit_rate`, `query_rate`: `{ count, seconds }` for all workers of the
--     ledger together, kept there; false takes it away
--   * `account`: a name for the key, where workers with several share a ledger
--   * `lease`: seconds until others take over from a dead worker (60)
-- @treturn[1] table counts by state, and `lost`: tasks whose id could not be
--   written down
-- @treturn[1] string why it ended: "done", "left" (some jobs could not be done
--   here), "max_submits", or the kind of the error that stopped it
-- @treturn[1] minimax.error that error, if there is one
-- @treturn[2] nil
-- @treturn[2] minimax.error where the ledger can't be run at all
function Batch:run(given)
  given = options.read("run", given)
  if given.dry_run then
    return dry_run(self, given)
  end
  local lock <close>, err = self.ledger.dialect.lock(self.ledger.db)
  if not lock then
    return nil, self.ledger.db.explain(err)
  end
  local reserve <close>, no_room = self.ledger.dialect.reserve(self.ledger.db)
  if not reserve then
    return nil, no_room
  end
  local reason, why, lost = go(self, given, reserve)
  if not reason then
    return nil, why
  end
  local counts = self:status() or {}
  counts.lost = lost[1] and lost or nil
  return counts, reason, why
end

--- Closes the ledger; a second call does nothing.
function Batch:close()
  self.ledger:close()
end

Batch.__close = Batch.close
Batch.__gc = Batch.close

return batch
