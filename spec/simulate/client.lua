--- A client and its server: tasks are made, asked for and fetched as the real ones
-- do it, with answers that are lost, late or wrong.

local clock = require "spec.simulate.clock"

local client = {}
client.__index = client

local Error = { __tostring = function(err) return err.kind .. ": " .. err.message end }

-- Kinds of errors that may be met: what the real client makes of each.
local ERRORS = {
  network = { retryable = true }, timeout = { retryable = true },
  server = { retryable = true, http_status = 500, code = 1000 },
  rate_limit = { retryable = true, http_status = 200, code = 1002 },
  balance = { http_status = 200, code = 1008 },
  content = { http_status = 200, code = 1026 },
  invalid = { http_status = 200, code = 2013 },
  page = { kind = "content", http_status = 422 }, -- of a proxy
  expired = {}, protocol = {}, io = {}, cancelled = {}, unknown = {},
}

local function mistake(name, message)
  local err = { kind = name, retryable = false, message = message or "simulated" }
  for field, value in pairs(ERRORS[name]) do
    err[field] = value
  end
  return setmetatable(err, Error)
end

--- @param night `clock`, `faults`, `random`, `disk`, `truth`
function client.new(night)
  return setmetatable({ night = night, tasks = {}, of_key = {}, count = 0, calls = {} }, client)
end

-- The server ------------------------------------------------------------------------

local function make_task(self, key)
  local night = self.night
  self.count = self.count + 1
  local now = night.clock.now
  local id = tostring(9007199254740993 + self.count * 7)
  local task = { task_id = id, key = key, kind = "template",
    ends = now + night.random:real(5, 120), fails = night.random:chance(0.1) }
  self.tasks[task.task_id] = task
  self.of_key[key] = self.of_key[key] or {}
  table.insert(self.of_key[key], task)
  night.truth:created(task)
  return task
end

--- The state of a task: "running", "succeeded", "failed".
function client:state(task)
  return self.night.clock.now < task.ends and "running" or task.fails and "failed" or "succeeded"
end

-- Ways ------------------------------------------------------------------------------

-- Waits for an answer; others may abort it.
-- @return true; false where it was aborted
local function travel(self, seconds, task_id)
  local process, token = clock.process_here(), {}
  if task_id then
    self.calls[token] = { process = process, task_id = task_id }
  end
  local aborted = process:wait(seconds, token)
  self.calls[token] = nil
  return not aborted
end

--- Ends what is under way about a task.
function client:abort(task)
  local process, found = clock.process_here(), {}
  for token, call in pairs(self.calls) do
    if call.process == process and call.task_id == task then
      found[1] = token -- a job has one at a time
    end
  end
  if found[1] then
    process.clock:after(0, function() process:wake(found[1], true) end)
  end
end

-- Submitting ------------------------------------------------------------------------

-- What becomes of a request that leaves: the first that happens.
local REFUSALS = { limited = "rate_limit", busy = "server", poor = "balance", banned = "content" }
local FATES = { "lost", "limited", "busy", "poor", "banned", "named" }

local function fate_of(night)
  for _, name in ipairs(FATES) do
    if night.faults:happens(name) then
      return name
    end
  end
  return night.faults.outage and "lost" or "good"
end

local function handle(task)
  return { task_id = task.task_id, kind = task.kind }
end

-- The answer, as it comes to the process that asked.
local function answer(self, process, attempt, fate, task)
  local night = self.night
  if REFUSALS[fate] then
    night.truth:refused(process, attempt.key, attempt.number)
    return nil, mistake(REFUSALS[fate])
  elseif fate == "lost" then
    return nil, mistake("unknown", "the answer was lost")
  end
  night.truth:delivered(process, task)
  if fate == "good" then
    return handle(task)
  end
  local err = mistake("unknown", "the answer names a task beside an error")
  err.task = handle(task)
  return nil, err
end

function client:submit(body, options)
  local night, process, key = self.night, clock.process_here(), body.text_inputs[1]
  travel(self, night.random:real(0, 2))
  if night.faults.outage or night.faults:happens "unsent" then
    return nil, mistake("network", "no connection")
  end
  local before = night.truth:intent(process, key)
  if not options.on_send() then
    night.truth:unsent(process, key, before)
    return nil, mistake("cancelled", "on_send stopped it")
  end
  local attempt = { key = key, number = night.truth:intent(process, key) }
  night.truth:sent(process, key, attempt.number)
  local fate, there = fate_of(night), night.random:real(0, 2)
  local task
  if not REFUSALS[fate] and not (fate == "lost" and night.random:chance(0.5)) then
    night.clock:after(there, function() task = make_task(self, key) end)
  end
  local back = night.faults:happens "late" and night.random:real(20, 400) or night.random:real(0, 2)
  travel(self, there + back)
  return answer(self, process, attempt, fate, task)
end

-- Asking ----------------------------------------------------------------------------

local Status = {}
Status.__index = Status

function Status.failure()
  return mistake("content", "the task came to nothing")
end

function client:query(what)
  local night = self.night
  local task = self.tasks[what.task_id]
  if not travel(self, night.random:real(0, 1), what.task_id) then
    return nil, mistake "cancelled"
  elseif night.faults.outage then
    return nil, mistake "network"
  elseif night.faults:happens "page" then
    return nil, mistake "page"
  elseif night.faults:happens "broken" then
    return nil, mistake(night.random:of { "network", "timeout", "server", "rate_limit" })
  elseif not task then
    return nil, mistake("invalid", "unknown task")
  end
  local state = self:state(task)
  return setmetatable({ task_id = task.task_id, kind = task.kind, state = state, status = state },
    Status)
end

-- Fetching --------------------------------------------------------------------------

-- FNV-1a, 64 bits.
local function digest(content)
  local hash = -3750763034362895579
  for _, byte in ipairs { content:byte(1, -1) } do
    hash = (hash ~ byte) * 1099511628211
  end
  return ("%016x"):format(hash)
end

--- The video of a task.
function client.video(task)
  return "\0\0\0\24ftypmp42 " .. task.key .. " " .. task.task_id
end

-- Writes what has arrived, and gives it its name.
local function keep(night, content, path, options)
  local process = clock.process_here()
  local ok, why = night.disk:write(path .. ".part", content)
  if not ok then
    return nil, mistake("io", why)
  end
  night:hazard(process, true)
  if options.on_whole then
    ok, why = options.on_whole(#content, digest(content))
    if not ok then
      return nil, mistake("io", tostring(why))
    end
  end
  night:hazard(process, true)
  ok, why = night.disk:rename(path .. ".part", path)
  night:hazard(process, true)
  return ok and { bytes = #content, path = path }, not ok and mistake("io", why) or nil
end

function client:download(what, path, options)
  local night = self.night
  local task = self.tasks[what.task_id]
  if not travel(self, night.random:real(0, 5), what.task_id) then
    return nil, mistake "cancelled"
  elseif night.faults.outage or night.faults.storage_down then
    return nil, mistake "network"
  elseif night.faults:happens "expired" then
    return nil, mistake "expired"
  elseif night.faults:happens "short" then
    return nil, mistake(night.random:of { "network", "protocol", "page", "server" })
  elseif not task or self:state(task) ~= "succeeded" then
    return nil, mistake("invalid", "the task has not succeeded")
  end
  return keep(night, client.video(task), path, options)
end

return client
