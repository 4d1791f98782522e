--- The owner of a batch: adds jobs, looks, sets right, at any time and in a process
-- of their own, with the mistakes that people make.

local code = require "spec.simulate.code"

local owner = {}

-- A job like many; `spelling` is one of the ways to write one folder.
local function job(night, number)
  local folder = night.random:of { "", "out/", "out/", "link/", "./out//" }
  local name = night.random:chance(0.15) and number // 2 or number
  return { key = "job" .. number, output = folder .. name .. ".mp4",
    request = { template_id = "1", text_inputs = { "job" .. number } } }
end

--- Adds so many jobs.
function owner.add(night, b, count)
  for _ = 1, count do
    night.jobs = night.jobs + 1
    b:add(job(night, night.jobs))
  end
end

-- An id for a job that lost its own: the right one, where there is one.
local function task_for(night, found)
  local task
  for _, one in ipairs(night.client.of_key[found.key] or {}) do
    if one.task_id ~= found.task_id then
      task = one
    end
  end
  return task and task.task_id
end

local function adopt(night, b, found)
  local id = task_for(night, found)
  if night.random:chance(0.2) then
    id = night.random:of { "123456789", (id or "1") .. " ", "job1" } -- mistyped
  end
  return id and b:adopt(found.key, id)
end

local function retry(night, b, process, found)
  process.resubmits = night.random:chance(0.2)
  b:retry(found.key, process.resubmits and { resubmit = true } or nil)
  process.resubmits = false
end

-- Sets right, or not, what failed or is unknown.
local function settle(night, b, process, found)
  local kind = night.random:index(4)
  if kind == 1 then
    adopt(night, b, found)
  elseif kind == 2 then
    retry(night, b, process, found)
  end
end

local function jobs_of(b)
  local found = {}
  for one in b:jobs() do
    found[#found + 1] = one
  end
  return found
end

-- Does something to each job that failed or is unknown.
local function each(night, process, act)
  process.is_owner = true
  local b = code.require "minimax.batch".open(night.store.where, night.client)
  local ok, found = pcall(jobs_of, b or {})
  if not ok then -- the ledger failed
    return
  end
  for _, one in ipairs(found) do
    if one.state == "failed" or one.state == "unknown" then
      act(night, b, process, one)
    end
  end
  return b
end

--- Somewhere in the night.
function owner.visit(night, process)
  local b = each(night, process, settle)
  if b and night.random:chance(0.3) then
    owner.add(night, b, 1)
  end
  if b then
    b:close()
  end
end

-- In the morning: nothing stays unknown, and what failed gets its chance.
local function finish(night, b, process, found)
  local id = task_for(night, found)
  if not (found.state == "unknown" and id and b:adopt(found.key, id)) then
    process.resubmits = found.state == "failed" and night.random:chance(0.3)
    b:retry(found.key, { resubmit = process.resubmits })
    process.resubmits = false
  end
end

--- When all is well again.
function owner.clear(night, process)
  each(night, process, finish):close()
end

return owner
