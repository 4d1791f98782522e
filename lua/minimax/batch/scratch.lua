--- A new file without a name: what is written to it takes room in a folder for as
-- long as it is open. It never is a file of somebody else, and none is left behind.

local minimax = require "minimax"

local scratch = {}

-- A name that nothing has: this process's own, and counted on where it is taken.
local function fresh(folder)
  local own = tostring {}:match "0x(%x+)" or "0"
  for count = 1, 1000 do
    local path = string.format("%s.minimax-%s-%d-%d", folder, own, os.time(), count)
    local there, taken, errno = minimax._place(path)
    if not there then
      return nil, taken, errno
    elseif not taken then
      return path
    end
  end
  return nil, "no name is free"
end

--- Opens one.
-- @param path of a file in the same folder
-- @return the file; or nil, why not, and the errno
function scratch.open(path)
  local name, why, errno = fresh(path:match "^.*/" or "")
  if not name then
    return nil, why, errno
  end
  local file
  file, why, errno = io.open(name, "wb")
  if file then
    os.remove(name)
  end
  return file, why, errno
end

--- Opens one and fills it.
-- @param bytes how many
-- @return the file; or nil, why not, and the errno
function scratch.filled(path, bytes)
  local file, why, errno = scratch.open(path)
  if not file then
    return nil, why, errno
  end
  local ok
  ok, why, errno = file:write(("\0"):rep(bytes))
  if ok then
    ok, why, errno = file:flush()
  end
  if not ok then
    file:close()
    return nil, why, errno
  end
  return file
end

return scratch
