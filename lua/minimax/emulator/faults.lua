--- Faults that were asked for, and which request each meets.

local options = require "minimax.common.options"

local faults = {}
faults.__index = faults

--- What `fault` may name, and whether the request still does its work: whether
-- a submit creates its task. The option `created` says otherwise.
faults.NAMES = {
  -- on the wire; the answer is lost, the work is done
  reset = true, close = true, hang = true, cut = true, stall = true, slow = true,
  -- an answer instead
  html = false, code = false, redirect = false, status_NNN = false,
  -- an answer that is hard to use
  empty = true, garbage = true, gzip = true, big = true, bare_ids = true, null_fields = true,
  no_task_id = true, status = true, no_status = true,
  -- the task that a submit creates ends badly
  fail = true,
}

local STORAGE_ONLY = { expired = false, wrong_content_range = true, ignore_range = true,
  etag_change = true, weak_etag = true, no_etag = true, longer = true, shorter = true }

for name, works in pairs(STORAGE_ONLY) do
  faults.NAMES[name] = works
end

local ENDPOINTS = { submit = true, query = true, retrieve = true, retrieve_content = true,
  upload = true, list = true, files_list = true, files_delete = true, cancel = true,
  storage = true, call = true }

local function is_attempt(value)
  if type(value) == "table" then
    for _, number in ipairs(value) do
      if math.type(number) ~= "integer" then
        return false
      end
    end
    return #value > 0
  end
  return value == "all" or math.type(value) == "integer"
end

local FIELDS = { attempt = { is_attempt, "a number, a list of numbers or 'all'" } }

for kind, names in pairs {
  string = { "endpoint", "fault", "message", "url", "status", "content_range" },
  number = { "times", "code", "retry_after", "seconds", "bytes", "at" },
  boolean = { "created" }, table = { "fields" },
} do
  for _, name in ipairs(names) do
    FIELDS[name] = { options.is(kind), "a " .. kind }
  end
end

local function is_known(name)
  if type(name) ~= "string" then
    return false
  end
  return faults.NAMES[name] ~= nil or name:find("^status_[2-5]%d%d$") ~= nil
end

-- What a fault cannot do without.
local NEEDS = { code = "code", redirect = "url", status = "status" }

--- Looks over a fault before it is sent to the emulator.
-- @return true, or nil and what is wrong with it
function faults.check(rule)
  local problem = options.problem(FIELDS, rule, "field")
  if problem then
    return nil, problem
  end
  local endpoint, fault = rule.endpoint, rule.fault
  if not endpoint or not ENDPOINTS[endpoint] and endpoint:sub(1, 1) ~= "/" then
    return nil, options.unknown(ENDPOINTS, endpoint, "endpoint")
  elseif not is_known(fault) then
    return nil, options.unknown(faults.NAMES, fault, "fault")
  elseif STORAGE_ONLY[fault] ~= nil and endpoint ~= "storage" then
    return nil, "fault '" .. fault .. "' is for endpoint 'storage'"
  elseif fault == "fail" and endpoint ~= "submit" then
    return nil, "fault 'fail' is for endpoint 'submit'"
  elseif NEEDS[fault] and rule[NEEDS[fault]] == nil then
    return nil, "fault '" .. fault .. "' needs the field '" .. NEEDS[fault] .. "'"
  end
  return true
end

--- No faults yet.
function faults.new()
  return setmetatable({ rules = {} }, faults)
end

--- Adds a fault; those added first are met first.
function faults:add(rule)
  if rule.attempt == nil then
    rule.left = rule.times or 1
  end
  self.rules[#self.rules + 1] = rule
end

local function meets(rule, request)
  local attempt = request.attempt
  if rule.endpoint:sub(1, 1) == "/" then
    if rule.endpoint ~= request.path then
      return false
    end
    attempt = request.path_attempt
  elseif rule.endpoint ~= request.endpoint then
    return false
  end
  if type(rule.attempt) == "table" then
    for _, number in ipairs(rule.attempt) do
      if number == attempt then
        return true
      end
    end
    return false
  elseif rule.attempt == nil then
    return rule.left > 0
  end
  return rule.attempt == "all" or rule.attempt == attempt
end

--- The fault that a request meets, if any.
-- @param request with `endpoint`, `attempt`, `path` and `path_attempt`
function faults:take(request)
  for _, rule in ipairs(self.rules) do
    if meets(rule, request) then
      rule.left = rule.left and rule.left - 1
      return rule
    end
  end
end

--- Whether the request still does its work.
function faults.works(rule)
  if rule.created ~= nil then
    return rule.created
  end
  return faults.NAMES[rule.fault] or false
end

return faults
