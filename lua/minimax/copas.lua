--- Waiting in copas: `require "minimax.copas"`, and every call of minimax that
-- waits yields in copas threads and lets `copas.loop` go on.
--
-- copas takes no foreign yields, so this keeps to its public calls: threads sit
-- in `copas.receive` on objects that stand for minimax's descriptor. Where copas
-- can wake a thread by name (2.0 and later), only a poller sits there and the
-- waiters sleep. Before, each waiter does: select finds one of the objects when
-- there is work, and those whose wait is over by their `dirty`.
-- @module minimax.copas

local minimax = require "minimax"

local found, copas = pcall(require, "copas")
if not found then
  error("minimax.copas needs copas: luarocks install copas, or apt-get install lua-copas "
    .. "(Debian's is installed for Lua 5.1 to 5.3: add /usr/share/lua/5.2/?.lua to LUA_PATH)", 0)
end

-- What copas selects on in the place of a socket.
local Watch = {}
Watch.__index = Watch

function Watch.getfd()
  return minimax.pollfd()
end

-- LuaSocket takes what is dirty for readable, whatever its descriptor says.
function Watch:dirty()
  return self.woken or false
end

function Watch.settimeout()
  return true
end

-- Old copas closes the last thing that a thread waited for when that ends.
function Watch.close()
  return true
end

function Watch:receive()
  if not self.woken then
    minimax.step()
  end
  if not self.woken then
    return nil, "timeout"
  end
  return "news"
end

local adapter = {}

function adapter.token()
  return setmetatable({ co = coroutine.running() }, Watch)
end

if copas.wakeup then
  local asleep, poller = {}, nil -- the tokens of those that wait; the poller's object
  local sleep = copas.pauseforever or function()
    copas.sleep(-1)
  end

  -- It ends with the last waiter, and so does the loop.
  local function release_poller()
    if not next(asleep) and poller then
      poller.woken = true
      poller = nil
    end
  end

  local function start_poller()
    local watch = setmetatable({}, Watch)
    poller = watch
    copas.addthread(function()
      copas.receive(watch, 1)
    end)
  end

  -- copas holds a thread that sleeps weakly; the collector would take it.
  function adapter.park(token)
    asleep[token] = true
    if not poller then
      start_poller()
    end
    repeat
      sleep()
    until not asleep[token]
  end

  function adapter.wake(token, gone)
    if asleep[token] then
      asleep[token] = nil
      release_poller()
      if not gone then
        copas.wakeup(token.co)
      end
    end
  end
else
  function adapter.park(token)
    copas.receive(token, 1)
  end

  function adapter.wake(token, gone)
    token.woken = not gone
  end
end

minimax.adapter(adapter)

return minimax
