--- The endpoints of the kind "video2", but for what a request must hold.

local checks = require "minimax.emulator.checks2"
local json = require "minimax.emulator.json"
local reply = require "minimax.emulator.reply"

local video2 = {}

local function begin(account, request, task_type, why)
  if why then
    return reply.refuse(request, 2013, "invalid params, " .. why)
  end
  local task = account:begin("video2", request)
  task.task_type = task_type
  return reply.json { task_id = account.ids:text(task.id) }
end

--- `POST /v2/video_generation`
function video2.create(account, request)
  return begin(account, request, "generation", checks.generation(request.body))
end

--- `POST /v2/h3_context_ir`
function video2.context_ir(account, request)
  return begin(account, request, "h3_context_ir", checks.context_ir(request.body))
end

--- `POST /v2/video_regeneration`
function video2.regeneration(account, request)
  local source = request.body.source_task_id
  local known = source == nil or account.tasks:find(source, "video2")
  local why = checks.regeneration(request.body) or not known and "invalid source_task_id"
  return begin(account, request, "regeneration", why or nil)
end

local function text_of(request)
  for _, item in ipairs(request.content or {}) do
    if item.type == "text" then
      return item.text
    end
  end
  return ""
end

local function content_of(account, task)
  if task.task_type == "h3_context_ir" then
    return { prompt = text_of(task.request) .. " Cinematic light, slow camera." }
  end
  return { url = account.links:make(task) }
end

-- The member `task` of a query, and an item of a list.
local function as_object(account, task)
  local status, request = account.tasks:stage(task), task.request
  local object = { id = account.ids:text(task.id), model = request.model, status = status,
    created_at = task.created_at, updated_at = os.time(), resolution = request.resolution,
    duration = request.duration, ratio = request.ratio or "", task_type = task.task_type,
    modality = task.task_type == "h3_context_ir" and "text" or "video", usage = {} }
  if status == "succeeded" then
    local seconds = request.duration or 0
    object.content = content_of(account, task)
    object.usage = { total_seconds = seconds, output_seconds = seconds, input_seconds = 0 }
  elseif status == "failed" then
    local message = task.message or reply.message(task.fails)
    object.error = { code = tostring(task.fails), message = message }
  end
  return object
end

--- What a callback says of a task: what a query would.
function video2.state(account, task)
  return { task = as_object(account, task) }
end

--- `GET /v2/query/video_generation/{task_id}`
function video2.query(account, request)
  local task = account.tasks:find(request.id, "video2")
  if not task then
    return reply.refuse(request, 2013, "invalid task_id")
  end
  return reply.json(video2.state(account, task))
end

-- Whether one of the values given for a filter is the wanted one; the encoding
-- of several is not documented, so that repeats and commas both count.
local function passes(request, name, value)
  local given = request.query["filter." .. name]
  if not given then
    return true
  end
  for word in given:gmatch("[^,]+") do
    if word == value then
      return true
    end
  end
  return false
end

local function selected(account, request)
  local list = {}
  for index = #account.tasks.list, 1, -1 do
    local task = account.tasks.list[index]
    if task.kind == "video2" and not task.deleted
        and passes(request, "status", account.tasks:stage(task))
        and passes(request, "task_ids", task.id) and passes(request, "model", task.request.model)
        and passes(request, "task_type", task.task_type) then
      list[#list + 1] = task
    end
  end
  return list
end

--- `GET /v2/query/video_generation`, newest first
function video2.list(account, request)
  local page = tonumber(request.query.page_num or 1)
  local size = tonumber(request.query.page_size or 10)
  if not page or not size or page < 1 or size < 1 then
    return reply.refuse(request, 2013, "invalid params, page_num and page_size start at 1")
  end
  local all, items = selected(account, request), json.array()
  for index = (page - 1) * size + 1, math.min(page * size, #all) do
    items[#items + 1] = as_object(account, all[math.tointeger(index)])
  end
  return reply.json { items = items, total = #all }
end

--- `DELETE /v2/video_generation/{task_id}`: cancels what is queued, deletes the
-- record of what has ended, and refuses the rest.
function video2.cancel(account, request)
  local task = account.tasks:find(request.id, "video2")
  if not task then
    return reply.refuse(request, 2013, "invalid task_id")
  end
  local status, word = account.tasks:stage(task), "deleted"
  if status == "queued" then
    task.cancelled, word = true, "cancelled"
  elseif status == "succeeded" or status == "failed" then
    task.deleted = true
  else
    return reply.refuse(request, 2013, "task status " .. status .. " does not allow this operation")
  end
  return reply.json { task_id = account.ids:text(task.id), action = word, status = word }
end

return video2
