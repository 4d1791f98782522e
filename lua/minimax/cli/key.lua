--- Where the key comes from: the environment, or a file that nobody else can
-- read. Never an argument: every user of a machine sees those.

local fault = require "minimax.cli.fault"
local shell = require "minimax.common.shell"
local variable = require "minimax.cli.variable"

local key = {}

local LONGEST = 4096 -- bytes of a file that holds a key

-- "-rw-------", of the file that a link leads to; nil where there is none.
local function permissions(path)
  local pipe = assert(io.popen("LC_ALL=C ls -ldL -- " .. shell.word(path) .. " 2>/dev/null"))
  local listing = pipe:read("a")
  pipe:close()
  return listing:match("^%S+")
end

local function read(path)
  local file, why = io.open(path, "rb")
  if not file then
    return nil, why
  end
  local text
  text, why = file:read(LONGEST + 1)
  file:close()
  if not text then
    return nil, path .. ": " .. (why or "it is empty")
  elseif #text > LONGEST then
    return nil, path .. ": it is too long for a key"
  end
  return text
end

--- Reads a key from a file.
-- @return the key; or nil and an error of kind "auth"
function key.read(path)
  local mode = permissions(path)
  if mode and mode:sub(5, 10) ~= "------" then
    return nil, fault.new("auth", "others may read the key in %s (%s): chmod 600 %s", path, mode,
      shell.word(path))
  end
  local text, why = read(path)
  if not text then
    return nil, fault.new("auth", "the key can't be read: %s", why)
  end
  local found = text:match("^%s*(.*%S)") or ""
  if found == "" or found:find("%c") then
    return nil, fault.new("auth", "%s holds no key: one line is expected", path)
  end
  return found
end

--- Finds the key.
-- @param path what --key-file says, or nil
-- @return the key, or nil where there is none; or nil and an error; and third,
--   where it comes from
function key.find(path)
  if path then
    local found, err = key.read(path)
    return found, err, "the file " .. path
  elseif variable "MINIMAX_API_KEY" then
    return variable "MINIMAX_API_KEY", nil, "MINIMAX_API_KEY"
  end
  path = variable "MINIMAX_API_KEY_FILE"
  if path then
    local found, err = key.read(path)
    return found, err, "the file " .. path .. " (MINIMAX_API_KEY_FILE)"
  end
end

return key
