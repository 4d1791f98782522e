--- What a fault makes of a request: of its task, its answer, its connection.

local answer_faults = require "minimax.emulator.answer_faults"
local connection_faults = require "minimax.emulator.connection_faults"

local fault_effects = {}

--- What a fault wants of the task that a submit creates.
function fault_effects.on_task(rule)
  if rule and rule.fault == "fail" then
    return { fails = rule.code or 1027, message = rule.message }
  end
end

--- Changes an answer as a fault says.
-- @param rule or nil
-- @return the answer; `send` in it is a function that sends it
function fault_effects.apply(rule, answer, request)
  if not rule then
    return answer
  end
  local change = answer_faults[rule.fault:gsub("^status_%d+$", "status_NNN")]
  if change then
    answer = change(answer, rule, request)
  end
  local fault = connection_faults[rule.fault]
  answer.send = fault and function(stream)
    fault(stream, request, answer, rule)
  end
  return answer
end

return fault_effects
