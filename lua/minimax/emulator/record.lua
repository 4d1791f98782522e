--- The record of what was asked, in a form that stays small.

local json = require "minimax.emulator.json"

local record = {}

local LONGEST = 256
local SHOWN = 64

--- A copy in which long strings, such as images, are shortened.
function record.shortened(value)
  if json.is_null(value) then
    return json.null
  elseif type(value) == "string" and #value > LONGEST then
    return value:sub(1, SHOWN) .. "...(" .. #value .. " bytes)"
  elseif type(value) ~= "table" then
    return value
  end
  local copy = setmetatable({}, getmetatable(value))
  for name, member in pairs(value) do
    copy[name] = record.shortened(member)
  end
  return copy
end

--- Notes a request and counts it.
-- @param endpoint its name
-- @return the entry
function record.add(world, request, endpoint)
  world.counts[endpoint] = (world.counts[endpoint] or 0) + 1
  request.endpoint, request.attempt = endpoint, world.counts[endpoint]
  local entry = { method = request.method, path = request.path, query = request.query,
    headers = request.headers, body = record.shortened(request.body), time = request.time,
    endpoint = endpoint, attempt = request.attempt, http = request.http,
    bytes = #request.raw_body }
  world.log[#world.log + 1] = entry
  return entry
end

return record
