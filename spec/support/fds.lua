--- The open descriptors of this process, to see that none is left over.

local lfs = require "lfs"

local fds = {}

--- What is open now.
-- @return a table from number to what it points at, such as `socket:[4711]`
function fds.list()
  local open = {}
  for name in lfs.dir("/proc/self/fd") do
    local number = tonumber(name)
    local target = number and lfs.symlinkattributes("/proc/self/fd/" .. name, "target")
    -- The descriptor that reads this very folder is not one of the program's.
    if target and not target:find("^/proc/%d+/fd$") then
      open[number] = target
    end
  end
  return open
end

--- How many descriptors are open.
function fds.count()
  local count = 0
  for _ in pairs(fds.list()) do
    count = count + 1
  end
  return count
end

--- What has been opened since and is still open.
-- @param before an earlier `fds.list()`
-- @return a sorted list of readable entries, empty if nothing was left
function fds.since(before)
  local left = {}
  for number, target in pairs(fds.list()) do
    if before[number] ~= target then
      left[#left + 1] = number .. " " .. target
    end
  end
  table.sort(left)
  return left
end

return fds
