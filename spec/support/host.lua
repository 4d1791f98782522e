--- A host with a loop of its own, for specs of what such a host is given.

local minimax = require "minimax"
local socket = require "socket"

local host = {}

local LONGEST = 10

-- What `socket.select` takes in place of a socket.
local engine = {}

function engine.getfd()
  return minimax.pollfd()
end

function engine.dirty()
  return false
end

--- Sleeps until the module has something to do, as it says itself.
-- @param seconds how long at most (10)
function host.sleep(seconds)
  local timeout = math.min(minimax.timeout() or LONGEST, seconds or LONGEST)
  socket.select(minimax.pollfd() and { engine } or nil, nil, timeout)
end

--- Whether the module's descriptor says within that time that there is work.
function host.is_readable(seconds)
  return #socket.select({ engine }, nil, seconds) > 0
end

--- Steps the module until it has had nothing to do for a while.
-- @param seconds that while
function host.settle(seconds)
  repeat
    minimax.step()
  until not host.is_readable(seconds)
end

--- Resumes a coroutine whenever there is news until it ends, and raises its
-- error.
-- @param co
-- @param ... for the first resume
-- @return what it returned
function host.drive(co, ...)
  local results = table.pack(coroutine.resume(co, ...))
  while coroutine.status(co) ~= "dead" do
    host.sleep()
    results = table.pack(coroutine.resume(co))
  end
  if not results[1] then
    error(results[2], 0)
  end
  return table.unpack(results, 2, results.n)
end

--- Steps the module until a condition holds.
-- @param holds a function
-- @param seconds until it is given up (10)
-- @return whether it holds
function host.step_until(holds, seconds)
  local deadline = socket.gettime() + (seconds or LONGEST)
  while not holds() do
    local left = deadline - socket.gettime()
    if left <= 0 then
      return false
    end
    host.sleep(left)
    minimax.step()
  end
  return true
end

return host
