--- Replies in the API's envelopes. A reply is a table: `status`, `headers` (a
-- list of name and value pairs), `body`; or `object` for what is to be encoded.

local reply = {}

local MESSAGES = {
  [0] = "success",
  [1000] = "unknown error",
  [1001] = "request timeout",
  [1002] = "rate limit",
  [1004] = "login fail: Please carry the API secret key in the 'Authorization' field",
  [1008] = "insufficient balance",
  [1013] = "internal service error",
  [1024] = "internal error",
  [1026] = "input new_sensitive",
  [1027] = "output new_sensitive",
  [1028] = "Daily quota exhausted",
  [1030] = "quota exhausted",
  [1033] = "system error",
  [1039] = "token limit",
  [1041] = "connection limit",
  [1042] = "invisible character ratio limit",
  [2013] = "invalid params",
  [2038] = "real-name verification required",
  [2045] = "rate growth limit",
  [2049] = "invalid api key",
  [2056] = "usage limit exceeded",
  [2061] = "your current token plan not support model",
}

-- The second family answers with HTTP statuses of its own.
local HTTP = {
  [1000] = { 500, "server_error" },
  [1002] = { 429, "rate_limit_error" },
  [1004] = { 401, "authorized_error" },
  [1008] = { 402, "insufficient_balance_error" },
  [1026] = { 422, "unprocessable_entity_error" },
  [1027] = { 422, "unprocessable_entity_error" },
  [1039] = { 429, "rate_limit_error" },
  [1041] = { 429, "rate_limit_error" },
  [2013] = { 400, "bad_request_error" },
  [2038] = { 401, "authorized_error" },
  [2045] = { 429, "rate_limit_error" },
  [2049] = { 401, "authorized_error" },
}
local OTHER = { 500, "server_error" }

--- The words that belong to a code.
function reply.message(code)
  return MESSAGES[code] or "error " .. code
end

--- The member that every reply of the first family has.
function reply.base_resp(code, message)
  return { status_code = code or 0, status_msg = message or reply.message(code or 0) }
end

--- A reply that is a JSON object.
function reply.json(object, status)
  return { status = status or 200, object = object }
end

--- A reply of the first family: `fields` and `base_resp`.
function reply.v1(fields, code, message)
  fields.base_resp = fields.base_resp or reply.base_resp(code, message)
  return reply.json(fields)
end

local function request_id()
  return string.format("%016x%016x", math.random(0), math.random(0)):sub(1, 30)
end

--- An error in the envelope of the request's family.
-- @param request `family` is 1 or 2
function reply.refuse(request, code, message)
  message = message or reply.message(code)
  if request.family ~= 2 then
    return reply.v1({}, code, message)
  end
  local http = HTTP[code] or OTHER
  local text = message .. " (" .. code .. ")"
  local answer = { type = http[2], message = text, http_code = tostring(http[1]) }
  return reply.json({ type = "error", error = answer, request_id = request_id() }, http[1])
end

--- A reply of plain text, such as the one for an unknown path.
function reply.text(status, body, content_type)
  local headers = { { "content-type", content_type or "text/plain; charset=utf-8" } }
  return { status = status, headers = headers, body = body }
end

--- A trace id, as the API's response header has it.
reply.trace_id = request_id

return reply
