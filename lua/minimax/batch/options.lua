--- The options of `run`, `add` and the others: their defaults and their checks.

local options = {}

local function is(kind)
  return function(value) return type(value) == kind end
end

local function positive(value)
  return type(value) == "number" and value > 0 and value < math.huge
end

local function natural(value)
  return math.type(value) == "integer" and value > 0
end

local function count(value)
  return math.type(value) == "integer" and value >= 0
end

local function text(value)
  return type(value) == "string" and value ~= "" and not value:find("%z")
end

local function or_false(check)
  return function(value) return value == false or check(value) end
end

local function rate(value)
  return type(value) == "table" and positive(value[1]) and positive(value[2])
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
  key = { text, "a string that is not empty" },
  request = { is "table", "a table" },
  output = { text, "a path" },
  kind = { function(value)
    return value == "template" or value == "video" or value == "video2"
  end, '"template", "video" or "video2"' },
}

local RETRY = { resubmit = { is "boolean", "a boolean" } }
local FILTER = { state = { text, "the name of a state" } }

local function complain(what, level, ...)
  error("minimax.batch: " .. what:format(...), level + 2)
end

-- Checks what was given; raises where the program is wrong.
local function complete(known, what, given, level)
  if given ~= nil and type(given) ~= "table" then
    complain("%s must be a table", level, what)
  end
  local result = {}
  for name, value in pairs(given or {}) do
    local check = known[name]
    if not check then
      complain("unknown field '%s' in %s", level, tostring(name), what)
    elseif not check[1](value) then
      complain("field '%s' of %s must be %s", level, name, what, check[2])
    end
    result[name] = value
  end
  for name, check in pairs(known) do
    if result[name] == nil then
      result[name] = check[3]
    end
  end
  return result
end

function options.run(given)
  return complete(RUN, "the options of run", given, 3)
end

function options.retry(given)
  return complete(RETRY, "the options of retry", given, 3)
end

function options.filter(given)
  return complete(FILTER, "the filter of jobs", given, 3)
end

--- A job for `add`; its output defaults to its key with ".mp4".
function options.job(given)
  local job = complete(JOB, "a job", given, 4)
  for _, name in ipairs { "key", "request" } do
    if job[name] == nil then
      complain("a job needs the field '%s'", 3, name)
    end
  end
  job.output = job.output or job.key:gsub("[/%c]", "_") .. ".mp4"
  return job
end

return options
