--- Bytes as hexadecimal digits.

local hex = {}

--- Writes a text's bytes, two digits each.
function hex.encode(bytes)
  return (bytes:gsub(".", function(byte) return string.format("%02x", byte:byte()) end))
end

--- Digits that nobody can guess.
-- @param count of random bytes
-- @return twice as many digits; or nil and why there are none
function hex.random(count)
  local file <close>, why = io.open("/dev/urandom", "rb")
  local bytes = file and file:read(count)
  return bytes and hex.encode(bytes), why
end

return hex
