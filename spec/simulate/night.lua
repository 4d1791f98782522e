--- One night: workers that run a batch while all goes wrong that can, an owner who
-- comes by, and a morning in which all is well. All of it follows from the seed.

local client = require "spec.simulate.client"
local clock = require "spec.simulate.clock"
local code = require "spec.simulate.code"
local disk = require "spec.simulate.disk"
local faults = require "spec.simulate.faults"
local owner = require "spec.simulate.owner"
local random = require "spec.simulate.random"
local truth = require "spec.simulate.truth"

local night = {}
night.__index = night

local BEGIN = 1700000000 -- seconds since 1970
local PATIENCE = 1800    -- seconds without a word: a run waits in silence
local STEPS = 2000000    -- of a night that never ends

--- What was done is told to `trace`, if anybody listens.
function night:log(...)
  local words = table.pack(...)
  for index = 1, words.n do
    words[index] = tostring(words[index])
  end
  local line = table.concat(words, " ")
  self.sign = self.clock.now
  for index = 1, #line - 7, 8 do
    self.mark = (self.mark ~ ("i8"):unpack(line, index)) * 1099511628211
  end
  if self.trace then
    self.trace(("%10.3f %s"):format(self.clock.now - BEGIN, line))
  end
end

--- A place where a process may be killed, or stand still for a while.
-- @param may_freeze false within a transaction
function night:hazard(process, may_freeze)
  if not coroutine.isyieldable() then
    return
  elseif self.faults:happens "kill" then
    self:log("kill", process.name)
    self:kill(process)
  elseif may_freeze and self.faults:happens "freeze" then
    local seconds = self.random:real(1, 200)
    self:log("freeze", process.name, seconds)
    process:freeze(seconds)
  end
end

function night:database_time()
  return self.shared and self.clock.now + self.server_jumped or self.clock:wall()
end

-- Workers -----------------------------------------------------------------------------

local function run_options(self, host)
  local rand = self.random
  return {
    host = host, on_event = nil,
    max_in_flight = rand:of { 1, 2, 3, 20 }, poll_interval = rand:of { 2, 10 },
    lease = rand:of { 20, 60 }, patience = rand:of { 60, 600, 3600 },
    wait_timeout = rand:of { 100, 7200 },
    submit_rate = rand:of { { 1, 10 }, { 5, 60 }, false, rand:chance(0.5) and { 100, 1 } or nil },
    query_rate = rand:chance(0.3) and { 10, 10 } or nil,
    max_submits = rand:chance(0.1) and rand:index(6) or nil,
  }
end

-- Runs the batch in a process.
-- @return the reason; and ids that the run told of
local function run_batch(self, host)
  local told, options = {}, run_options(self, host)
  if self.is_morning then
    options.wait_timeout, options.max_submits = nil, nil
  end
  self:log("run", host)
  options.on_event = function(event)
    self:log("event", host, event.type, event.key, event.state, event.reason,
      event.err and event.err.message)
    if event.type == "task" then
      told[event.task_id] = true
    end
  end
  local b, err = code.require "minimax.batch".open(self.store.where, self.client)
  if not b then
    return "closed", {}, err
  end
  local counts, reason
  counts, reason, err = b:run(options)
  for _, one in ipairs(counts and counts.lost or {}) do
    told[one.task_id] = true
  end
  b:close()
  return counts and reason or "refused", told, err
end

--- Ends a process in the middle, and thinks of the next one.
function night:kill(process)
  local again = process.again
  self.clock:after(self.random:real(1, 100), function() if again then again() end end)
  process:kill()
end

function night:worker(host)
  local process
  self.living = self.living + 1
  process = self.clock:process(host, function(own)
    own.looked = {}
    return run_batch(self, host)
  end, function(ok, reason, told, err)
    self:log("end", host, ok, reason, err and err.message)
    if not ok then
      self.truth:breaks("a run raised: %s", reason)
    else
      self.truth:run_ended(process, reason, told)
    end
    self.living = self.living - 1
    self:go_on(host)
  end)
  process.again = function()
    self.living = self.living - 1
    self:go_on(host)
  end
end

-- The next run of a host, while the night lasts.
function night:go_on(host)
  if self.clock.now < self.ends then
    self.living = self.living + 1
    self.clock:after(self.random:real(1, 120), function()
      self.living = self.living - 1
      self:worker(host)
    end)
  end
end

function night:visit()
  if self.faults.on then
    self.clock:process("owner", function(own) owner.visit(self, own) end, function(ok, why)
      if not ok then
        self.truth:breaks("the owner's command raised: %s", why)
      end
    end)
    self.clock:after(self.random:real(20, 600), function() self:visit() end)
  end
end

-- The night ---------------------------------------------------------------------------

--- @param seed an integer
-- @param store see `database.lua`
-- @param options `shared` (several workers), `trace` (function(line))
function night.new(seed, store, options)
  local rand = random.new(seed)
  local self = setmetatable({ seed = seed, random = rand, store = store, shared = options.shared,
    trace = options.trace, clock = clock.new(BEGIN), disk = disk.new(rand), jobs = 0, living = 0,
    mark = 0, sign = BEGIN, server_jumped = 0 }, night)
  self.faults = faults.new(rand, self.shared)
  self.client, self.truth = client.new(self), truth.new(self)
  self.ends = BEGIN + rand:real(60, 1500)
  return self
end

-- Goes on until a condition holds.
-- @return whether it came to hold
local function drive(self, is_over)
  while not is_over() do
    if self.truth.broken[1] then
      return false
    elseif not self.clock:step() then
      self.truth:breaks "a run waits for what never comes"
    elseif self.clock.events > STEPS then
      self.truth:breaks "the night does not end"
    elseif self.clock.now - self.sign > PATIENCE then
      self.truth:breaks("a run has waited %.0f s in silence", self.clock.now - self.sign)
    end
  end
  return true
end

-- Does something in a process, all alone.
local function alone(self, name, work)
  local ended = false
  self.clock:process(name, work, function(ok, why)
    ended = true
    if not ok then
      self.truth:breaks("%s raised: %s", name, why)
    end
  end)
  return drive(self, function() return ended end)
end

local function prepare(self)
  self.faults.on = false
  alone(self, "owner", function(own)
    own.is_owner = true
    local b = assert(code.require "minimax.batch".open(self.store.where, self.client))
    owner.add(self, b, self.random:index(6))
    b:close()
  end)
  self.faults.on = true
end

local function jump(self)
  local seconds = self.random:of { -30000, -100, 100, 30000 }
  if self.random:chance(0.15) then
    self.clock:after(self.random:real(0, 1000), function()
      self:log("jump", seconds)
      if self.shared then
        self.server_jumped = self.server_jumped + seconds
      else
        self.clock.jumped = self.clock.jumped + seconds
      end
    end)
  end
end

-- The last run: nobody else is there, and nothing fails.
local function morning(self)
  self.faults:stop()
  if not drive(self, function() return self.living == 0 end) then
    return
  end
  alone(self, "owner", function(own) owner.clear(self, own) end)
  self.ends, self.is_morning = 0, true
  self:worker "morning"
  if drive(self, function() return self.living == 0 end) then
    self.truth:night_ended()
  end
end

--- Plays it.
-- @return the rules that were broken, as a list of texts; and a number that is the
--   same for the same night
function night:play()
  code.enter(self)
  prepare(self)
  self.faults:plan(self.clock, self.ends - BEGIN)
  jump(self)
  for number = 1, self.shared and self.random:index(3) or 1 do
    self:worker("host" .. self.random:index(number))
  end
  self.clock:after(self.random:real(20, 600), function() self:visit() end)
  drive(self, function() return self.clock.now >= self.ends end)
  morning(self)
  self.truth:close()
  return self.truth.broken, self.mark
end

return night
