--- The endpoints of the files: what tasks have made, and what was uploaded.

local check = require "minimax.emulator.check"
local json = require "minimax.emulator.json"
local multipart = require "minimax.emulator.multipart"
local reply = require "minimax.emulator.reply"
local storage = require "minimax.emulator.storage"

local files = {}

local PURPOSES = { "voice_clone", "prompt_audio", "t2a_async_input", "video_understanding",
  "video_generation_input" }
local MIB = 1 << 20
local LIMITS = { jpg = 30 * MIB, jpeg = 30 * MIB, png = 30 * MIB, webp = 30 * MIB,
  heic = 30 * MIB, heif = 30 * MIB, mp4 = 50 * MIB, mov = 50 * MIB, wav = 15 * MIB,
  mp3 = 15 * MIB }

local function as_object(account, file)
  local object = { file_id = account.ids.bare(file.file_id), bytes = file.bytes,
    created_at = file.created_at, filename = file.filename, purpose = file.purpose }
  if file.task then
    object.download_url = account.links:make(file.task)
  end
  return object
end

-- The film of a task that has succeeded, as the API lists it: its size is 0.
local function film_of(account, task)
  if task and account.tasks:stage(task) == "succeeded" and not task.film_deleted then
    return { file_id = task.file_id, bytes = 0, created_at = task.created_at, task = task,
      filename = "output_aigc.mp4", purpose = "video_generation" }
  end
end

local function find(account, file_id)
  if file_id then
    return account.uploads[file_id] or film_of(account, account.tasks.by_file[file_id])
  end
end

local function unknown(request)
  return reply.refuse(request, 2013, "invalid params, file_id invalid")
end

--- `GET /v1/files/retrieve`
function files.retrieve(account, request)
  local file = find(account, request.query.file_id)
  if not file then
    return unknown(request)
  end
  return reply.v1 { file = as_object(account, file) }
end

--- `GET /v1/files/retrieve_content`
function files.content(account, request)
  local file = find(account, request.query.file_id)
  if not file or not file.task then
    return unknown(request)
  end
  return storage.serve(request, storage.open(account, file.file_id))
end

-- A file that does not conform is the one case of the first family that is
-- answered with an HTTP status of its own.
local function nonconforming(why)
  local answer = reply.v1({}, 2013, "invalid params, " .. why)
  answer.status = 400
  return answer
end

--- `POST /v1/files/upload`
function files.upload(account, request)
  local parts = multipart.parse(request.headers["content-type"], request.raw_body)
  local file, purpose = parts and parts.file, parts and parts.purpose
  if not file or not file.filename or not purpose then
    return reply.refuse(request, 2013, "invalid params, purpose and file are required")
  end
  local ok, why = check.one_of({ purpose = purpose.body }, "purpose", PURPOSES)
  if not ok then
    return reply.refuse(request, 2013, "invalid params, " .. why)
  end
  if purpose.body == "video_generation_input" then
    local limit = LIMITS[(file.filename:match("%.(%w+)$") or ""):lower()]
    if not limit then
      return nonconforming("unsupported file format")
    elseif #file.body > limit or file.body == "" then
      return nonconforming("file size is out of range")
    end
  end
  local entry = { file_id = account.ids:new_id("file"), bytes = #file.body, created_at = os.time(),
    filename = file.filename, purpose = purpose.body }
  account:keep(entry)
  request.body = { purpose = entry.purpose, filename = entry.filename, bytes = entry.bytes }
  return reply.v1 { file = as_object(account, entry) }
end

--- `GET /v1/files/list`
function files.list(account, request)
  local ok, why = check.string(request.query, "purpose", true)
  if not ok then
    return reply.refuse(request, 2013, "invalid params, " .. why)
  end
  local list = json.array()
  local function add(file)
    if file and file.purpose == request.query.purpose then
      list[#list + 1] = as_object(account, file)
    end
  end
  for _, file in ipairs(account.upload_list) do
    add(account.uploads[file.file_id])
  end
  for _, task in ipairs(account.tasks.list) do
    add(film_of(account, task))
  end
  return reply.v1 { files = list }
end

--- `POST /v1/files/delete`
function files.delete(account, request)
  -- A number of 18 digits is lost in a double: the digits come from the text.
  local file_id = request.raw_body:match('"file_id"%s*:%s*(%d+)%s*[,}]')
  local file = find(account, file_id)
  if type(request.body.purpose) ~= "string" or not file or file.purpose ~= request.body.purpose then
    return reply.refuse(request, 2013, "invalid params")
  elseif file.task then
    file.task.film_deleted = true
  else
    account.uploads[file_id] = nil
  end
  return reply.v1 { file_id = account.ids.bare(file_id) }
end

return files
