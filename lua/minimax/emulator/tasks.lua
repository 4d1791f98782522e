--- The tasks of the account: what was asked, and how far each has come. Nothing
-- here runs by itself: a task's stage follows from its age.

local tasks = {}
tasks.__index = tasks

-- The share of its time at which a task enters each stage.
local STAGES = {
  template = { { 0, "preparing" }, { 0.25, "running" } },
  video = { { 0, "preparing" }, { 0.1, "queued" }, { 0.25, "running" } },
  video2 = { { 0, "queued" }, { 0.25, "running" } },
}

--- @param clock a function: emulated seconds since the start
-- @param ids where new ids come from
-- @param options `seconds` that a task takes, `fail_rate`
function tasks.new(clock, ids, options)
  local self = { clock = clock, ids = ids, options = options, by_id = {},
    by_file = {}, list = {} }
  return setmetatable(self, tasks)
end

--- Begins a task.
-- @param kind "template", "video" or "video2"
-- @param request the decoded body
-- @param fault what a fault wants of it: `{ fails = code, message = }`
function tasks:create(kind, request, fault)
  fault = fault or {}
  local fails = fault.fails
  if not fails and math.random() < self.options.fail_rate then
    fails = 1027
  end
  local now = os.time()
  local task = { id = self.ids:new_id(kind), kind = kind, request = request, born = self.clock(),
    seconds = fault.seconds or self.options.seconds, fails = fails, message = fault.message,
    created_at = now, updated_at = now, file_id = self.ids:new_id("file") }
  self.by_id[task.id] = task
  self.by_file[task.file_id] = task
  self.list[#self.list + 1] = task
  return task
end

--- Looks a task up; nil for one that is unknown, deleted or of another kind.
function tasks:find(id, kind)
  local task = self.by_id[id or ""]
  if task and task.kind == kind and not task.deleted then
    return task
  end
end

--- How far a task has come.
-- @return "preparing", "queued", "running", "succeeded", "failed" or "cancelled"
function tasks:stage(task)
  if task.cancelled then
    return "cancelled"
  end
  local share = (self.clock() - task.born) / task.seconds
  if share >= 1 or task.seconds <= 0 then
    return task.fails and "failed" or "succeeded"
  end
  local stage
  for _, entry in ipairs(STAGES[task.kind]) do
    if share >= entry[1] then
      stage = entry[2]
    end
  end
  return stage
end

--- Emulated seconds until the task enters its next stage; nil once it has ended.
function tasks:until_next(task)
  if task.cancelled or task.deleted then
    return nil
  end
  local age = self.clock() - task.born
  for _, entry in ipairs(STAGES[task.kind]) do
    if entry[1] * task.seconds > age then
      return entry[1] * task.seconds - age
    end
  end
  return age < task.seconds and task.seconds - age or nil
end

return tasks
