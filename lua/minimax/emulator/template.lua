--- The endpoints of the kind "template".

local catalogue = require "minimax.catalogue"
local check = require "minimax.emulator.check"
local gateway = require "minimax.emulator.gateway"
local reply = require "minimax.emulator.reply"

local template = {}

local WORDS = { preparing = "Preparing", queued = "Processing", running = "Processing",
  succeeded = "Success", failed = "Fail", cancelled = "Fail" }

local function inputs(body, name, accept)
  local list = body[name]
  if list == nil then
    return true
  elseif not check.is_list(list) then
    return nil, name .. " must be an array"
  end
  for index, item in ipairs(list) do
    local place = name .. "[" .. index - 1 .. "].value"
    if type(item) ~= "table" or type(item.value) ~= "string" then
      return nil, place .. " must be a string"
    end
    local ok, why = accept(item.value, place)
    if not ok then
      return nil, why
    end
  end
  return true
end

local function any_text()
  return true
end

-- What the documented templates require. Any other id may be a new one.
local function check_wants(body)
  local known = catalogue.by_id(body.template_id)
  for _, name in ipairs(known and catalogue.INPUTS or {}) do
    if catalogue.wants(known, name) and not catalogue.is_given(body, name) then
      return nil, name .. " is required by this template"
    end
  end
  return true
end

local CHECKS = {
  function(body) return check.string(body, "template_id", true) end,
  function(body) return inputs(body, "text_inputs", any_text) end,
  function(body) return inputs(body, "media_inputs", check.media) end,
  check_wants,
  function(body) return check.url(body, "callback_url") end,
}

--- `POST /v1/video_template_generation`
function template.create(account, request)
  local why = check.first_mistake(CHECKS, request.body)
  if why then
    return reply.refuse(request, 2013, "invalid params, " .. why)
  end
  local task = account:begin("template", request)
  return reply.v1 { task_id = account.ids:text(task.id) }
end

--- What a query says of a task.
function template.state(account, task)
  local stage = account.tasks:stage(task)
  local state = { task_id = account.ids:text(task.id), status = WORDS[stage] }
  if stage == "succeeded" then
    state.video_url = account.links:make(task)
  elseif stage == "failed" then
    state.base_resp = reply.base_resp(task.fails, task.message)
  end
  return state
end

--- `GET /v1/query/video_template_generation`
function template.query(account, request)
  local task = account.tasks:find(request.query.task_id, "template")
  if not task then
    return reply.refuse(request, 2013, "invalid params, task id invalid")
  end
  return gateway.wrap(account, task, reply.v1(template.state(account, task)))
end

return template
