--- Errors as `minimax` returns them, of what happens around a ledger, a receiver
-- and an emulator, and on the command line.

local json = require "minimax.batch.json"

local fault = {}

local Fault = { __name = "minimax.error" }

-- What the line says besides, in this order, with the words before it.
local PARTS = { { "code", "code " }, { "http_status", "HTTP " }, { "task_id", "task " },
  { "trace_id", "trace " } }

function Fault:__tostring()
  local stage = self.stage and " " .. self.stage or ""
  local line = "minimax" .. stage .. ": " .. self.message .. " (" .. self.kind
  for _, part in ipairs(PARTS) do
    local value = self[part[1]]
    line = line .. (value and ", " .. part[2] .. value or "")
  end
  return line .. ")"
end

function Fault.__concat(one, other)
  return tostring(one) .. tostring(other)
end

--- Makes an error object.
-- @param kind of the contract's kinds
-- @param format and its values, as `string.format` takes them
function fault.plain(kind, format, ...)
  return setmetatable({ kind = kind, message = format:format(...), retryable = false }, Fault)
end

--- The same, of a batch.
function fault.new(kind, format, ...)
  local err = fault.plain(kind, format, ...)
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
