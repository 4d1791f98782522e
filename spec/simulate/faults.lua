--- What may go wrong in a night, and how often: drawn anew for each, so that many
-- nights have few kinds of faults and some have all.

local faults = {}
faults.__index = faults

-- How often each happens where it happens at all: from, to, in which share of the
-- nights. Per statement of the database first.
local KINDS = {
  { "kill", 0.0005, 0.01, 0.6 },
  { "freeze", 0.0005, 0.02, 0.5 },
  { "locked", 0.001, 0.05, 0.4 },
  { "refused", 0.0003, 0.003, 0.2 },
  { "unheard", 0.001, 0.03, 0.5 },
  -- Per submit.
  { "unsent", 0.02, 0.2, 0.3 },
  { "lost", 0.02, 0.3, 0.5 },
  { "named", 0.02, 0.3, 0.4 },
  { "limited", 0.02, 0.4, 0.4 },
  { "busy", 0.02, 0.3, 0.3 },
  { "poor", 0.02, 0.1, 0.3 },
  { "banned", 0.02, 0.1, 0.3 },
  { "late", 0.02, 0.4, 0.5 },
  -- Per query, and per download.
  { "broken", 0.02, 0.3, 0.5 },
  { "page", 0.01, 0.2, 0.4 },
  { "expired", 0.05, 0.4, 0.4 },
  { "short", 0.02, 0.4, 0.3 },
}

-- What goes on for a while: how long at most, in which share of the nights.
local SPELLS = {
  { "outage", 300, 0.4 }, { "storage_down", 300, 0.3 }, { "disk_full", 200, 0.3 },
  { "held", 60, 0.4 },
}

--- @param shared true: a server's ledger, whose connections break
function faults.new(random, shared)
  local self = setmetatable({ random = random, on = true, shared = shared, share = {} }, faults)
  for _, kind in ipairs(KINDS) do
    local name, least, most, often = table.unpack(kind)
    local drawn = random:real(least, most)
    self.share[name] = random:chance(often) and drawn or 0
  end
  return self
end

--- Whether something happens now.
function faults:happens(name)
  return self.on and self.random:chance(self.share[name])
end

--- Plans the spells of a night.
-- @param length of it in seconds
function faults:plan(clock, length)
  for _, spell in ipairs(SPELLS) do
    local name, most, often = table.unpack(spell)
    local at, seconds = self.random:real(0, length), self.random:real(1, most)
    if self.random:chance(often) then
      clock:after(at, function() self[name] = self.on end)
      clock:after(at + seconds, function() self[name] = false end)
    end
  end
end

--- From here on all goes well.
function faults:stop()
  self.on = false
  for _, spell in ipairs(SPELLS) do
    self[spell[1]] = false
  end
end

-- The database ----------------------------------------------------------------------

local function is_write(sql)
  return sql:find "UPDATE" or sql:find "INSERT" or sql:find "^BEGIN"
end

--- Why a statement is not done, or nil; and whether the connection is gone.
function faults:refusal(sql, inside)
  if sql == "ROLLBACK" or sql == "COMMIT" then
    return nil
  elseif self.shared then
    if self.held or self:happens "locked" then
      return "server closed the connection unexpectedly", true
    end
  elseif not inside and (self.held or self:happens "locked") then
    return "database is locked"
  elseif self.disk_full and is_write(sql) then
    return "database or disk is full"
  elseif self:happens "refused" then
    return "disk I/O error"
  end
end

--- Whether the answer to what was done does not arrive.
function faults:loses_answer(inside)
  return self.shared and not inside and self:happens "unheard"
end

return faults
