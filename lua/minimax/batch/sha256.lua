--- SHA-256 of texts and files: by luaossl where it is installed, else in Lua
-- (some 4 MB a second).

local sha256 = {}

local BLOCK = 64
local PIECE = 65536 -- bytes read at a time: whole blocks

-- The first 32 bits of the fractions of the roots of the first primes.
local function fractions(count, power)
  local list, number = {}, 2
  while #list < count do
    local prime = true
    for divisor = 2, math.floor(number ^ 0.5) do
      prime = prime and number % divisor ~= 0
    end
    if prime then
      list[#list + 1] = math.floor(number ^ power % 1 * 0x100000000)
    end
    number = number + 1
  end
  return list
end

local CONSTANTS = fractions(64, 1 / 3)
local START = fractions(8, 1 / 2)

-- A 32-bit word doubled into 64 bits turns by a mere shift.
local function expand(block, at, words)
  for index = 1, 16 do
    words[index] = string.unpack(">I4", block, at + 4 * index - 4)
  end
  for index = 17, 64 do
    local a, b = words[index - 15], words[index - 2]
    a, b = a | a << 32, b | b << 32
    words[index] = (words[index - 16] + words[index - 7] + (a >> 7 ~ a >> 18 ~ (a << 32 >> 35))
      + (b >> 17 ~ b >> 19 ~ (b << 32 >> 42))) & 0xffffffff
  end
end

local function add_block(state, words)
  local a, b, c, d = state[1], state[2], state[3], state[4]
  local e, f, g, h = state[5], state[6], state[7], state[8]
  for index = 1, 64 do
    local ee, aa = e | e << 32, a | a << 32
    local one = h + ((ee >> 6 ~ ee >> 11 ~ ee >> 25) & 0xffffffff) + (e & f ~ ~e & g)
      + CONSTANTS[index] + words[index]
    local two = ((aa >> 2 ~ aa >> 13 ~ aa >> 22) & 0xffffffff) + (a & b ~ a & c ~ b & c)
    h, g, f, e = g, f, e, (d + one) & 0xffffffff
    d, c, b, a = c, b, a, (one + two) & 0xffffffff
  end
  for index, word in ipairs { a, b, c, d, e, f, g, h } do
    state[index] = (state[index] + word) & 0xffffffff
  end
end

local Digest = {}
Digest.__index = Digest

local function plain()
  return setmetatable({ state = table.move(START, 1, 8, 1, {}), rest = "", length = 0, words = {} },
    Digest)
end

function Digest:update(bytes)
  self.length = self.length + #bytes
  bytes = self.rest .. bytes
  local whole = #bytes - #bytes % BLOCK
  for at = 1, whole, BLOCK do
    expand(bytes, at, self.words)
    add_block(self.state, self.words)
  end
  self.rest = bytes:sub(whole + 1)
end

function Digest:final()
  local bits = self.length * 8
  local padding = (55 - self.length) % BLOCK
  self:update("\x80" .. ("\0"):rep(padding) .. string.pack(">I8", bits))
  return string.pack(">I4I4I4I4I4I4I4I4", table.unpack(self.state))
end

local found, digest = pcall(require, "openssl.digest")

local function new()
  return found and digest.new("sha256") or plain()
end

local function hexadecimal(bytes)
  return (bytes:gsub(".", function(byte) return string.format("%02x", byte:byte()) end))
end

--- The digest of a text, in hexadecimal digits.
-- @param in_lua true: without luaossl
function sha256.text(text, in_lua)
  local sum = in_lua and plain() or new()
  sum:update(text)
  return hexadecimal(sum:final())
end

--- The digest of a file.
-- @return hexadecimal digits and the number of bytes; or nil and why not
function sha256.file(path)
  local file, why = io.open(path, "rb")
  if not file then
    return nil, why
  end
  local sum, length = new(), 0
  local piece
  piece, why = file:read(PIECE)
  while piece do
    sum:update(piece)
    length = length + #piece
    piece, why = file:read(PIECE)
  end
  file:close()
  if why then
    return nil, path .. ": " .. why
  end
  return hexadecimal(sum:final()), length
end

return sha256
