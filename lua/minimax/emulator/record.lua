--- The record of what was asked, in a form that stays small.

local json = require "minimax.emulator.json"

local record = {}

local KEPT = 10000 -- entries of a list, and paths that are counted
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

local function count(counts, name)
  counts[name] = (counts[name] or 0) + 1
  return counts[name]
end

-- Paths are as many as there are tasks and strangers' ideas.
local function count_path(account, path)
  if not account.path_counts[path] then
    account.paths = account.paths + 1
  end
  if account.paths > KEPT then
    account.path_counts, account.paths = {}, 1
  end
  return count(account.path_counts, path)
end

--- Adds to a list that keeps its newest entries.
function record.keep(list, entry)
  list[#list + 1] = entry
  if #list > 2 * KEPT then
    table.move(list, KEPT + 1, #list + KEPT, 1)
  end
end

--- The entries of such a list that are shown: the newest of them.
function record.newest(list)
  return table.move(list, math.max(1, #list - KEPT + 1), #list, 1, {})
end

--- Forgets all.
function record.clear(account)
  account.log, account.counts, account.path_counts, account.paths = {}, {}, {}, 0
end

--- Notes a request and counts it.
-- @param endpoint its name
-- @return the entry
function record.add(account, request, endpoint)
  request.endpoint, request.attempt = endpoint, count(account.counts, endpoint)
  request.path_attempt = count_path(account, request.path)
  local entry = { method = request.method, path = request.path, query = request.query,
    headers = request.headers, time = request.time, endpoint = endpoint,
    attempt = request.attempt, http = request.http, bytes = #request.raw_body }
  record.keep(account.log, entry)
  if account.on_request then
    account.on_request(entry)
  end
  return entry
end

return record
