--- Changes bytes at random. All that is drawn comes from `math.random`, so that
-- whoever seeds it gets the same again.

local mutation = {}

-- What a client's key is here; the server says it back wherever it can.
mutation.KEY = "sk-t0rture-Key5-5tR0ng"

local ODD = { "\0", "\xff", "\xc0\xaf", "\xed\xa0\x80", "\\ud83e", "\\u0000", "\\", '"',
  "\xef\xbb\xbf",
  "\u{2028}", "\r\n", "\x1b[31m", "\x7f", "\u{85}", "1e999", "-0", "1e-400",
  "99999999999999999999999",
  "0x7f", "NaN", "Infinity", "true", "null", "[", "]", "{", "}", "[[[[[[[[", ",", ":", "\\u202e",
  "9223372036854775808", "-9223372036854775809", "4.01047179385389059E+17", "%s%n", "//", "..",
  mutation.KEY, "Bearer " .. mutation.KEY }

local function pick(list)
  return list[math.random(#list)]
end
mutation.pick = pick

local function place_in(bytes)
  return math.random(0, #bytes)
end

local function slice(bytes)
  local from = place_in(bytes)
  return from, math.min(#bytes, from + math.random(1, math.random(2) == 1 and 4 or 64))
end

local function flip(bytes)
  local at = place_in(bytes)
  if at == 0 then
    return bytes
  end
  local changed = string.char(bytes:byte(at) ~ (1 << math.random(0, 7)))
  return bytes:sub(1, at - 1) .. changed .. bytes:sub(at + 1)
end

local function cut(bytes)
  return bytes:sub(1, place_in(bytes))
end

local function drop(bytes)
  local from, to = slice(bytes)
  return bytes:sub(1, from) .. bytes:sub(to + 1)
end

local function double(bytes)
  local from, to = slice(bytes)
  return bytes:sub(1, to) .. bytes:sub(from + 1)
end

local function insert(bytes)
  local at = place_in(bytes)
  return bytes:sub(1, at) .. pick(ODD) .. bytes:sub(at + 1)
end

--- One change of any bytes.
function mutation.bytes(bytes)
  return pick { flip, flip, cut, drop, double, insert } (bytes)
end

-- A value of JSON in place of another: after a colon or a comma.
local function replace_value(bytes, corpus)
  local places = {}
  for at in bytes:gmatch '[:,%[]()' do
    places[#places + 1] = at
  end
  if #places == 0 then
    return bytes
  end
  local from = pick(places)
  local to = bytes:match('^"[^"]*"()', from) or bytes:match("^[^,}%]]*()", from)
  local value = math.random(3) == 1 and #corpus > 0 and pick(corpus)
    or pick { pick(ODD), '"' .. pick(ODD) .. '"', "[]", "{}", '""', "0", "[1,[2]]" }
  return bytes:sub(1, from - 1) .. value .. bytes:sub(to)
end

local function wrap(bytes, corpus)
  local other = #corpus > 0 and pick(corpus) or "1"
  local before, after = table.unpack(pick { { '{"data":', "}" }, { "[", "]" },
    { '{"code":0,"result":', "}" }, { bytes, "" }, { "\xef\xbb\xbf", "" }, { "", "\0" },
    { " \t\n", "\n" }, { '{"x":' .. other .. ',"data":', "}" }, { '{"error":', "}" }, { '"',
    '"' } })
  return before .. bytes .. after
end

local function deepen(bytes)
  local depth = pick { 10, 500, 5000 }
  return pick { ("["):rep(depth) .. bytes .. ("]"):rep(depth),
    ('{"a":'):rep(depth) .. bytes .. ("}"):rep(depth), ("["):rep(depth) }
end

local function swell(bytes)
  local much = pick { "[]", "\\", '{"a":1}', "\\u00e9", " ", "\xe9" }
    :rep(math.random(1, 20000))
  return pick { '{"pad":"' .. much .. '","data":' .. bytes .. "}", bytes .. much,
    '{"pad":[' .. much .. '],"data":' .. bytes .. "}" }
end

local function widen(bytes)
  return "\xff\xfe" .. bytes:gsub(".", "%0\0")
end

local function echo(bytes)
  return (bytes:gsub('"success"', '"' .. pick { mutation.KEY, "Bearer " .. mutation.KEY,
    "line\\r\\nline", "\\u001b[2Jx", "<html>" .. mutation.KEY } .. '"'))
end

--- Changes text that may be JSON.
-- @param bytes
-- @param corpus a list of other texts
function mutation.json(bytes, corpus)
  local how = math.random(40)
  if how <= 18 then
    return mutation.bytes(bytes)
  elseif how <= 28 then
    return replace_value(bytes, corpus)
  elseif how <= 32 then
    return wrap(bytes, corpus)
  elseif how <= 36 then
    return echo(bytes)
  elseif how == 37 then
    return deepen(bytes)
  elseif how == 38 then
    return swell(bytes)
  elseif how == 39 and #corpus > 0 then
    return pick(corpus)
  end
  return widen(bytes)
end

local crcs = {}
for i = 0, 255 do
  local crc = i
  for _ = 1, 8 do
    crc = crc & 1 == 1 and (crc >> 1) ~ 0xEDB88320 or crc >> 1
  end
  crcs[i] = crc
end

local GZIP_HEAD = "\x1f\x8b\8\0\0\0\0\0\0\3"

-- A block of deflate that holds bytes as they are.
local function stored(bytes, is_last)
  return string.pack("<BI2I2", is_last and 1 or 0, #bytes, ~#bytes & 0xffff) .. bytes
end

--- The same bytes in gzip, nothing saved.
function mutation.gzip(bytes)
  local parts, crc = { GZIP_HEAD }, 0xffffffff
  for from = 1, math.max(#bytes, 1), 65535 do
    parts[#parts + 1] = stored(bytes:sub(from, from + 65534), from + 65535 > #bytes)
  end
  for at = 1, #bytes do
    crc = crcs[(crc ~ bytes:byte(at)) & 0xff] ~ (crc >> 8)
  end
  parts[#parts + 1] = string.pack("<I4I4", ~crc & 0xffffffff, #bytes)
  return table.concat(parts)
end

-- Bits as deflate has them, the first one the lowest.
local function of_bits(bits)
  return (bits:gsub("........", function(eight)
    return string.char(tonumber(eight:reverse(), 2))
  end))
end

-- A last block begins, in the code that is fixed; a blank; 258 more of the byte
-- before; the end.
local BEGIN, BLANK, MORE, END = "110", "01010000", "1100010100000", "0000000"

--- The same bytes in gzip, and behind them so many blanks, with a wrong sum.
function mutation.bomb(bytes, blanks)
  return GZIP_HEAD .. stored(bytes:sub(1, 65535)) .. of_bits(BEGIN .. BLANK .. MORE)
    .. of_bits(MORE:rep(8)):rep(blanks // (8 * 258)) .. of_bits(END .. "0") .. ("x"):rep(8)
end

return mutation
