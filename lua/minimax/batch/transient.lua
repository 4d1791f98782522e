--- Which failures of a database pass by themselves, so that a run waits for them
-- instead of ending a night. LuaDBI hands on no SQLSTATE: they are known by their
-- words, which no version has changed.

local transient = {}

-- Words of the error, the SQLSTATE they stand for, and why it passes.
local TABLE = {
  { "database is locked", nil, "SQLite: another process writes" },
  { "could not serialize access", "40001", "others changed the same rows" },
  { "deadlock detected", "40P01", "the other one goes on, and is done soon" },
  { "could not obtain lock", "55P03", "who holds the lock will be done" },
  { "canceling statement due to", "57014, 55P03, 40001",
    "a timeout, a person or a standby cut it off: the server was slow just then" },
  { "in a read-only transaction", "25006", "a failover, or its fence" },
  { "during recovery", "25006", "a standby that is about to be the primary" },
  { "No space left on device", "53100", "somebody makes room" },
  { "Disk quota exceeded", "53100", "somebody makes room" },
  { "out of memory", "53200", "the load falls" },
  { "out of shared memory", "53200", "the load falls" },
  { "too many clients", "53300", "some leave" },
  { "too many connections", "53300", "some leave" },
  { "connection slots are reserved", "53300", "some leave" },
  { "the database system is", "57P03", "it starts, shuts down or recovers" },
  { "cached plan must not change", "0A000", "a newer worker has changed the tables" },
  { "tuple concurrently", "XX000", "two changed the same table" },
  { "prepared statement", "26000, 42P05", "a pooler gave it another server's connection" },
}

-- A server that speaks another language gives its severity in it, too; whether an
-- error of it passes can't be told, and to wait costs less than to end a night.
local ENGLISH = { ERROR = true, FATAL = true, PANIC = true }

local function is_foreign(text)
  local severity = text:match "^([^%s:]+)%s?:  "
  return severity ~= nil and not ENGLISH[severity]
end

--- Whether an error passes: to repeat what is safe to repeat may help.
-- @param text as the server gave it, with its severity
function transient.is(text)
  for _, entry in ipairs(TABLE) do
    if text:find(entry[1], 1, true) then
      return true
    end
  end
  return is_foreign(text)
end

return transient
