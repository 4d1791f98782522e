--- JSON that loses nothing, by lua-cjson: integers keep all their digits, an
-- empty list stays a list, and the members of an object are written in one
-- order. (By itself lua-cjson reads numbers as doubles and by the locale, writes
-- 14 digits of them, takes `[]` for `{}`, and does not look at the encoding.)

local codec = require "cjson.safe".new()

local json = {}

--- JSON null, as lua-cjson and so `client:submit` have it.
json.null = require "cjson".null

--- The metatable of an empty list, which nothing else tells from an object.
json.list = { __jsontype = "array" }

local DEPTH = 60
local PIECE = 65536 -- bytes: lua-cjson reserves six times what it writes at once

-- lua-cjson escapes slashes, which a reader of links would stumble over.
local UNESCAPED = { ["/"] = "/" }

codec.decode_invalid_numbers(false)
codec.decode_max_depth(DEPTH)
codec.encode_keep_buffer(false)

-- Writing ---------------------------------------------------------------------

local function quoted(text)
  if not utf8.len(text) then
    return nil, "text that is not valid UTF-8"
  elseif text:find("\0", 1, true) then
    return nil, "text with a NUL byte"
  end
  local pieces = { '"' }
  for at = 1, #text, PIECE do
    local piece = codec.encode(text:sub(at, at + PIECE - 1)):sub(2, -2)
    pieces[#pieces + 1] = piece:gsub("\\(.)", UNESCAPED)
  end
  pieces[#pieces + 1] = '"'
  return table.concat(pieces)
end

--- Writes a number so that it reads the same, in any locale.
-- @return the text; or nil and what it is
function json.number(number)
  if math.type(number) == "integer" then
    return string.format("%d", number)
  elseif number ~= number or number == math.huge or number == -math.huge then
    return nil, "a number that is not finite"
  end
  local text = string.format("%.14g", number)
  if tonumber(text) ~= number then
    text = string.format("%.17g", number)
  end
  return (text:gsub("[^%de+-]+", ".")) -- some locales have a comma there
end

local encode

local function encode_list(list, count, depth)
  local parts = {}
  for index = 1, count do
    local text, why, where = encode(list[index], depth)
    if not text then
      return nil, why, "[" .. index .. "]" .. (where or "")
    end
    parts[index] = text
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function encode_object(object, names, depth)
  table.sort(names)
  for index, name in ipairs(names) do
    local key, why = quoted(name)
    if not key then
      return nil, why .. " as a name"
    end
    local text, where
    text, why, where = encode(object[name], depth)
    if not text then
      return nil, why, "." .. name .. (where or "")
    end
    names[index] = key .. ":" .. text
  end
  return "{" .. table.concat(names, ",") .. "}"
end

local function encode_table(value, depth)
  if depth == DEPTH then
    return nil, "a table that is nested too deep, or holds itself"
  end
  local names, count = {}, 0
  for name in pairs(value) do
    count = count + 1
    if type(name) == "string" then
      names[#names + 1] = name
    elseif math.type(name) ~= "integer" then
      return nil, "a " .. type(name) .. " as a name"
    end
  end
  if #names > 0 and #names < count or #names == 0 and count ~= #value then
    return nil, "a table that is neither a list nor an object"
  elseif count > #names or json.is_empty_list(value) then
    return encode_list(value, count, depth + 1)
  end
  return encode_object(value, names, depth + 1)
end

function encode(value, depth)
  local kind = type(value)
  if kind == "string" then
    return quoted(value)
  elseif kind == "number" then
    return json.number(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind == "table" then
    return encode_table(value, depth)
  elseif value == json.null then
    return "null"
  end
  return nil, "a " .. kind
end

--- Whether a table was read from `[]`, or is marked as such.
function json.is_empty_list(value)
  local meta = getmetatable(value)
  return type(meta) == "table" and meta.__jsontype == "array" and next(value) == nil
end

--- Writes a value; the members of each object are sorted by name.
-- @return the text; or nil, what JSON can't hold, and where ("media_inputs[1]")
function json.encode(value)
  local text, why, where = encode(value, 0)
  return text, why, where and where:gsub("^%.", "")
end

-- Reading ---------------------------------------------------------------------

-- Begins a string that stands for what lua-cjson would spoil: no text can hold
-- this byte, because all of it is valid UTF-8.
local MARK = "\xFF"

-- What may follow the digits of a number.
local FRACTIONS = { "^$", "^%.%d+$", "^%.%d+[eE][+-]?%d+$", "^[eE][+-]?%d+$" }

local function is_number(token)
  local whole, rest = token:match "^%-?(%d+)(.*)$"
  if not whole or whole:find "^0." then
    return false
  end
  for _, fraction in ipairs(FRACTIONS) do
    if rest:find(fraction) then
      return true
    end
  end
  return false
end

-- What begins like a number and is none is made an error: it may be one to
-- lua-cjson, or in some locale.
local function mark_number(token, after)
  if not is_number(token) then
    return MARK .. token .. after
  elseif after == "" then
    return '"' .. MARK .. token .. '"'
  end
end

-- Marks what stands between two strings. A colon would make a name of a number.
local function mark(text)
  return (text:gsub("([-+.]*%d[%w.+-]*)[ \t\r\n]*(:?)", mark_number)
    :gsub("%[[ \t\r\n]*%]", '["' .. MARK .. '"]'))
end

-- Where the string ends whose opening quote stands at `at`.
local function end_of_string(text, at)
  repeat
    at = text:find('["\\]', at + 1)
    local escape = at and text:byte(at) == 92
    at = escape and at + 1 or at
  until not escape
  return at or #text
end

-- Numbers and empty lists as marked strings; what is no JSON stays none.
local function marked(text)
  local parts, from = {}, 1
  repeat
    local quote = text:find('"', from, true)
    parts[#parts + 1] = mark(text:sub(from, quote and quote - 1))
    if quote then
      from = end_of_string(text, quote) + 1
      parts[#parts + 1] = text:sub(quote, from - 1)
    end
  until not quote
  return table.concat(parts)
end

-- Lua reads a point in any locale.
local function restored_number(text)
  local number = tonumber(text)
  if not number or number == math.huge or number == -math.huge then
    return nil, "a number that is too large"
  elseif math.type(number) == "float" and not text:find "[.eE]" then
    return nil, "an integer of more than 64 bits; write it as a string"
  end
  return math.tointeger(number) or number
end

-- What was read, with its marks resolved; or nil and why not.
local function restored(value)
  local kind = type(value)
  if kind == "string" and value:byte() == MARK:byte() then
    return restored_number(value:sub(2))
  elseif kind ~= "table" then
    return value
  elseif value[1] == MARK then
    return setmetatable({}, json.list)
  end
  for name, member in pairs(value) do
    local why
    value[name], why = restored(member)
    if why then
      return nil, why
    end
  end
  return value
end

-- lua-cjson names what it found as its source does, and not each kind of it alike.
local TOKENS = { T_OBJ_BEGIN = "'{'", T_OBJ_END = "'}'", T_ARR_BEGIN = "'['", T_ARR_END = "']'",
  T_STRING = "a string", T_NUMBER = "a number", T_INTEGER = "a number", T_NULL = "null",
  T_BOOLEAN = "a boolean", T_COLON = "a colon", T_COMMA = "a comma", T_END = "the end" }

--- Reads a text that holds one value.
-- @return the value; or nil and why not
function json.decode(text)
  if not utf8.len(text) then
    return nil, "it is not valid UTF-8"
  elseif text:find("\0", 1, true) then
    return nil, "it holds a NUL byte"
  end
  local value, why = codec.decode(marked(text))
  if value ~= nil then
    return restored(value)
  end
  -- The marks have moved the place that the reason names.
  why = select(2, codec.decode(text)) or why
  return nil, (why:gsub("T_[A-Z_]+", TOKENS))
end

return json
