--- A night with a batch whose workers are killed: it starts, kills and restarts
-- them, and says whether anything was lost or paid twice.

local batch = require "minimax.batch"
local emulator = require "minimax.emulator"
local lfs = require "lfs"
local minimax = require "minimax"
local process = require "spec.support.process"
local temp = require "spec.support.temp"

local killed_batch = {}
killed_batch.__index = killed_batch

--- Begins one.
-- @param options `where` (a ledger's address; else a file), `jobs`, `video_bytes`,
--   `seconds` that a task takes, `emulator` (more options), `run` (the options of each run)
function killed_batch.begin(options)
  local self = setmetatable({ folder = temp.folder(), options = options, kills = {}, whole = {},
    under_way = {}, fetched_again = 0 }, killed_batch)
  self.video_bytes = options.video_bytes or 20000
  local given = { speed = 1, seconds = options.seconds or 1, video_bytes = self.video_bytes }
  for name, value in pairs(options.emulator or {}) do
    given[name] = value
  end
  self.emulator = assert(emulator.start(given))
  self.where = options.where or self.folder:file "ledger.db"
  self.client = minimax.new { base_url = self.emulator.base_url, api_key = self.emulator.api_key }
  local jobs = {}
  for number = 1, options.jobs do
    jobs[number] = { key = "job-" .. number, output = self.folder:file(number .. ".mp4"),
      request = { template_id = "393769180141805569", text_inputs = { "Lion " .. number },
        media_inputs = { minimax.file "doc/examples/pet.jpg" } } }
  end
  local b <close> = self:open()
  assert(b:add(jobs) == options.jobs)
  return self
end

function killed_batch:open()
  return assert(batch.open(self.where, self.client))
end

local function text_of(value)
  if type(value) ~= "table" then
    return string.format("%q", value)
  end
  local parts = {}
  for name, member in pairs(value) do
    parts[#parts + 1] = "[" .. text_of(name) .. "]=" .. text_of(member)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- Starts a worker.
-- @return a process, see `process.lua`
function killed_batch:worker(run)
  local options = text_of(run or self.options.run)
  return process.start { file = "spec/support/batch_worker.lua", timeout = 1200,
    args = { self.where, self.emulator.base_url, options } }
end

--- The jobs in a state, by key.
function killed_batch:jobs(state)
  local b <close> = self:open()
  local found = {}
  for job in b:jobs { state = state } do
    found[job.key] = job
  end
  return found
end

-- Nobody asks for a video that was whole when this was called the last time.
function killed_batch:count_fetches()
  for _, entry in ipairs(self.emulator:requests { endpoint = "storage" }) do
    local file_id = entry.path:match("%%2F(%w+)%%2F[^/]*$")
    self.fetched_again = self.fetched_again + (self.whole[file_id] and 1 or 0)
  end
  self.emulator:clear()
  for _, task in ipairs(self.emulator:tasks()) do
    self.whole[task.file_id] = self:is_whole(task.request.text_inputs[1].value:match("%d+"))
  end
end

function killed_batch:is_whole(number)
  return lfs.attributes(self.folder:file(number .. ".mp4"), "size") == self.video_bytes
end

--- Kills a worker that may have ended.
function killed_batch.kill(worker)
  os.execute("kill -KILL " .. worker.pid .. " 2>/dev/null")
end

local function attempt_of(job)
  return job.key .. " " .. job.attempt
end

-- How many submits this kill has met; they alone may be unknown.
function killed_batch:count_under_way()
  local count = 0
  for _, job in pairs(self:jobs "submitting") do
    local attempt = attempt_of(job)
    count = count + (self.under_way[attempt] and 0 or 1)
    self.under_way[attempt] = true
  end
  return count
end

--- The unknown jobs that no kill has met in the middle of a submit.
function killed_batch:unexplained()
  local found = {}
  for key, job in pairs(self:jobs "unknown") do
    if not self.under_way[attempt_of(job)] then
      found[#found + 1] = key
    end
  end
  return found
end

--- Lets a worker live for so many seconds after it has opened the ledger, and
-- kills it.
-- @return true where it had ended by itself before; and what it printed
function killed_batch:kill_after(seconds)
  local worker <close> = self:worker()
  worker:read("l")
  minimax.sleep(seconds)
  killed_batch.kill(worker)
  local result = worker:finish()
  local ended = result.code ~= nil
  if not ended then
    self.kills[#self.kills + 1] = self:count_under_way()
  end
  self:count_fetches()
  return ended, result.out .. result.err
end

--- Settles what is unknown, as its owner would: the tasks that exist are adopted,
-- the others tried again.
-- @return how many were adopted, and tried again
function killed_batch:settle()
  local tasks, adopted, again = {}, 0, 0
  for _, task in ipairs(self.emulator:tasks()) do
    tasks[task.request.text_inputs[1].value] = task.task_id
  end
  local b <close> = self:open()
  for key, job in pairs(self:jobs "unknown") do
    local id = tasks[job.request.text_inputs[1]]
    if id then
      assert(b:adopt(key, id))
      adopted = adopted + 1
    else
      assert(b:retry(key))
      again = again + 1
    end
  end
  return adopted, again
end

--- What the night came to.
-- @return a table: `tasks` at the server, `twice` (prompts with more than one),
--   `whole` videos, `fetched_again` after they were whole, `counts`, `strays`
function killed_batch:balance()
  local result = { tasks = 0, twice = 0, whole = 0, strays = 0 }
  local seen = {}
  for _, task in ipairs(self.emulator:tasks()) do
    local prompt = task.request.text_inputs[1].value
    result.tasks = result.tasks + 1
    result.twice = result.twice + (seen[prompt] and 1 or 0)
    seen[prompt] = true
  end
  for number = 1, self.options.jobs do
    result.whole = result.whole + (self:is_whole(number) and 1 or 0)
  end
  local b <close> = self:open()
  for job in b:jobs() do
    result.strays = result.strays + (job.strays and 1 or 0)
  end
  result.counts, result.fetched_again = b:status(), self.fetched_again
  return result
end

function killed_batch:close()
  self.client:close()
  self.emulator:stop()
  self.folder:close()
end

killed_batch.__close = killed_batch.close

return killed_batch
