--- How jobs come into a ledger: one, a list, or a file of JSON Lines.

local fault = require "minimax.batch.fault"
local jsonl = require "minimax.batch.jsonl"
local options = require "minimax.batch.options"
local output = require "minimax.batch.output"
local request = require "minimax.batch.request"

local adding = {}

local PIECE = 1000 -- jobs that one transaction takes, where not all must be one

local TELLING = { { "template_id", "template" }, { "content", "video2" }, { "model", "video" } }

local function kind_of(body)
  for _, told in ipairs(TELLING) do
    if body[told[1]] ~= nil then
      return told[2]
    end
  end
end

-- What the ledger keeps of a job. Called by what the caller calls.
local function freeze(given, digests)
  local job = options.job(given, 3)
  job.kind = job.kind or kind_of(job.request)
  if not job.kind then
    return nil, fault.new("invalid", "job '%s': the request has neither template_id, model nor "
      .. "content: the kind of task can't be told (or set the field kind)", job.key)
  end
  local text, files, problem = request.freeze(job.request, digests)
  if not text then
    return nil, fault.new(problem, "job '%s': %s", job.key, files)
  end
  job.request, job.files, job.output = text, files, output.normal(job.output)
  return job
end

--- Adds one job.
-- @return 1 if it is new, 0 if it was there; or nil and an error
function adding.one(ledger, given)
  local job, err = freeze(given, {})
  if not job then
    return nil, err
  end
  return ledger:add(job)
end

--- Adds all jobs of a list, or none.
-- @return how many were new; or nil and an error with the job's `index`
function adding.list(ledger, list)
  local jobs, digests = {}, {}
  for index, given in ipairs(list) do
    local job, err = freeze(given, digests)
    if not job then
      err.index = index
      return nil, err
    end
    jobs[index] = job
  end
  local count, problems = ledger:add_all(jobs, "all")
  if not count then
    return nil, problems
  elseif problems[1] then
    problems[1].err.index = problems[1].index
    return nil, problems[1].err
  end
  return count
end

-- Jobs that were read wait here for their transaction.
local Pile = {}
Pile.__index = Pile

function Pile:flush(how)
  local count, found = self.ledger:add_all(self.jobs, how)
  if not count then
    self.err = found
    return
  end
  self.count = self.count + count
  for _, problem in ipairs(found) do
    self.problems[#self.problems + 1] = { line = self.jobs[problem.index].line,
      message = problem.err.message }
  end
  self.jobs = {}
end

function Pile:add(given, line)
  local job, err = freeze(given, self.digests)
  if not job then
    return nil, err.message
  end
  job.line = line
  self.jobs[#self.jobs + 1] = job
  if self.keep_going and #self.jobs == PIECE and not self.err then
    self:flush "some"
  end
  return true
end

--- Adds the jobs of a file.
-- @param source a path or an open file, see `jsonl.lua`
-- @param keep_going false: all of them or none; true: those that can be added
-- @return how many were new, and a list of `{ line, message }` of the bad ones; or
--   nil and an error
function adding.lines(ledger, source, keep_going)
  local pile = setmetatable({ ledger = ledger, keep_going = keep_going, jobs = {}, digests = {},
    count = 0, problems = {} }, Pile)
  local bad, err = jsonl.each(source, function(job, line) return pile:add(job, line) end)
  if not bad then
    return nil, err
  end
  pile:flush(keep_going and "some" or bad[1] and "none" or "all")
  if pile.err then
    return nil, pile.err
  end
  table.move(bad, 1, #bad, #pile.problems + 1, pile.problems)
  table.sort(pile.problems, function(one, other) return one.line < other.line end)
  return pile.count, pile.problems
end

return adding
