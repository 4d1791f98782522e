--- The options of `start`, their defaults and their checks.

local common = require "minimax.common.options"

local options = {}

local is, or_false, one_of = common.is, common.or_false, common.one_of

local function port(value)
  return math.type(value) == "integer" and value >= 0 and value < 65536
end

local function natural(value)
  return math.type(value) == "integer" and value > 0
end

local function texts(value)
  if type(value) ~= "table" then
    return false
  end
  for _, name in ipairs(value) do
    if type(name) ~= "string" then
      return false
    end
  end
  return true
end

local KNOWN = {
  speed = { common.positive, "a positive number", 60 },
  seconds = { function(value) return type(value) == "number" and value >= 0 end, "seconds", 60 },
  seed = { function(value) return math.type(value) == "integer" end, "an integer", 1 },
  fail_rate = { function(value)
    return type(value) == "number" and value >= 0 and value <= 1
  end, "a number from 0 to 1", 0 },
  ids = { one_of("string", "number", "ulid"), '"string", "number" or "ulid"', "string" },
  wrap = { one_of(0, 1, 2), "0, 1 or 2", 0 },
  api_keys = { function(value)
    return texts(value) and #value > 0
  end, "a list of strings", { "sk-api-emulator" } },
  allowed_hosts = { texts, "a list of strings", {} },
  port = { port, "an integer from 0 to 65535", 0 },
  storage_port = { port, "an integer from 0 to 65535", 0 },
  path_prefix = { function(value)
    return value == "" or type(value) == "string" and value:find("^/.*[^/]$") ~= nil
  end, "a path that begins with a slash and does not end with one", "" },
  auth_header = { is "string", "a string", "Authorization" },
  auth_scheme = { is "string", "a string", "Bearer" },
  tls = { is "boolean", "a boolean", false },
  digits = { or_false(function(value)
    return math.type(value) == "integer" and value >= 6 and value <= 64
  end), "an integer from 6 to 64", false },
  video_bytes = { or_false(natural), "a positive integer", false },
  link_life = { or_false(is "number"), "seconds", false },
  submit_rate = { or_false(common.rate), "{ count, seconds }", false },
  query_rate = { or_false(common.rate), "{ count, seconds }", false },
  lua = { or_false(is "string"), "a string", false },
}

--- Completes what the caller gave; raises on an unknown name or a wrong value.
-- @param given a table or nil
-- @param level of the caller, for the error's position; -1 for none
function options.complete(given, level)
  local result = common.read(KNOWN, "minimax.emulator: ", given, level + 1)
  return result
end

return options
