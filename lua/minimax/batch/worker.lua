--- Who runs: the host's name, and a name for this run that no other has.

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
  local file = io.open("/dev/urandom", "rb")
  local bytes = file and file:read(8)
  if file then
    file:close()
  end
  local number = bytes and string.unpack("i8", bytes) or math.random(0)
  return string.format("%016x", number)
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
