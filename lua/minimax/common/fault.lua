--- Errors as `minimax` returns them, made in Lua.

local minimax = require "minimax"

local fault = {}

--- Makes an error object.
-- @param kind of the contract's kinds
-- @param format and its values, as `string.format` takes them
function fault.new(kind, format, ...)
  return minimax._error(kind, format:format(...))
end

return fault
