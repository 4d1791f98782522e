--- The options of `start`, their defaults and their checks.

local options = {}

local DEFAULTS = {
  speed = 60, seconds = 60, seed = 1, fail_rate = 0, ids = "string", wrap = 0,
  api_keys = { "sk-api-emulator" }, allowed_hosts = {}, port = 0, storage_port = 0,
  path_prefix = "",
  auth_header = "Authorization", auth_scheme = "Bearer", tls = false, digits = false,
  video_bytes = false, link_life = false, submit_rate = false, query_rate = false, lua = false,
}

local function positive(value)
  return type(value) == "number" and value > 0
end

local function port(value)
  return math.type(value) == "integer" and value >= 0 and value < 65536
end

local function whole(value)
  return not value or math.type(value) == "integer" and value > 0
end

local function text(value)
  return type(value) == "string"
end

local function rate(value)
  return not value or type(value) == "table" and positive(value[1]) and positive(value[2])
end

local function texts(value)
  if type(value) ~= "table" then
    return false
  end
  for _, name in ipairs(value) do
    if not text(name) then
      return false
    end
  end
  return true
end

local CHECKS = {
  speed = { positive, "a positive number" },
  seconds = { function(value) return type(value) == "number" and value >= 0 end, "seconds" },
  seed = { function(value) return math.type(value) == "integer" end, "an integer" },
  fail_rate = { function(value)
    return type(value) == "number" and value >= 0 and value <= 1
  end, "a number from 0 to 1" },
  ids = { function(value)
    return value == "string" or value == "number" or value == "ulid"
  end, '"string", "number" or "ulid"' },
  wrap = { function(value) return value == 0 or value == 1 or value == 2 end, "0, 1 or 2" },
  api_keys = { function(value)
    return texts(value) and #value > 0
  end, "a list of strings" },
  allowed_hosts = { texts, "a list of strings" },
  port = { port, "an integer from 0 to 65535" },
  storage_port = { port, "an integer from 0 to 65535" },
  path_prefix = { function(value)
    return value == "" or text(value) and value:find("^/.*[^/]$") ~= nil
  end, "a path that begins with a slash and does not end with one" },
  auth_header = { text, "a string" }, auth_scheme = { text, "a string" },
  tls = { function(value) return type(value) == "boolean" end, "a boolean" },
  digits = { function(value)
    return not value or math.type(value) == "integer" and value >= 6 and value <= 64
  end, "an integer from 6 to 64" },
  video_bytes = { whole, "a positive integer" },
  link_life = { function(value) return not value or type(value) == "number" end, "seconds" },
  submit_rate = { rate, "{ count, seconds }" }, query_rate = { rate, "{ count, seconds }" },
  lua = { function(value) return not value or text(value) end, "a string" },
}

--- Completes what the caller gave; raises on an unknown name or a wrong value.
-- @param given a table or nil
-- @param level of the caller, for the error's position; -1 for none
function options.complete(given, level)
  local complete = {}
  for name, value in pairs(given or {}) do
    local check = CHECKS[name]
    if not check then
      error("minimax.emulator: unknown option '" .. tostring(name) .. "'", level + 1)
    elseif not check[1](value) then
      error("minimax.emulator: option '" .. name .. "' must be " .. check[2], level + 1)
    end
    complete[name] = value
  end
  for name, value in pairs(DEFAULTS) do
    if complete[name] == nil then
      complete[name] = value
    end
  end
  return complete
end

return options
