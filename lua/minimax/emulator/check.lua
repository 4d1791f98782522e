--- What the API demands of a request's fields. Each function returns true, or
-- nil and words that name the field.

local json = require "minimax.emulator.json"

local check = {}

local function kind_check(wanted, article)
  return function(body, name, required)
    local value = body[name]
    if value == nil then
      if required then
        return nil, name .. " is required"
      end
      return true
    elseif type(value) ~= wanted then
      return nil, name .. " must be " .. article .. " " .. wanted
    elseif required and value == "" then
      return nil, name .. " is required"
    end
    return true
  end
end

--- A string, if it is there at all.
check.string = kind_check("string", "a")

--- A boolean, if it is there at all.
check.boolean = kind_check("boolean", "a")

--- An http or https URL, if there is one at all.
function check.url(body, name)
  local ok, why = check.string(body, name)
  if ok and body[name] and body[name] ~= "" and not body[name]:find("^https?://[^%s/]+%S*$") then
    return nil, name .. " must be an http or https URL"
  end
  return ok, why
end

--- Whether a value was a JSON array.
function check.is_list(value)
  return type(value) == "table" and (#value > 0 or json.is_empty_list(value))
end

--- A whole number between two bounds, if it is there at all.
function check.integer(body, name, low, high)
  local value = body[name]
  if value == nil then
    return true
  elseif type(value) ~= "number" or value % 1 ~= 0 or value < low or value > high then
    return nil, name .. " must be an integer from " .. low .. " to " .. high
  end
  return true
end

--- One of a set of words, if it is there at all.
function check.one_of(body, name, words)
  if body[name] == nil then
    return true
  end
  for _, word in ipairs(words) do
    if body[name] == word then
      return true
    end
  end
  return nil, name .. " must be one of " .. table.concat(words, ", ")
end

-- The whole body is looked at once, without a copy of it.
local function base64(value, start, name)
  local length = #value - start + 1
  if length == 0 or length % 4 ~= 0 then
    return nil, name .. " is not valid base64"
  end
  local stop = value:find("[^%w+/]", start) or #value + 1
  if stop <= #value - 2 or not value:find("^=*$", stop) then
    return nil, name .. " is not valid base64"
  end
  return true
end

--- A media value: an https or http URL, a `data:` URL, or an uploaded file.
function check.media(value, name)
  if value:find("^https?://[^%s]+$") or value:find("^mm_file://%w+$") then
    return true
  end
  local _, last = value:find("^data:%l+/[%w.+-]+;base64,")
  if last then
    return base64(value, last + 1, name)
  end
  return nil, name .. " must be a URL or a data URL"
end

--- Runs checks until one finds something.
-- @param checks a list of functions of the body
-- @return what is wrong; nil if nothing is
function check.first_mistake(checks, body)
  for _, examine in ipairs(checks) do
    local ok, why = examine(body)
    if not ok then
      return why
    end
  end
end

return check
