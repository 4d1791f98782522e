--- JSON that loses nothing: every integer keeps all its digits, the members of
-- an object are written in one order, and a fault in a text is told with its
-- place. (lua-cjson reads numbers as doubles and writes 14 digits.)

local json = {}

--- JSON null, as lua-cjson and so `client:submit` have it.
json.null = require("cjson").null

local DEPTH = 60

-- Writing ---------------------------------------------------------------------

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function escape(letter)
  return ESCAPES[letter] or string.format("\\u%04x", letter:byte())
end

local function quoted(text)
  if not utf8.len(text) then
    return nil, "text that is not valid UTF-8"
  elseif text:find("\0", 1, true) then
    return nil, "text with a NUL byte"
  end
  return '"' .. text:gsub('[%c"\\]', escape) .. '"'
end

local function number_text(number)
  if math.type(number) == "integer" then
    return string.format("%d", number)
  elseif number ~= number or number == math.huge or number == -math.huge then
    return nil, "a number that is not finite"
  end
  local text = string.format("%.14g", number)
  return tonumber(text) == number and text or string.format("%.17g", number)
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
  if #names == count then
    return encode_object(value, names, depth + 1)
  elseif #names > 0 or count ~= #value then
    return nil, "a table that is neither a list nor an object"
  end
  return encode_list(value, count, depth + 1)
end

function encode(value, depth)
  local kind = type(value)
  if kind == "string" then
    return quoted(value)
  elseif kind == "number" then
    return number_text(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind == "table" then
    return encode_table(value, depth)
  elseif value == json.null then
    return "null"
  end
  return nil, "a " .. kind
end

--- Writes a value; the members of each object are sorted by name.
-- @return the text; or nil, what JSON can't hold, and where ("media_inputs[1]")
function json.encode(value)
  local text, why, where = encode(value, 0)
  return text, why, where and where:gsub("^%.", "")
end

-- Reading ---------------------------------------------------------------------

local NAMED = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r",
  t = "\t" }

-- A fault is raised as a table, and caught in `decode`.
local function refuse(why, at)
  error({ why = why, at = at }, 0)
end

local function skip(text, at)
  return text:find("[^ \t\r\n]", at) or #text + 1
end

local function read_code(text, at)
  local digits = text:match("^%x%x%x%x", at)
  return digits and tonumber(digits, 16) or refuse("\\u wants four digits", at)
end

-- The letter that an escape at the backslash `at` stands for, and what follows.
local function read_escape(text, at)
  local name = text:sub(at + 1, at + 1)
  if name ~= "u" then
    return NAMED[name] or refuse("an unknown escape", at), at + 2
  end
  local code = read_code(text, at + 2)
  at = at + 6
  if code >= 0xD800 and code < 0xDC00 and text:sub(at, at + 1) == "\\u" then
    local low = read_code(text, at + 2)
    if low >= 0xDC00 and low < 0xE000 then
      return utf8.char(0x10000 + (code - 0xD800) * 0x400 + low - 0xDC00), at + 6
    end
  end
  if code >= 0xD800 and code < 0xE000 then
    refuse("half of a surrogate pair", at - 6)
  end
  return utf8.char(code), at
end

local function read_string(text, at)
  local from, parts = at + 1, {}
  while true do
    local stop = text:find('[%c"\\]', from) or refuse("a string without an end", at)
    local letter = text:sub(stop, stop)
    parts[#parts + 1] = text:sub(from, stop - 1)
    if letter == '"' then
      return table.concat(parts), stop + 1
    elseif letter ~= "\\" then
      refuse("a control character in a string", stop)
    end
    parts[#parts + 1], from = read_escape(text, stop)
  end
end

local function read_number(text, at)
  local digits = text:match("^-?%d+", at) or refuse("a value is expected", at)
  local rest = text:match("^%.%d+", at + #digits) or ""
  rest = rest .. (text:match("^[eE][+-]?%d+", at + #digits + #rest) or "")
  local after = at + #digits + #rest
  if digits:find("^-?0%d") or text:find("^[%w.+-]", after) then
    refuse("a malformed number", at)
  end
  local number = tonumber(digits .. rest)
  if rest == "" and math.type(number) ~= "integer" then
    refuse("an integer of more than 64 bits; write it as a string", at)
  elseif number == math.huge or number == -math.huge then
    refuse("a number that is too large", at)
  end
  return number, after
end

local read_value

local function read_list(text, at, depth)
  local list, count = {}, 0
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then
    return list, at + 1
  end
  while true do
    count = count + 1
    list[count], at = read_value(text, at, depth)
    at = skip(text, at)
    local letter = text:sub(at, at)
    if letter == "]" then
      return list, at + 1
    elseif letter ~= "," then
      refuse("',' or ']' is expected", at)
    end
    at = skip(text, at + 1)
  end
end

local function read_member(text, at, object, depth)
  if text:sub(at, at) ~= '"' then
    refuse("a name in quotes is expected", at)
  end
  local name, after = read_string(text, at)
  if object[name] ~= nil then
    refuse('"' .. name .. '" stands there twice', at)
  end
  at = skip(text, after)
  if text:sub(at, at) ~= ":" then
    refuse("':' is expected", at)
  end
  object[name], at = read_value(text, skip(text, at + 1), depth)
  return skip(text, at)
end

local function read_object(text, at, depth)
  local object = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then
    return object, at + 1
  end
  while true do
    at = read_member(text, at, object, depth)
    local letter = text:sub(at, at)
    if letter == "}" then
      return object, at + 1
    elseif letter ~= "," then
      refuse("',' or '}' is expected", at)
    end
    at = skip(text, at + 1)
  end
end

local WORDS = { { "true", true }, { "false", false }, { "null", json.null } }

function read_value(text, at, depth)
  local letter = text:sub(at, at)
  if depth == DEPTH then
    refuse("it is nested too deep", at)
  elseif letter == '"' then
    return read_string(text, at)
  elseif letter == "{" then
    return read_object(text, at, depth + 1)
  elseif letter == "[" then
    return read_list(text, at, depth + 1)
  end
  for _, word in ipairs(WORDS) do
    if text:sub(at, at + #word[1] - 1) == word[1] then
      return word[2], at + #word[1]
    end
  end
  return read_number(text, at)
end

local function read_text(text)
  local length, bad = utf8.len(text)
  if not length then
    refuse("it is not valid UTF-8", bad)
  end
  local value, at = read_value(text, skip(text, 1), 0)
  at = skip(text, at)
  if at <= #text then
    refuse("something follows the value", at)
  end
  return value
end

--- Reads a text that holds one value.
-- @return the value; or nil and why not, with the place
function json.decode(text)
  local ok, value = pcall(read_text, text)
  if ok then
    return value
  elseif type(value) ~= "table" then
    error(value, 0)
  end
  return nil, value.why .. " (at character " .. value.at .. ")"
end

return json
