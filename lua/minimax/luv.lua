--- Waiting in luv: `require "minimax.luv"`, and every call of minimax that
-- waits yields in coroutines and lets `uv.run` go on.
--
-- One shared poll handle watches minimax's descriptor while anybody waits, and
-- is stopped with the last one, so that `uv.run` ends. A coroutine's own error
-- is told as a warning: one that left a luv callback would end the process.
-- @module minimax.luv

local minimax = require "minimax"

local found, uv = pcall(require, "luv")
if not found then
  error("minimax.luv needs luv: luarocks install luv, or apt-get install lua-luv", 0)
end

local waiting = {} -- token -> its coroutine, asleep
local awake = {}   -- tokens that have news, in order
local poll         -- watches minimax's descriptor
local timer        -- resumes what was woken outside the poll handle

-- Resumes a coroutine; what it throws ends nothing but itself.
local function resume(co)
  local ok, reason = coroutine.resume(co)
  if not ok then
    warn("minimax.luv: error in a coroutine: ", debug.traceback(co, tostring(reason)))
    coroutine.close(co)
  end
end

local function resume_awake()
  local tokens = awake
  awake = {}
  for _, token in ipairs(tokens) do
    local co = waiting[token]
    waiting[token] = nil
    if co and coroutine.status(co) == "suspended" then
      resume(co)
    end
  end
  if not next(waiting) then
    poll:stop()
    timer:stop()
  end
end

local function step()
  minimax.step()
  resume_awake()
end

-- A system without epoll has no descriptor: a timer looks every so often.
local function watch()
  if poll.start and minimax.pollfd() then
    poll:start("r", step)
  else
    timer:start(0, math.max(1, math.ceil((minimax.timeout() or 0.01) * 1000)), step)
  end
end

local function open()
  timer = uv.new_timer()
  poll = minimax.pollfd() and uv.new_poll(minimax.pollfd()) or { stop = function() end }
end

local adapter = {}

function adapter.token()
  if not poll then
    open()
  end
  return {}
end

function adapter.park(token)
  if not next(waiting) then
    watch()
  end
  waiting[token] = coroutine.running()
  repeat -- whoever else resumes it finds it still waiting
    coroutine.yield()
  until not waiting[token]
end

function adapter.wake(token, gone)
  if gone then
    waiting[token] = nil
  end
  awake[#awake + 1] = token
  -- Woken by an abort or a close, outside the poll handle's own call.
  timer:start(0, 0, resume_awake)
end

minimax.adapter(adapter)

return minimax
