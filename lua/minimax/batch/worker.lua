--- Who runs: the host's name, and a name for this run that no other has.

local hex = require "minimax.common.hex"

local worker = {}

local function host_name()
  local file = io.open("/proc/sys/kernel/hostname") or io.popen("uname -n")
  local name = file and file:read("l")
  if file then
    file:close()
  end
  return name
end

--- A name that nothing else has.
function worker.random_name()
  return hex.random(8) or string.format("%016x", math.random(0))
end

--- Makes a worker.
-- @param host its name, where the system's is not wanted
-- @param lease seconds until others may take over what it holds
function worker.new(host, lease)
  -- A comma separates hosts in the ledger, and % and _ would match others.
  host = (host or host_name() or "localhost"):gsub("[^%w.-]", "-")
  return { host = host, name = host .. ":" .. worker.random_name(), lease = lease }
end

return worker
