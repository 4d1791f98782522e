--- A run: so many jobs at a time, each in a coroutine that takes one job after
-- the other, until there is nothing left to do or a reason to stop.

local fault = require "minimax.batch.fault"
local interruptible = require "minimax.batch.interruptible"
local minimax = require "minimax"
local policy = require "minimax.batch.policy"
local steps = require "minimax.batch.steps"

local runner = {}
runner.__index = runner

local WATCH = 1 -- seconds between two looks at what other workers hold
local OUTAGE = 3 -- videos that can't be fetched, none between that can: no more is paid for
local LOST = 0.5 -- seconds between two attempts to reach the database again

--- @param parts `ledger`, `client`, `claims`, `budget`, `options` (complete),
--   `reserve` (of the ledger's dialect)
function runner.new(parts)
  parts.slots, parts.active, parts.submits = 0, {}, 0
  parts.clock, parts.answered, parts.limits, parts.unfetched = 0, 0, 0, 0
  parts.lost, parts.told, parts.watched = {}, {}, 0
  return setmetatable(parts, runner)
end

-- Telling -------------------------------------------------------------------------

--- Calls `on_event`; an error in it is warned of once and hurts nobody.
function runner:tell(event)
  local on_event = self.options.on_event
  if not on_event then
    return
  end
  event.time = os.time()
  local ok, why = pcall(on_event, event)
  if not ok and not self.complained then
    self.complained = true
    warn("minimax: an error in on_event of a batch: ", tostring(why))
  end
end

function runner:warn(job, err)
  self:tell { type = "warning", key = job.key, state = job.state, task_id = job.task_id, err = err }
end

local LONG = 30 -- seconds that a run waits without a word

--- Says why the run waits, where that takes long: for each reason once in ten minutes.
-- @param seconds that it waits, or has waited
-- @param ... the words, as `string.format` takes them
function runner:tell_wait(reason, seconds, ...)
  if seconds >= LONG and self.clock >= (self.told[reason] or 0) then
    self.told[reason] = self.clock + 600
    self:tell { type = "warning", err = fault.new("timeout", ...) }
  end
end

-- Ends what costs nothing and may take long: a submit that has not left and
-- waits for its turn at the client, a query.
local function end_waiting(self)
  for _, job in pairs(self.active) do
    if job.waiting and coroutine.status(job.waiting) == "suspended" then
      coroutine.close(job.waiting)
    elseif job.state == "submitted" then
      self.client:abort(job.task_id)
    end
  end
end

--- Stops the run; the first reason counts.
function runner:stop(reason, err)
  if not self.stopping then
    self.stopping, self.err = reason, err
    self:tell { type = "stop", reason = reason, err = err }
    end_waiting(self)
  end
end

--- Counts a submit that left, or takes it back where it was refused.
function runner:count_submit(change)
  self.submits = self.submits + change
  self.held_back = false -- until the next one asks
end

--- Whether one more task may be paid for.
function runner:may_submit()
  local most = self.options.max_submits
  local left = self.unfetched >= OUTAGE and "left"
  self.held_back = most and self.submits >= most and "max_submits" or left
  return not self.held_back
end

--- A video that is paid for could not be fetched, or could be after all. While the
-- storage host is down nothing more is paid for, which might be lost there.
function runner:count_fetch(job, fetched)
  if fetched then
    self.unfetched, self.held_back = 0, false -- until the next submit asks
  elseif not job.unfetched then
    job.unfetched = true
    self.unfetched = self.unfetched + 1
  end
end

-- Waiting -------------------------------------------------------------------------

-- `clock` counts the seconds of this run. The system's time would count those
-- that a laptop was asleep, and give up before the network is there again.

--- The server has answered.
function runner:on_answer()
  self.answered = self.clock
end

--- Sleeps, but no longer than the run goes on.
-- @return whether it goes on
function runner:sleep(seconds)
  while seconds > 0 and not self.stopping do
    minimax.sleep(math.min(seconds, 0.5))
    seconds = seconds - 0.5
  end
  return not self.stopping
end

--- Waits before what failed is tried again.
-- @param failures in a row, from 1
-- @return whether the run goes on
function runner:back_off(failures, err)
  local patience = self.options.patience
  if patience and self.clock - self.answered > patience then
    self:stop(err.kind, err)
    return false
  end
  local base = math.min(self.options.poll_interval, 1)
  local seconds = math.min(base * 2 ^ (failures - 1), 30)
  return self:sleep(seconds * (0.75 + math.random() / 2))
end

-- The ledger ----------------------------------------------------------------------

-- How long a write that must not be lost is tried again where the disk is full.
local INSISTENCE = 60

-- Seconds that an attempt takes at most; more is the machine's sleep.
local CONNECTING = 30

--- Does something with the ledger, again and again while the connection is lost.
-- A run without its ledger can do nothing: any other failure stops it.
-- @param insist true: goes on for a while even so
-- @param work returns an error in the second place where it failed: whatever stands
--   in the first is no answer then
-- @return what `work` returned; nil and an error after the run was stopped
function runner:with_ledger(insist, work, ...)
  local lost, failing = 0, 0 -- seconds
  while true do
    local began = os.time()
    local results = table.pack(work(...))
    local taken = LOST + math.max(0, math.min(os.time() - began, CONNECTING))
    local err = results[2]
    if not err then
      return table.unpack(results, 1, results.n)
    elseif err.transient then
      local patience = self.stopping and INSISTENCE or self.options.patience
      if patience and lost > patience then
        self:stop("io", err)
        return nil, err
      end
      lost = lost + taken
      self:tell_wait("ledger", lost, "the run waits for its ledger: %s", err.message)
    else
      self:stop("io", err)
      if not insist or failing > INSISTENCE then
        return nil, err
      end
      failing = failing + taken
      self.reserve.free()
    end
    minimax.sleep(LOST)
  end
end

--- Makes a step of a job: the name of a function of `claims.lua`, which says
-- what it returns. What came of a submit must not be lost.
function runner:step(job, name, ...)
  local claims = self.claims
  local before = job.state
  local insist = name == "unsent" or before == "submitting"
  local ok, err = self:with_ledger(insist, claims[name], claims, job, ...)
  if ok and job.state ~= before then
    self:tell { type = "state", key = job.key, state = job.state, task_id = job.task_id,
      output = job.state == "downloaded" and job.output or nil,
      err = (job.state == "failed" or job.state == "unknown") and (...) or nil }
  end
  return ok, err
end

-- Jobs ----------------------------------------------------------------------------

local function claim(self)
  for _, state in ipairs(policy.open) do
    if state ~= "added" or not self.held_back then
      local job = self:with_ledger(false, self.claims.take, self.claims, state)
      if job or self.stopping then
        return job
      end
    end
  end
end

local function work(self, job)
  self.active[job.id] = job
  local goes_on = true
  while goes_on and not self.stopping and steps[job.state] do
    goes_on = steps[job.state](self, job)
  end
  if steps[job.state] and not job.dropped then
    self:step(job, "release", job.problem, job.problem ~= nil)
  end
  self.active[job.id] = nil
end

-- Nothing could be taken, and nothing is under way here: what is held without
-- anybody's knowing is freed, and looked for once more.
-- @return a job; or true where others may leave work to be taken over
local function look_again(self)
  local shared = self.ledger.dialect.shared
  self:with_ledger(false, self.claims.let_go, self.claims)
  self:settle_dead(not shared)
  local job = not self.stopping and claim(self)
  if job or self.stopping or not shared then
    return job
  end
  local jobs = self:with_ledger(false, self.claims.remaining, self.claims, self.held_back)
  if not jobs or jobs == 0 then
    return false
  end
  self.watched = self.watched + WATCH
  if self.watched % LONG == 0 then
    self:with_ledger(false, self.claims.shorten, self.claims)
  end
  self:tell_wait("others", self.watched, "the run waits for jobs that other workers hold (%d), to "
    .. "take them over when a lease ends", jobs)
  return self:sleep(WATCH)
end

local slot

local function grow(self)
  if self.slots < self.options.max_in_flight then
    self.slots = self.slots + 1
    minimax.spawn(slot, self)
  end
end

-- Whatever ends a slot, it counts no longer; the last one takes the keeper along.
local function leave_slot(self)
  self.slots = self.slots - 1
  if self.slots == 0 and coroutine.status(self.keeper) == "suspended" then
    coroutine.close(self.keeper)
  end
end

function slot(self)
  local _ <close> = setmetatable({}, { __close = function() leave_slot(self) end })
  repeat
    local job = not self.stopping and claim(self)
    if not job and not self.stopping and self.slots == 1 then
      job = look_again(self)
    end
    if job and job ~= true then
      self.watched = 0
      grow(self)
      work(self, job)
    end
  until not job
end

-- Keeping -------------------------------------------------------------------------

--- Settles what dead workers were submitting.
-- @param all true: this is the only worker
function runner:settle_dead(all)
  local rows = self:with_ledger(false, self.ledger.give_up_dead, self.ledger, all)
  for _, job in ipairs(rows or {}) do
    self:tell { type = "state", key = job.key, state = "unknown",
      err = fault.restore(job) }
  end
end

-- Prolongs the leases of what is under way, and looks after the dead.
local function keep_leases(self)
  local ids = {}
  for id in pairs(self.active) do
    ids[#ids + 1] = id
  end
  self:with_ledger(false, self.claims.prolong, self.claims, ids)
  self:settle_dead(false)
  self:with_ledger(false, self.budget.refresh, self.budget)
end

local TICK = 1 -- seconds, at most

local function keep(self)
  local interval = self.options.lease / 4
  local tick, due, kept = math.min(TICK, interval), interval, os.time()
  repeat
    minimax.sleep(tick)
    self.clock = self.clock + tick
    -- A loop that is slow counts fewer seconds than pass.
    if self.clock >= due or os.time() - kept >= interval then
      due, kept = self.clock + interval, os.time()
      keep_leases(self)
    end
  until self.slots == 0
end

-- Ctrl-C: what is being submitted is waited for, the rest can go on at any time.
local function interrupt(self)
  self:stop("cancelled", fault.new("cancelled", "the run was interrupted"))
  for _, job in pairs(self.active) do
    if job.state == "succeeded" then
      self.client:abort(job.task_id)
    end
  end
end

--- Runs until it is done or stopped.
-- @return the reason, and an error where there is one
function runner:run()
  interruptible.run(function()
    self.keeper = minimax.spawn(keep, self)
    grow(self)
  end, function() interrupt(self) end)
  return self.stopping or self.held_back or self.left and "left" or "done", self.err
end

--- Gives everything back after a run that ended in the middle: what was being
-- submitted is unknown from here on.
function runner:abandon()
  local failure = fault.new("unknown", "the run was interrupted while the submit was under way: "
    .. "a task may exist and be paid")
  for _, job in pairs(self.active) do
    if job.state == "submitting" then
      self.claims:unknown(job, failure)
    else
      self.claims:release(job)
    end
  end
end

return runner
