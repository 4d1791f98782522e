--- What always holds, whatever goes wrong: the truth is known here, and the ledger
-- is held against it after each of its changes.

local truth = {}
truth.__index = truth

local OPEN = { added = true, submitting = true, submitted = true, succeeded = true }

--- @param night `clock`, `store`, `client`, `disk`, `shared`
function truth.new(night)
  return setmetatable({ night = night, rows = {}, keys = {}, possible = {}, allowed = {}, made = {},
    intents = {}, kept = {}, arrived = {}, broken = {} }, truth)
end

--- Notes that a rule was broken.
function truth:breaks(format, ...)
  local text = format:format(...)
  self.night:log("BROKEN " .. text)
  self.broken[#self.broken + 1] = text
end

-- What the server and the client tell ----------------------------------------------

--- The attempt for which a process has an intent on the disk; nil where it has none.
function truth:intent(process, key)
  return (self.intents[process] or {})[key]
end

-- Certainly no task comes of it.
local function withdraw(self, process, key)
  self.intents[process][key] = nil
  self.possible[key] = self.possible[key] - 1
end

--- A request leaves.
-- @param attempt of the job
function truth:sent(process, key, attempt)
  self.night:log("sent", process.name, key)
  if not attempt then
    self:breaks("%s: a request left without an intent in the ledger", key)
  end
end

--- A request did not leave.
-- @param before the intent that there was before it was asked whether it may
function truth:unsent(process, key, before)
  if self:intent(process, key) ~= before then
    withdraw(self, process, key)
  end
end

--- The server made a task.
function truth:created(task)
  local key = task.key
  self.night:log("task", key, task.task_id)
  self.made[key] = (self.made[key] or 0) + 1
  if self.made[key] > self.allowed[key] then
    self:breaks("%s: paid for %d times, and its owner allowed %d", key, self.made[key],
      self.allowed[key])
  end
end

--- A process reads that nothing was created.
function truth:refused(process, key, attempt)
  self.night:log("refused", process.name, key)
  if self:intent(process, key) == attempt then
    withdraw(self, process, key)
  else
    self.possible[key] = self.possible[key] - 1
  end
  process.refusals = process.refusals or {}
  table.insert(process.refusals, { key = key, attempt = attempt })
end

--- A process reads a task's id.
function truth:delivered(process, task)
  self.night:log("id", process.name, task.key, task.task_id)
  table.insert(self.arrived, { process = process, task = task })
end

-- Rows --------------------------------------------------------------------------------

local function has_id(row, id)
  return row.task_id == id or (" " .. (row.strays or "")):find(" " .. id .. " ", 1, true) ~= nil
end

-- An id that was in the ledger is there for ever.
local function check_ids(self, row)
  local kept = self.kept[row.key] or {}
  self.kept[row.key] = kept
  if row.task_id and not has_id({ strays = table.concat(kept, " ") .. " " }, row.task_id) then
    kept[#kept + 1] = row.task_id
  end
  for _, id in ipairs(kept) do
    if not has_id(row, id) then
      self:breaks("%s: the id %s was in the ledger, and is no more", row.key, id)
    end
  end
end

-- What is downloaded is that job's own video.
local function check_video(self, row)
  local content = self.night.disk:read(row.output)
  local task = self.night.client.tasks[row.task_id]
  if not task or content ~= self.night.client.video(task) then
    self:breaks("%s: downloaded, and '%s' is not the video of its task %s", row.key, row.output,
      row.task_id)
  end
end

-- An owner lets a job be submitted once more.
local function permit(self, old, process)
  local task = self.night.client.tasks[old.task_id]
  local came_to_nothing = task and task.fails and self.night.client:state(task) == "failed"
  if process.resubmits or old.state == "unknown" or came_to_nothing then
    self.allowed[old.key] = math.max(self.allowed[old.key], self.possible[old.key] + 1)
  end
end

local function check_change(self, old, row, process)
  local key = row.key
  self.night:log(process.name, key, old.state, row.state, row.attempt, row.task_id, row.worker)
  if old.state == "downloaded" then
    self:breaks("%s: was downloaded, and is %s", key, row.state)
  elseif row.state == "submitting" then
    self.intents[process] = self.intents[process] or {}
    self.intents[process][key] = row.attempt
    self.possible[key] = self.possible[key] + 1
  elseif row.state == "added" and process.is_owner then
    permit(self, old, process)
  elseif row.state == "downloaded" then
    check_video(self, row)
  end
  if row.attempt < old.attempt then
    self:breaks("%s: attempt %d after %d", key, row.attempt, old.attempt)
  end
end

local function check_row(self, row, process)
  local old = self.rows[row.key]
  if not old then
    self.keys[#self.keys + 1] = row.key
    self.possible[row.key], self.allowed[row.key] = 0, 1
  elseif old.state ~= row.state or old.attempt ~= row.attempt or old.task_id ~= row.task_id then
    check_change(self, old, row, process)
  end
  row.changed = self.night.clock.events
  self.rows[row.key] = row
  check_ids(self, row)
  if row.state == "added" and self.possible[row.key] >= self.allowed[row.key] then
    self:breaks("%s: is to be submitted, and a task of it may exist", row.key)
  elseif (row.state == "submitted" or row.state == "succeeded") and not row.task_id then
    self:breaks("%s: is %s without a task", row.key, row.state)
  end
end

-- Every column that changes what a run does.
local LOOK = [[SELECT key, state, attempt, task_id, strays, worker, lease, avoid, output
  FROM minimax_jobs ORDER BY id]]

local SAME = { "state", "attempt", "task_id", "strays", "worker", "avoid" }

local function is_same(old, row)
  for _, name in ipairs(SAME) do
    if not old or old[name] ~= row[name] then
      return false
    end
  end
  return true
end

--- Looks at the ledger after a process has changed it.
function truth:look(process)
  self.looking = self.looking or assert(self.night.store.observer:prepare(LOOK))
  assert(self.looking:execute())
  local rows = {}
  for row in self.looking:rows(true) do
    rows[#rows + 1] = row
  end
  for _, row in ipairs(rows) do
    local old = self.rows[row.key]
    if not is_same(old, row) then
      check_row(self, row, process)
    else
      old.lease = row.lease
    end
  end
end

-- Ends of runs ----------------------------------------------------------------------

-- Every id that arrived is in the ledger, or was told.
local function check_arrived(self, process, told)
  for _, id in ipairs(self.arrived) do
    local row = self.rows[id.task.key]
    if id.process == process and not has_id(row, id.task.task_id) and not told[id.task.task_id] then
      self:breaks("%s: the id %s arrived, and is nowhere", row.key, id.task.task_id)
    end
  end
end

-- What was refused is not unknown.
local function check_refused(self, process)
  for _, refusal in ipairs(process.refusals or {}) do
    local row = self.rows[refusal.key]
    if row.state == "unknown" and row.attempt == refusal.attempt then
      self:breaks("%s: is unknown, and was refused", row.key)
    end
  end
end

-- Where a run is done, nothing is left that it could have done.
local function check_done(self, process)
  for _, key in ipairs(self.keys) do
    local row = self.rows[key]
    local others = row.changed > (process.looked[row.state] or math.huge) or row.avoid ~= ","
    if OPEN[row.state] and not others then
      self:breaks("%s: is %s (worker %s), and the run says that it is done", key, row.state,
        row.worker)
    end
  end
end

--- A run has ended by itself.
-- @param told ids that it has told of
function truth:run_ended(process, reason, told)
  check_arrived(self, process, told)
  if reason ~= "io" then
    check_refused(self, process)
  end
  if reason == "done" then
    check_done(self, process)
  end
end

--- The night is over, and all went well in the end.
function truth:night_ended()
  for _, key in ipairs(self.keys) do
    local row = self.rows[key]
    if OPEN[row.state] then
      self:breaks("%s: is %s in the morning", key, row.state)
    end
  end
end

function truth:close()
  if self.looking then
    self.looking:close()
  end
end

return truth
