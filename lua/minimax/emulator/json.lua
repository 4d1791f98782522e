--- JSON as the API writes it: ids of any length as bare numbers, null where a
-- fault wants one. It is read as the batch reads it.

local exact = require "minimax.common.json"

local json = {}

--- Stands for null.
json.null = setmetatable({}, { __name = "null" })

local Raw = { __name = "raw" }
local Array = { __name = "array" }

--- Text that is written as it stands, such as a number of 19 digits.
function json.raw(text)
  return setmetatable({ text = text }, Raw)
end

--- Marks a list, so that an empty one is written as `[]`.
function json.array(list)
  return setmetatable(list or {}, Array)
end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(letter)
    return ESCAPES[letter] or string.format("\\u%04x", letter:byte())
  end) .. '"'
end

local encode

local function encode_list(list)
  local parts = {}
  for index, value in ipairs(list) do
    parts[index] = encode(value)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_object(object)
  local names = {}
  for name in pairs(object) do
    names[#names + 1] = name
  end
  table.sort(names)
  for index, name in ipairs(names) do
    names[index] = quoted(name) .. ":" .. encode(object[name])
  end
  return "{" .. table.concat(names, ",") .. "}"
end

function encode(value)
  local meta = getmetatable(value)
  if value == nil or value == json.null or value == exact.null then
    return "null"
  elseif meta == Raw then
    return value.text
  elseif meta == Array or type(value) == "table" and #value > 0 then
    return encode_list(value)
  elseif type(value) == "table" then
    return encode_object(value)
  elseif type(value) == "string" then
    return quoted(value)
  elseif type(value) == "number" then
    return assert(exact.number(value))
  end
  return tostring(value)
end

--- Writes a value.
json.encode = encode

--- Reads a text.
-- @return the value, or nil and why not
json.decode = exact.decode

--- Whether a value was read from `[]`.
json.is_empty_list = exact.is_empty_list

--- What lua-cjson reads for null.
function json.is_null(value)
  return value == exact.null or value == json.null
end

return json
