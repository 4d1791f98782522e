--- The options of `run`, `add` and the others: their defaults and their checks.

local common = require "minimax.common.options"
local states = require "minimax.common.states"

local options = {}

local is, or_false, positive, rate = common.is, common.or_false, common.positive, common.rate

local function natural(value)
  return math.type(value) == "integer" and value > 0
end

local function count(value)
  return math.type(value) == "integer" and value >= 0
end

local function text(value)
  return type(value) == "string" and value ~= "" and not value:find("%z")
end

-- What it holds is looked at where the job is added.
local function filled(value)
  return type(value) == "string" and value ~= ""
end

local RUN = {
  on_event = { is "function", "a function" },
  max_in_flight = { natural, "a positive integer", 20 },
  max_submits = { count, "an integer from 0" },
  dry_run = { is "boolean", "a boolean" },
  strict = { is "boolean", "a boolean" },
  poll_interval = { positive, "a positive number of seconds", 10 },
  wait_timeout = { or_false(positive), "a positive number of seconds, or false", 7200 },
  patience = { or_false(positive), "a positive number of seconds, or false", 3600 },
  lease = { positive, "a positive number of seconds", 60 },
  account = { text, "a name", "default" },
  host = { text, "a name" },
  submit_rate = { or_false(rate), "{ count, seconds }, or false" },
  query_rate = { or_false(rate), "{ count, seconds }, or false" },
}

local JOB = {
  key = { filled, "a string that is not empty" },
  request = { is "table", "a table" },
  output = { filled, "a path" },
  kind = { common.one_of("template", "video", "video2"), '"template", "video" or "video2"' },
}

local LINES = { keep_going = { is "boolean", "a boolean" } }
local RETRY = { resubmit = { is "boolean", "a boolean" } }
local FILTER = { state = { common.one_of(table.unpack(states)),
  "one of " .. table.concat(states, ", ") } }

-- Raises in the line of its caller's caller's caller where the program is wrong. So
-- none of these calls may be a tail call.
local function read(known, what, given)
  local result = common.read(known, "minimax.batch: " .. what .. ": ", given, 4)
  return result
end

-- The variable is a client's; a wrong value has been refused there.
function options.run(given)
  local result = read(RUN, "run", given)
  local interval = tonumber(os.getenv "MINIMAX_POLL_INTERVAL" or "")
  if interval and interval > 0 and not (given and given.poll_interval) then
    result.poll_interval = interval
  end
  return result
end

function options.lines(given)
  local result = read(LINES, "add_lines", given)
  return result
end

function options.retry(given)
  local result = read(RETRY, "retry", given)
  return result
end

function options.filter(given)
  local result = read(FILTER, "jobs", given)
  return result
end

--- What is wrong with a job, or nil.
function options.problem_of_job(given)
  if type(given) ~= "table" then
    return "it must be a table"
  elseif given.key == nil or given.request == nil then
    return "the field '" .. (given.key == nil and "key" or "request") .. "' is missing"
  end
  return common.problem(JOB, given, "field")
end

--- A job for `add`; its output defaults to its key with ".mp4". Raises where the
-- program is wrong.
-- @param level of the caller, for the error's position
function options.job(given, level)
  local problem = options.problem_of_job(given)
  if problem then
    error("minimax.batch: a job: " .. problem, level + 1)
  end
  local job = common.complete(JOB, given)
  job.output = job.output or job.key:gsub("[/%c]", "_") .. ".mp4"
  return job
end

return options
