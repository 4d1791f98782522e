--- Errors of the command line itself, of the same shape as the module's.

local common = require "minimax.common.fault"

local fault = {}

--- Makes an error.
-- @param kind of the contract's kinds
-- @param format and its values, as `string.format` takes them
fault.new = common.new

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
