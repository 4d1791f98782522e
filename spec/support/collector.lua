--- The parameters of Lua's collector, in the words of the Lua that runs this.

local collector = {}

--- Makes the collector incremental.
-- @param pause percent of what was left by the last cycle, when the next begins
-- @param multiplier percent: how much it does for what was allocated
-- @param step bytes between two steps, a power of two
function collector.incremental(pause, multiplier, step)
  if _VERSION == "Lua 5.4" then
    collectgarbage("incremental", pause, multiplier,
      step and math.tointeger(math.log(step, 2)))
    return
  end
  collectgarbage "incremental"
  collectgarbage("param", "pause", pause)
  collectgarbage("param", "stepmul", multiplier)
  if step then
    collectgarbage("param", "stepsize", step)
  end
end

return collector
