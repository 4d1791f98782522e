--- Runs coroutines on the main thread in such a way that Ctrl-C lets what costs
-- money come to its end: the first one only asks the run to stop.

local minimax = require "minimax"

local interruptible = {}

-- Seconds from look to look. Transfers go on meanwhile; only what follows from
-- their ends waits so long.
local TURN = 0.01

-- Other loops resume their coroutines themselves, and have signals of their own.
local function is_plain()
  return not coroutine.isyieldable() and not package.loaded["minimax.luv"]
    and not package.loaded["minimax.copas"]
end

local function never()
  return nil
end

-- Lua's own handler of Ctrl-C raises by itself; that of the command line waits
-- to be asked.
local function signal_reader()
  local console = package.loaded["minimax.console"]
  return console and console.caught or never
end

-- Goes on to the end. Raises where a signal interrupts it, and for nothing else:
-- the hook of a signal is the main thread's, and so never ends the coroutine.
local function go_on(co, main, result, has_signal)
  while coroutine.status(co) ~= "dead" do
    if has_signal() then
      error("interrupted!", 0)
    end
    result.ok, result.err = coroutine.resume(co, main)
    if coroutine.status(co) == "suspended" then
      minimax.sleep(TURN)
    end
  end
end

--- As `minimax.run`, but for interrupts.
-- @param main the function to run
-- @param on_interrupt called at the first interrupt; the coroutines then have to
--   end soon. The second one closes them. Either is raised in the end.
function interruptible.run(main, on_interrupt)
  if not is_plain() then
    minimax.run(main)
    return
  end
  local co <const> = coroutine.create(minimax.run)
  local _ <close> = setmetatable({}, { __close = function() coroutine.close(co) end })
  local result = {}
  local ok, interrupt = pcall(go_on, co, main, result, signal_reader())
  if not ok then
    on_interrupt()
    go_on(co, main, result, never)
    error(interrupt, 0)
  elseif not result.ok then
    error(result.err, 0)
  end
end

return interruptible
