--- Errors of the command line itself, of the same shape as the module's.

local fault = {}

local Fault = { __name = "minimax.error" }

function Fault:__tostring()
  return "minimax: " .. self.message .. " (" .. self.kind .. ")"
end

function Fault.__concat(one, other)
  return tostring(one) .. tostring(other)
end

--- Makes an error.
-- @param kind of the contract's kinds
-- @param format and its values, as `string.format` takes them
function fault.new(kind, format, ...)
  return setmetatable({ kind = kind, message = format:format(...), retryable = false }, Fault)
end

-- What a command cannot do because its words are wrong; raised, not returned.
local Misuse = { __name = "minimax.misuse" }

function Misuse:__tostring()
  return self.message
end

--- Raises: the words of the command make no sense.
function fault.misuse(format, ...)
  error(setmetatable({ message = format:format(...) }, Misuse), 0)
end

--- Whether a raised value is of `misuse`.
function fault.is_misuse(value)
  return getmetatable(value) == Misuse
end

return fault
