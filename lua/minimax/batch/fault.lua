--- Errors of what happens around a ledger, and how one keeps them.

local common = require "minimax.common.fault"
local json = require "minimax.common.json"

local fault = {}

--- Makes an error object of a batch.
-- @param kind of the contract's kinds
-- @param format and its values, as `string.format` takes them
function fault.new(kind, format, ...)
  local err = common.new(kind, format, ...)
  err.stage = "batch"
  return err
end

-- What a ledger keeps of an error besides its kind and message.
local DETAILS = { "code", "http_status", "trace_id", "stage" }

--- What is known of an error besides its kind and message, as JSON text; nil where
-- JSON can't hold it, which keeps nothing else out of a ledger.
function fault.details(err)
  local details = {}
  for _, name in ipairs(DETAILS) do
    details[name] = err[name]
  end
  return (json.encode(details))
end

--- The error that a row of a ledger tells of; nil where it tells of none.
function fault.restore(row)
  if not row.error_kind then
    return nil
  end
  local err = fault.new(row.error_kind, "%s", row.error or "")
  local details = type(row.error_details) == "string" and json.decode(row.error_details)
  for _, name in ipairs(type(details) == "table" and DETAILS or {}) do
    local kind = type(details[name]) -- a ledger may come from anywhere
    err[name] = (kind == "string" or kind == "number") and details[name] or nil
  end
  err.task_id = row.task_id
  return err
end

return fault
