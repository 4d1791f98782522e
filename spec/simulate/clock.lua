--- Virtual time, and the processes that live in it: each is a set of coroutines.
-- Nothing happens between two events, so that a night takes no longer than its work.

local clock = {}
clock.__index = clock

local Process = {}
Process.__index = Process

--- @param now seconds since 1970
function clock.new(now)
  return setmetatable({ now = now, jumped = 0, heap = {}, count = 0, events = 0 }, clock)
end

--- What a clock on the wall shows; it may have been set.
function clock:wall()
  return self.now + self.jumped
end

-- A heap of events by time, and by their order where that is the same.
local function before(one, other)
  return one.time < other.time or one.time == other.time and one.number < other.number
end

local function push(heap, event)
  local at = #heap + 1
  while at > 1 and before(event, heap[at // 2]) do
    heap[at] = heap[at // 2]
    at = at // 2
  end
  heap[at] = event
end

local function pop(heap)
  local first, last = heap[1], table.remove(heap)
  local size, at = #heap, 1
  while size > 0 do
    local child = at * 2
    if child < size and before(heap[child + 1], heap[child]) then
      child = child + 1
    end
    if child > size or not before(heap[child], last) then
      heap[at] = last
      break
    end
    heap[at] = heap[child]
    at = child
  end
  return first
end

--- Calls a function in so many seconds.
function clock:after(seconds, call)
  self.count = self.count + 1
  push(self.heap, { time = self.now + math.max(seconds, 0), number = self.count, call = call })
end

--- Goes on to the next event.
-- @return whether there was one
function clock:step()
  local event = self.heap[1] and pop(self.heap)
  if not event then
    return false
  end
  self.now, self.events = math.max(self.now, event.time), self.events + 1
  event.call()
  return true
end

-- Processes -----------------------------------------------------------------------

--- Begins a process.
-- @param on_end called with what `main` returned behind true, or false and an error
function clock:process(name, main, on_end)
  local self_ = setmetatable({ clock = self, name = name, alive = true, waits = {}, children = 0,
    closing = {}, backlog = {} }, Process)
  self_.main = coroutine.create(function()
    local results = table.pack(xpcall(main, debug.traceback, self_))
    self_:close()
    on_end(table.unpack(results, 1, results.n))
  end)
  self:after(0, function() self_:resume(self_.main) end)
  return self_
end

-- The coroutines that run, each with its process.
local owners = setmetatable({}, { __mode = "k" })

--- The process whose code runs now.
function clock.process_here()
  return owners[coroutine.running()]
end

-- Where the process stands still, who does not make it do so waits.
function Process:resume(co, ...)
  if not self.alive or coroutine.status(co) ~= "suspended" then
    return
  elseif self.frozen and self.frozen ~= co then
    table.insert(self.backlog, table.pack(co, ...))
    return
  end
  owners[co] = self
  local ok, why = coroutine.resume(co, ...)
  if ok then
    return
  elseif co == self.main then -- no code of the batch's
    error(debug.traceback(co, tostring(why)), 0)
  end
  self.failure = self.failure or debug.traceback(co, tostring(why))
  self:wake "children"
end

--- Waits in the coroutine that runs.
-- @param seconds at most; nil: until `wake`
-- @param token what others may wake it by; nil: nobody can
-- @return what `wake` was given; nil where the time is over
function Process:wait(seconds, token)
  local co = coroutine.running()
  token = token or {}
  self.waits[token] = co
  if seconds then
    self.clock:after(seconds, function() self:wake(token) end)
  end
  return coroutine.yield()
end

function Process:wake(token, ...)
  local co = self.waits[token]
  if co then
    self.waits[token] = nil
    self:resume(co, ...)
  end
end

--- Starts one more coroutine; the process is told of its end.
function Process:spawn(work, ...)
  local values = table.pack(...)
  self.children = self.children + 1
  local co = coroutine.create(function()
    local _ <close> = setmetatable({}, { __close = function()
      self.children = self.children - 1
      if self.children == 0 then
        self:wake("children")
      end
    end })
    work(table.unpack(values, 1, values.n))
  end)
  self.clock:after(0, function() self:resume(co) end)
  return co
end

--- Runs a function and all that it starts.
function Process:run(work, ...)
  self:spawn(work, ...)
  while self.children > 0 and not self.failure do
    self:wait(nil, "children")
  end
  if self.failure then
    error(self.failure, 0)
  end
end

--- Stands still for a while: the whole process, wherever its coroutines are.
function Process:freeze(seconds)
  self.frozen = coroutine.running()
  self:wait(seconds)
  self.frozen = nil
  local backlog = self.backlog
  self.backlog = {}
  for _, one in ipairs(backlog) do
    self.clock:after(0, function() self:resume(table.unpack(one, 1, one.n)) end)
  end
end

--- What is to be closed where the process ends.
function Process:at_end(call)
  self.closing[#self.closing + 1] = call
end

function Process:close()
  self.alive = false
  for _, call in ipairs(self.closing) do
    call()
  end
end

--- Ends it in the middle, as SIGKILL does: nothing of it is done any more.
function Process:kill()
  self:close()
  self.killed = true
  if owners[coroutine.running()] == self then
    coroutine.yield()
  end
end

return clock
