--- Errors as `minimax` returns them, of what happens around a ledger and on the
-- command line.

local fault = {}

local Fault = { __name = "minimax.error" }

function Fault:__tostring()
  local stage = self.stage and " " .. self.stage or ""
  local line = "minimax" .. stage .. ": " .. self.message .. " (" .. self.kind
  return line .. (self.task_id and ", task " .. self.task_id or "") .. ")"
end

function Fault.__concat(one, other)
  return tostring(one) .. tostring(other)
end

--- Makes an error object.
-- @param kind of the contract's kinds
-- @param format and its values, as `string.format` takes them
function fault.new(kind, format, ...)
  return setmetatable({ kind = kind, message = format:format(...), stage = "batch",
    retryable = false }, Fault)
end

return fault
