--- Where a job's video goes: looked at before anything is paid, and after a crash.

local fault = require "minimax.batch.fault"

local output = {}

local ROOM = ("\0"):rep(4096)

-- The reason without the name of the file that was tried.
local function refuse(path, why)
  return nil, fault.new("io", "output '%s' can't be written (%s); nothing was submitted", path,
    why:match(": ([^:]*)$") or why)
end

--- One spelling for a path: two jobs must not take each other's video for theirs.
function output.normal(path)
  repeat
    local count
    path, count = path:gsub("/%.?/", "/")
  until count == 0
  return (path:gsub("^%./(.)", "%1"))
end

--- Whether a video can be written there, and would not replace anything.
-- @return true; or nil and an error of kind "io"
function output.check(path)
  local there = io.open(path, "rb")
  if there then
    there:close()
    return nil, fault.new("io", "output '%s' exists already; nothing was submitted", path)
  end
  local probe = path .. ".probe"
  local file, why = io.open(probe, "wb")
  if not file then
    return refuse(path, why)
  end
  local ok
  ok, why = file:write(ROOM)
  local closed, reason = file:close()
  os.remove(probe)
  if not ok or not closed then
    return refuse(path, why or reason)
  end
  return true
end

--- The video of a job whose download ended in a run that did not live to say so:
-- under the final name there is never anything but a whole file.
-- @return its bytes; nil where there is none; nil and an error where something
--   else stands there
function output.finished(path)
  local file = io.open(path, "rb")
  if not file then
    return nil
  end
  local head = file:read(8)
  local bytes = file:seek("end")
  file:close()
  if not head or head:sub(5) ~= "ftyp" then
    return nil, fault.new("io", "output '%s' exists already, and is no video", path)
  end
  return bytes
end

return output
