--- The API's host: finds the endpoint, checks key and body, records, answers.

local check = require "minimax.emulator.check"
local endpoints = require "minimax.emulator.endpoints"
local faults = require "minimax.emulator.faults"
local json = require "minimax.emulator.json"
local fault_effects = require "minimax.emulator.fault_effects"
local record = require "minimax.emulator.record"
local reply = require "minimax.emulator.reply"

local api = {}

-- The word before the key may be in any case (RFC 9110, 11.1).
local function key_of(account, request)
  local value = request.headers[account.options.auth_header:lower()]
  local scheme = account.options.auth_scheme
  if value and scheme ~= "" then
    local word, key = value:match("^(%S+) +(.+)$")
    return word and word:lower() == scheme:lower() and key or nil
  end
  return value
end

-- Refuses a request without a key that the emulator knows.
local function authorize(account, request)
  local key = key_of(account, request)
  if not key then
    return reply.refuse(request, 1004)
  end
  for _, known in ipairs(account.options.api_keys) do
    if key == known then
      return nil
    end
  end
  return reply.refuse(request, 2049)
end

local function limit(account, request, endpoint)
  if not account.limits:take(endpoint.name) then
    return reply.refuse(request, 1002)
  end
end

-- The media type alone: its case and its parameters, such as a charset, say
-- nothing (RFC 9110, 8.3.1).
local function media_type(request)
  return (request.headers["content-type"] or ""):match("^[^;%s]*"):lower()
end

-- Reads a JSON body; `request.body` is what it holds.
local function decode(request)
  if request.method ~= "POST" or request.multipart then
    return nil
  elseif media_type(request) ~= "application/json" then
    return reply.refuse(request, 2013, "invalid params, Content-Type must be application/json")
  end
  local body = json.decode(request.raw_body)
  if type(body) ~= "table" or check.is_list(body) then
    return reply.refuse(request, 2013, "invalid params, the body is not a JSON object")
  end
  request.body = body
end

local function unprefixed(account, path)
  local prefix = account.options.path_prefix
  if path:sub(1, #prefix) == prefix then
    return path:sub(#prefix + 1)
  end
end

local function work(account, request, endpoint)
  local refusal = authorize(account, request) or limit(account, request, endpoint)
    or decode(request)
  return refusal or endpoint.answer(account, request)
end

-- For a path that nothing answers at; a fault may make something of it.
local NOWHERE = { name = "call", family = 1 }

local function handle(account, request)
  local path = unprefixed(account, request.path)
  local endpoint, id = endpoints.find(request.method, path or "")
  endpoint = endpoint or NOWHERE
  request.id, request.family, request.multipart = id, endpoint.family, endpoint.multipart
  local entry = record.add(account, request, endpoint.name)
  local rule = account.faults:take(request)
  request.task_fault = fault_effects.on_task(rule)
  local answer = { status = 200, body = "" }
  if endpoint == NOWHERE then
    answer = reply.text(404, "404 page not found")
  elseif not rule or faults.works(rule) then
    answer = work(account, request, endpoint)
    entry.body = record.shortened(request.body)
  end
  return fault_effects.apply(rule, answer, request)
end

--- Answers one request.
function api.handle(account, request)
  local answer = handle(account, request)
  answer.headers = answer.headers or {}
  table.insert(answer.headers, { "trace-id", reply.trace_id() })
  return answer
end

return api
