--- Packs text as gzip without compressing it: blocks that are stored as they are.

local gzip = {}

local LONGEST_BLOCK = 0xFFFF

local TABLE = {}
for index = 0, 255 do
  local value = index
  for _ = 1, 8 do
    value = value & 1 == 1 and value >> 1 ~ 0xEDB88320 or value >> 1
  end
  TABLE[index] = value
end

local function crc32(text)
  local value = 0xFFFFFFFF
  for index = 1, #text do
    value = value >> 8 ~ TABLE[(value ~ text:byte(index)) & 0xFF]
  end
  return value ~ 0xFFFFFFFF
end

--- @return the gzip form of a text
function gzip.pack(text)
  local parts = { "\x1f\x8b\8\0\0\0\0\0\0\xff" }
  local first = 1
  repeat
    local block = text:sub(first, first + LONGEST_BLOCK - 1)
    first = first + #block
    local last = first > #text and 1 or 0
    parts[#parts + 1] = string.pack("<I1I2I2", last, #block, ~#block & 0xFFFF) .. block
  until last == 1
  parts[#parts + 1] = string.pack("<I4I4", crc32(text), #text & 0xFFFFFFFF)
  return table.concat(parts)
end

return gzip
