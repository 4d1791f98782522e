--- What a fault makes of a request: of its task, its answer, its connection.

local mischief = require "minimax.emulator.mischief"
local trouble = require "minimax.emulator.trouble"

local outcome = {}

--- What a fault wants of the task that a submit creates.
function outcome.of(rule)
  if rule and rule.fault == "fail" then
    return { fails = rule.code or 1027, message = rule.message }
  end
end

--- Changes an answer as a fault says.
-- @param rule or nil
-- @return the answer; `trouble` in it is a function that sends it
function outcome.apply(rule, answer, request)
  if not rule then
    return answer
  end
  local spoil = mischief[rule.fault:gsub("^status_%d+$", "status_NNN")]
  if spoil then
    answer = spoil(answer, rule, request)
  end
  local play = trouble[rule.fault]
  answer.trouble = play and function(stream)
    play(stream, request, answer, rule)
  end
  return answer
end

return outcome
