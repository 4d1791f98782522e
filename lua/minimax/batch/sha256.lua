--- SHA-256 of files, by luaossl.

local hex = require "minimax.common.hex"
local minimax = require "minimax"

local sha256 = {}

local PIECE = 65536 -- bytes read at a time

--- Finds luaossl.
-- @return its `openssl.digest`; or nil and what to install
function sha256.library()
  local found, digest = pcall(require, "openssl.digest")
  if found then
    return digest
  end
  return nil, "a batch with local files needs luaossl, which is not installed for this Lua: it "
    .. "is the rock luaossl, on Debian the package lua-luaossl"
end

-- What is no regular file may have no end, or wait for ever to be opened.
local function open(path)
  local folder, taken, regular = minimax._place(path)
  if folder and taken and not regular then
    return nil, path .. ": no regular file"
  end
  return io.open(path, "rb")
end

--- The digest of a file.
-- @return hexadecimal digits and the number of bytes; or nil and why not
function sha256.file(path)
  local digest, missing = sha256.library()
  if not digest then
    return nil, missing
  end
  local file <close>, why = open(path)
  if not file then
    return nil, "file can't be read: " .. why
  end
  local sum, length = digest.new "sha256", 0
  local piece
  piece, why = file:read(PIECE)
  while piece do
    sum:update(piece)
    length = length + #piece
    piece, why = file:read(PIECE)
  end
  if why then
    return nil, "file can't be read: " .. path .. ": " .. why
  end
  return hex.encode(sum:final()), length
end

return sha256
