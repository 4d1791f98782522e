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

-- Why not every ledger can hold a job's names, or nil: PostgreSQL takes UTF-8 without
-- NUL, and a ledger may be copied there.
local function problem_of_names(job)
  for _, name in ipairs { "key", "output" } do
    if not utf8.len(job[name]) or job[name]:find("%z") then
      return fault.new("invalid", "job '%s': its %s is not UTF-8, or holds a NUL",
        (job.key:gsub("[%c\x80-\xFF]", "?")), name)
    end
  end
end

-- What the ledger keeps of a job. Called by what the caller calls.
local function serialize(given, digests)
  local job = options.job(given, 3)
  local err = problem_of_names(job)
  if err then
    return nil, err
  end
  job.kind = job.kind or kind_of(job.request)
  if not job.kind then
    return nil, fault.new("invalid", "job '%s': the request has neither template_id, model nor "
      .. "content: the kind of task can't be told (or set the field kind)", job.key)
  end
  local text, files, problem = request.serialize(job.request, digests)
  if not text then
    return nil, fault.new(problem, "job '%s': %s", job.key, files)
  end
  job.request, job.files, job.output = text, files, output.normal(job.output)
  return job
end

--- Adds one job.
-- @return 1 if it is new, 0 if it was there; or nil and an error
function adding.one(ledger, given)
  local job, err = serialize(given, {})
  if not job then
    return nil, err
  end
  return ledger:add(job)
end

-- Adds the jobs of a list.
-- @param on_error function(index, err) for each that can't be added; false: none is then
-- @return how many were new; nil where none was, and an error of the ledger
local function add_list(ledger, jobs, on_error)
  return ledger:add_all(function(add)
    for index, job in ipairs(jobs) do
      local added, err = add(job)
      if not added and (err.kind ~= "invalid" or not on_error(index, err)) then
        return nil, err
      end
    end
    return true
  end)
end

--- Adds all jobs of a list, or none.
-- @return how many were new; or nil and an error with the job's `index`
function adding.list(ledger, list)
  local jobs, digests = {}, {}
  for index, given in ipairs(list) do
    local job, err = serialize(given, digests)
    if not job then
      err.index = index
      return nil, err
    end
    jobs[index] = job
  end
  return add_list(ledger, jobs, function(index, err)
    err.index = index
    return false
  end)
end

-- Adds those that can be added, so many at a time.
local function add_good_lines(ledger, source, problems)
  local digests, jobs, total, failure = {}, {}, 0, nil
  local function flush()
    local count, err = add_list(ledger, jobs, function(index, why)
      problems[#problems + 1] = { line = jobs[index].line, message = why.message }
      return true
    end)
    total, failure, jobs = total + (count or 0), failure or err, {}
  end
  local bad, err = jsonl.each(source, function(given, line)
    local job, why = serialize(given, digests)
    if not job then
      return nil, why.message
    end
    job.line = line
    jobs[#jobs + 1] = job
    if #jobs == PIECE and not failure then
      flush()
    end
    return true
  end)
  if bad and not failure then
    flush()
  end
  if not bad or failure then
    return nil, err or failure
  end
  return total, bad
end

-- Adds all or none, and reads on after a bad one to tell of the others.
local function add_all_lines(ledger, source)
  local digests, bad, failure = {}, {}, nil
  local count, err = ledger:add_all(function(add)
    local why
    bad, why = jsonl.each(source, function(given)
      local job, problem = serialize(given, digests)
      local added
      if job and not failure then
        added, problem = add(job)
        failure = not added and problem.kind ~= "invalid" and problem or nil
      end
      return added or failure, problem and problem.message
    end)
    return bad and not failure and not bad[1], why or failure
  end)
  if err then
    return nil, err
  end
  return count or 0, bad
end

--- Adds the jobs of a file.
-- @param source a path or an open file, see `jsonl.lua`
-- @param keep_going false: all of them or none; true: those that can be added
-- @return how many were new, and a list of `{ line, message }` of the bad ones; or
--   nil and an error
function adding.lines(ledger, source, keep_going)
  local problems = {}
  local count, bad
  if keep_going then
    count, bad = add_good_lines(ledger, source, problems)
  else
    count, bad = add_all_lines(ledger, source)
  end
  if not count then
    return nil, bad
  end
  table.move(bad, 1, #bad, #problems + 1, problems)
  table.sort(problems, function(one, other) return one.line < other.line end)
  return count, problems
end

return adding
