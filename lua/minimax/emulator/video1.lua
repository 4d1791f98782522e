--- The endpoints of the kind "video".

local check = require "minimax.emulator.check"
local gateway = require "minimax.emulator.gateway"
local models = require "minimax.common.models"
local reply = require "minimax.emulator.reply"

local video1 = {}

local WORDS = { preparing = "Preparing", queued = "Queueing", running = "Processing",
  succeeded = "Success", failed = "Fail", cancelled = "Fail" }
local SIZES = { ["512P"] = { 910, 512 }, ["720P"] = { 1280, 720 }, ["768P"] = { 1366, 768 },
  ["1080P"] = { 1920, 1080 } }
local LONGEST_PROMPT = 2000

local function check_prompt(body)
  local ok, why = check.string(body, "prompt")
  if ok and body.prompt and (utf8.len(body.prompt) or math.huge) > LONGEST_PROMPT then
    return nil, "prompt must be up to 2000 characters"
  end
  return ok, why
end

local function check_frame(name)
  return function(body)
    local ok, why = check.string(body, name)
    if ok and body[name] then
      return check.media(body[name], name)
    end
    return ok, why
  end
end

local function check_subject(body)
  local list = body.subject_reference
  if list == nil then
    return true
  end
  local subject = type(list) == "table" and #list == 1 and list[1]
  local images = type(subject) == "table" and subject.image
  if not subject or subject.type ~= "character" then
    return nil, "subject_reference must hold one element of type character"
  elseif type(images) ~= "table" or #images ~= 1 or type(images[1]) ~= "string" then
    return nil, "subject_reference[0].image must hold one string"
  end
  return check.media(images[1], "subject_reference[0].image[0]")
end

-- Whether the model takes that, as the pages say.
local function check_model(body)
  local mistake
  models.check("video", body, function(...)
    mistake = mistake or string.format(...)
  end)
  return not mistake, mistake
end

local CHECKS = {
  function(body) return check.string(body, "model", true) end,
  check_prompt,
  function(body) return check.boolean(body, "prompt_optimizer") end,
  function(body) return check.boolean(body, "fast_pretreatment") end,
  function(body) return check.boolean(body, "aigc_watermark") end,
  check_frame "first_frame_image",
  check_frame "last_frame_image",
  check_subject,
  check_model,
  function(body) return check.url(body, "callback_url") end,
}

--- `POST /v1/video_generation`
function video1.create(account, request)
  local why = check.first_mistake(CHECKS, request.body)
  if why then
    return reply.refuse(request, 2013, "invalid params, " .. why)
  end
  local task = account:begin("video", request)
  return reply.v1 { task_id = account.ids:text(task.id) }
end

--- What a query says of a task.
function video1.state(account, task)
  local stage = account.tasks:stage(task)
  local state = { task_id = account.ids:text(task.id), status = WORDS[stage] }
  if stage == "succeeded" then
    local size = SIZES[task.request.resolution] or SIZES["768P"]
    state.file_id = account.ids:text(task.file_id)
    state.video_width, state.video_height = size[1], size[2]
  else
    state.file_id = ""
  end
  if stage == "failed" then
    state.base_resp = reply.base_resp(task.fails, task.message)
  end
  return state
end

--- `GET /v1/query/video_generation`
function video1.query(account, request)
  local task = account.tasks:find(request.query.task_id, "video")
  if not task then
    return reply.refuse(request, 2013, "invalid params, task id invalid")
  end
  return gateway.wrap(account, task, reply.v1(video1.state(account, task)))
end

return video1
