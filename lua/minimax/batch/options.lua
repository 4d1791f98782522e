--- The options of `run`, `add` and the others: their defaults and their checks.

local common = require "minimax.common.options"
local kinds = require "minimax.common.kinds"
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
  kind = { common.one_of(table.unpack(kinds)), '"template", "video" or "video2"' },
}

-- By the functions that take them.
local KNOWN = {
  run = RUN,
  add_lines = { keep_going = { is "boolean", "a boolean" } },
  retry = { resubmit = { is "boolean", "a boolean" } },
  jobs = { state = { common.one_of(table.unpack(states)),
    "one of " .. table.concat(states, ", ") } },
}

--- The options of a function, with their defaults. Raises in the line of its
-- caller's caller where they are wrong.
-- @param name of the function
function options.read(name, given)
  local result = common.read(KNOWN[name], "minimax.batch: " .. name .. ": ", given, 3)
  if name == "run" and not (given and given.poll_interval) then
    -- The variable is a client's; a wrong value has been refused there.
    local interval = tonumber(os.getenv "MINIMAX_POLL_INTERVAL" or "")
    result.poll_interval = interval and interval > 0 and interval or result.poll_interval
  end
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
