--- One step of a job for each state in which there is something to do. A step
-- returns whether the job goes on at once; where it does not, `job.dropped`
-- says that it is no longer this worker's, and `job.problem` why it is left.

local check = require "minimax.batch.check"
local fault = require "minimax.batch.fault"
local output = require "minimax.batch.output"
local policy = require "minimax.batch.policy"
local request = require "minimax.batch.request"

local steps = {}

local ATTEMPTS = 5 -- downloads in a row that fail, until the job is left for this run
local LOOK = 5     -- seconds at most until a turn is asked for again: rates change
local HOLD = 2     -- seconds that a rate limit holds all workers, doubling up to a minute

-- Common ends ---------------------------------------------------------------------

-- The step was made, or the job belongs to somebody else by now.
local function settled(job, ok)
  job.dropped = job.dropped or not ok
  return ok
end

local function drop(job)
  job.dropped = true
  return false
end

local function fail(run, job, err, task_failed)
  settled(job, run:step(job, "failed", err, task_failed))
  return false
end

-- Left as it is: another host, or another run, may be able to do it.
local function leave(run, job, err)
  run.left = true
  job.problem = err
  run:warn(job, err)
  return false
end

-- What an error means that has changed nothing.
-- @param failures of this kind in a row
local function on_error(run, job, err, failures)
  local meaning = policy.meaning(err, job.task_id ~= nil)
  if meaning == "job" then
    return fail(run, job, err)
  elseif meaning == "stop" then
    run:stop(err.kind, err)
    return false
  end
  run:warn(job, err)
  return run:back_off(failures, err)
end

-- Submitting ----------------------------------------------------------------------

-- Waits for its turn under the joint budget.
-- @param ask how: `take` takes it, `look` does not
-- @return whether the run goes on
local function await_turn(run, lane, ask)
  while not run.stopping do
    local seconds = run:with_ledger(false, ask, run.budget, lane)
    if seconds == 0 then
      return not run.stopping
    end
    seconds = seconds or 0
    run:tell_wait(lane, seconds, "the next %s may leave in %.0f s: the rate that the ledger holds "
      .. "for all workers is used up, or the server held them back", lane, seconds)
    run:sleep(math.min(seconds, LOOK) * (1 + math.random() / 10))
  end
end

-- Right before the request leaves: what it is made of is looked at, the turn is
-- taken and the intent written.
-- @return true if it may leave
local function intend(run, job, note)
  job.waiting = nil
  local unchanged, why = request.unchanged(job.files, {})
  if not unchanged then
    note.changed = why
    return false
  end
  note.asked = true
  local seconds, err = run.budget:take("submit")
  if seconds ~= 0 then
    note.err = err
    return false
  elseif run.stopping or not run:may_submit() then
    return false
  end
  local ok
  ok, err = run.claims:intend(job)
  note.err, note.lost = err, ok == false
  if ok then
    run:count_submit(1)
    run:tell { type = "state", key = job.key, state = "submitting", attempt = job.attempt }
  end
  return ok or false
end

-- The answer names a task: nothing comes before its id is on the disk.
local function keep_id(run, job, task)
  run.limits = 0
  run:on_answer()
  local ok, err = run:step(job, "submitted", task)
  if ok then
    job.fresh = true
    return true
  end
  local stray = fault.new("unknown", "the server named task %s, but that is another job's, or this "
    .. "job has another by now: one may be paid besides", task.task_id)
  run:tell { type = "task", key = job.key, task_id = task.task_id, kind = task.kind,
    err = err or stray }
  if not err then
    run:step(job, "unknown", stray) -- unless it has another task by now
  else
    warn("minimax: the id of a paid task could not be written: job ", job.key, ", task ",
      task.task_id)
    run.lost[#run.lost + 1] = { key = job.key, task_id = task.task_id, kind = task.kind }
  end
  return drop(job)
end

-- The submit failed after the intent was written.
local function on_submit_error(run, job, err)
  if err.kind == "unknown" and err.task then -- the answer names it all the same
    return keep_id(run, job, err.task)
  elseif err.kind == "unknown" or err.kind == "cancelled" then -- a cancelled one may have arrived
    settled(job, run:step(job, "unknown", err))
    return false
  end
  run:count_submit(-1) -- it was refused: nothing was paid
  if policy.meaning(err) == "job" then
    return fail(run, job, err)
  end
  local kept = settled(job, run:step(job, "unsent"))
  if err.kind == "rate_limit" then
    run.limits = run.limits + 1
    run:with_ledger(false, run.budget.hold, run.budget, "submit",
      math.min(HOLD * 2 ^ (run.limits - 1), run.budget.LONGEST_HOLD))
    run:on_answer()
  end
  if not kept and policy.meaning(err) ~= "stop" then
    return false
  end
  job.refusals = (job.refusals or 0) + 1
  return on_error(run, job, err, job.refusals)
end

-- Nothing left: the turn had not come, or the ledger did not take the intent.
local function on_not_sent(run, job, err, note)
  if note.lost then
    return drop(job)
  elseif note.changed then
    return leave(run, job, fault.new("io", "%s", note.changed))
  elseif note.err then -- it may have been written all the same
    if not note.err.transient then
      run:stop("io", note.err)
    end
    return settled(job, run:step(job, "unsent"))
  elseif note.asked and err.kind == "cancelled" then
    return true
  end
  job.refusals = (job.refusals or 0) + 1
  return on_error(run, job, err, job.refusals)
end

local function submit(run, job, body)
  local note = {}
  job.waiting = coroutine.running()
  local ok, task, err = pcall(run.client.submit, run.client, body, {
    kind = job.kind,
    on_send = function() return intend(run, job, note) end,
  })
  job.waiting = nil
  if job.state == "submitting" then
    if not ok then
      error(task, 0)
    elseif task then
      return keep_id(run, job, task)
    end
    return on_submit_error(run, job, err)
  elseif not ok then -- a value that no request can hold
    return fail(run, job, fault.new("invalid", "%s", tostring(task)))
  end
  return on_not_sent(run, job, err, note)
end

-- Whether the output is this job's alone. The file system knows: one file has many
-- paths.
local function check_output(run, job)
  local place, err = output.check(job.output)
  if not place then
    return nil, err
  end
  local others = run:with_ledger(false, run.claims.settle_place, run.claims, job, place)
  for _, other in ipairs(others or {}) do
    if output.is_same(job.output, other.output) then
      return nil, output.shared(job.output, other.key, other.output)
    end
  end
  return others and true
end

function steps.added(run, job)
  local present, why = request.present(job.files)
  if not present then
    return leave(run, job, fault.new("io", "%s", why))
  end
  local body, damage = request.deserialize(job.request, job.files)
  if not body then
    return fail(run, job, fault.new("invalid", "%s", damage))
  end
  local ok, err = check_output(run, job)
  if ok and run.options.strict then
    ok, err = check.strict(job, body)
  end
  if err then
    return (err.transient and leave or fail)(run, job, err)
  elseif not ok then -- the ledger failed
    return false
  end
  return run:may_submit() and await_turn(run, "submit", run.budget.look)
    and submit(run, job, body)
end

-- Asking --------------------------------------------------------------------------

-- The server answered.
-- @return whether the job goes on; nil: it is to be asked again
local function on_status(run, job, status)
  run:on_answer()
  if status.status ~= job.word then
    job.word = status.status
    run:tell { type = "status", key = job.key, task_id = job.task_id, status = status.status,
      state = status.state }
  end
  if status.state == "succeeded" then
    job.status = status
    return settled(job, run:step(job, "succeeded"))
  elseif status.state == "failed" or status.state == "cancelled" then
    return fail(run, job, status:failure(), true)
  end
end

-- Asks once.
-- @return whether the job goes on; nil: it is to be asked again. And an error
local function ask(run, job, failures)
  local status, err = run.client:query({ task_id = job.task_id, kind = job.kind })
  if status then
    return on_status(run, job, status)
  elseif not on_error(run, job, err, failures + 1) then
    return false
  end
  return nil, err
end

function steps.submitted(run, job)
  local interval, timeout = run.options.poll_interval, run.options.wait_timeout
  local began, failures = run.clock, 0
  local pause = job.fresh and interval or 0
  while run:sleep(pause) and await_turn(run, "query", run.budget.take) do
    local goes_on, err = ask(run, job, failures)
    if goes_on ~= nil then
      return goes_on
    elseif timeout and run.clock - began > timeout then
      return leave(run, job, err or fault.new("timeout",
        "the task has not ended within %g s; it goes on at the server", timeout))
    end
    failures = err and failures + 1 or 0
    pause = err and 0 or interval * (0.95 + math.random() / 10)
  end
  return false
end

-- Fetching ------------------------------------------------------------------------

-- @return the bytes of the whole video; or nil and an error; or nil where the job
--   can't go on here
local function fetch(run, job)
  local what = job.status or { task_id = job.task_id, kind = job.kind }
  job.status = nil -- another attempt asks for a fresh link
  local unwritten
  local info, err = run.client:download(what, job.output, { overwrite = false,
    on_whole = function(bytes, digest)
      unwritten = not settled(job, run:step(job, "fetched", bytes, digest))
      return not unwritten or nil, unwritten and "the ledger did not take it" or nil
    end })
  if info then
    return info.bytes
  elseif unwritten then
    return nil
  end
  return output.finished(job), err -- another worker on this host may have been quicker
end

function steps.succeeded(run, job)
  local bytes, err = output.finished(job)
  if err then
    return fail(run, job, err)
  end
  for attempt = 1, ATTEMPTS do
    if not bytes then
      bytes, err = fetch(run, job)
    end
    if bytes then
      run:on_answer()
      run:count_fetch(job, true)
      settled(job, run:step(job, "downloaded", bytes))
      return false
    end
    if err and policy.meaning(err, true) == "again" then
      run:count_fetch(job, false)
    end
    if not err or not on_error(run, job, err, attempt) then
      return false
    end
  end
  return leave(run, job, err)
end

return steps
