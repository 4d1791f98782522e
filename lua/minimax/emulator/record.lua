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

local function count(world, name)
  world.counts[name] = (world.counts[name] or 0) + 1
  return world.counts[name]
end

--- Notes a request and counts it.
-- @param endpoint its name
-- @return the entry
function record.add(world, request, endpoint)
  request.endpoint, request.attempt = endpoint, count(world, endpoint)
  request.path_attempt = count(world, request.path)
  local entry = { method = request.method, path = request.path, query = request.query,
    headers = request.headers, time = request.time, endpoint = endpoint,
    attempt = request.attempt, http = request.http, bytes = #request.raw_body }
  world.log[#world.log + 1] = entry
  if world.on_request then
    world.on_request(entry)
  end
  return entry
end

return record
