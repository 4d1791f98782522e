--- What the second family demands of a request's body. Each function returns
-- what is wrong, or nil.

local check = require "minimax.emulator.check"
local models = require "minimax.common.models"

local checks2 = {}

local RATIOS = { "adaptive", "21:9", "16:9", "4:3", "1:1", "3:4", "9:16" }
local ROLES = {
  image_url = { first_frame = "frame", last_frame = "frame", reference_image = "reference" },
  video_url = { reference_video = "reference", base_video = "base" },
  audio_url = { reference_audio = "reference" },
}
local MOST = { first_frame = 1, last_frame = 1, reference_image = 9, reference_video = 3,
  reference_audio = 3, base_video = 1 }
local LONGEST_TEXT = 7000

local function check_text(item, place, seen)
  if type(item.text) ~= "string" or item.text == "" then
    return nil, place .. ".text must be a non-empty string"
  elseif (utf8.len(item.text) or math.huge) > LONGEST_TEXT then
    return nil, place .. ".text must be up to 7000 characters"
  end
  seen.text = true
  return true
end

local function check_media(item, place, seen)
  local holder = item[item.type]
  if type(holder) ~= "table" or type(holder.url) ~= "string" then
    return nil, place .. "." .. item.type .. ".url must be a string"
  end
  local role = item.role or item.type == "image_url" and "first_frame"
  local group = ROLES[item.type][role]
  if not group then
    return nil, place .. ".role is not one of " .. item.type
  end
  seen[role] = (seen[role] or 0) + 1
  seen[group] = true
  if seen[role] > MOST[role] then
    return nil, "content holds more than " .. MOST[role] .. " of role " .. role
  end
  return check.media(holder.url, place .. "." .. item.type .. ".url")
end

local function check_content(body)
  local content, seen = body.content, {}
  if type(content) ~= "table" or #content == 0 then
    return nil, "content is required"
  end
  for index, item in ipairs(content) do
    local place = "content[" .. index - 1 .. "]"
    local examine = type(item) == "table"
      and (item.type == "text" and check_text or ROLES[item.type] and check_media)
    if not examine then
      return nil, place .. ".type must be one of text, image_url, video_url, audio_url"
    end
    local ok, why = examine(item, place, seen)
    if not ok then
      return nil, why
    end
  end
  return seen
end

local function check_roles(body)
  local seen, why = check_content(body)
  if not seen then
    return nil, why
  elseif not seen.text then
    return nil, "content must hold a text item"
  elseif seen.frame and seen.reference then
    return nil, "frame and reference roles cannot be mixed"
  elseif seen.reference_audio and not seen.reference_image and not seen.reference_video then
    return nil, "reference_audio needs a reference_image or reference_video"
  elseif not seen.frame and not seen.reference and (body.ratio or "adaptive") == "adaptive" then
    return nil, "ratio is required and cannot be adaptive for text to video"
  end
  return true
end

local function check_model(body)
  local ok, why = check.string(body, "model", true)
  if ok and not models.find("video2", body.model) then
    return nil, "model must be one of MiniMax-H3, MiniMax-H3-Max"
  end
  return ok, why
end

local function check_h3(body)
  if body.model ~= "MiniMax-H3" then
    return nil, "model must be MiniMax-H3"
  end
  return true
end

local function check_resolution(body)
  local ok, why = check.string(body, "resolution", true)
  if not ok then
    return nil, why
  end
  local words = {}
  for index, size in ipairs(models.find("video2", body.model).sizes) do
    words[index] = size.resolution
  end
  return check.one_of(body, "resolution", words)
end

local function check_duration(body)
  if body.duration == nil then
    return nil, "duration is required"
  end
  local durations = models.find("video2", body.model).sizes[1].durations
  return check.integer(body, "duration", durations[1], durations[#durations])
end

local function check_extra(body)
  local extra = body.extra
  if extra == nil then
    return true
  elseif type(extra) ~= "table" or body.model ~= "MiniMax-H3-Max" then
    return nil, "extra is an object for MiniMax-H3-Max"
  end
  for name in pairs(extra) do
    if name ~= "prompt_expansion_mode" then
      return nil, "extra." .. tostring(name) .. " is not allowed"
    end
  end
  return check.one_of(extra, "prompt_expansion_mode", { "disabled", "balanced", "quality" })
end

local function check_ratio(body)
  return check.one_of(body, "ratio", RATIOS)
end

local function check_callback(body)
  return check.url(body, "callback_url")
end

local function check_no_resolution(body)
  if body.resolution ~= nil then
    return nil, "resolution is not allowed"
  end
  return true
end

local function check_source(body)
  if (body.source_task_id ~= nil) == (body.content ~= nil) then
    return nil, "exactly one of source_task_id and content is required"
  elseif body.source_task_id ~= nil then
    return check.string(body, "source_task_id", true)
  end
  local seen, why = check_content(body)
  if seen and not seen.base_video then
    return nil, "content must hold one base_video"
  end
  return seen, why
end

local function check_2k(body)
  if body.resolution ~= "2K" then
    return nil, "resolution must be 2K"
  end
  return true
end

local GENERATION = { check_model, check_resolution, check_duration, check_ratio, check_roles,
  check_extra, check_callback }
local CONTEXT_IR = { check_model, check_h3, check_no_resolution, check_duration, check_ratio,
  check_content, check_callback }
local REGENERATION = { check_model, check_h3, check_2k, check_source, check_callback }

--- For `POST /v2/video_generation`.
function checks2.generation(body)
  return check.first_mistake(GENERATION, body)
end

--- For `POST /v2/h3_context_ir`.
function checks2.context_ir(body)
  return check.first_mistake(CONTEXT_IR, body)
end

--- For `POST /v2/video_regeneration`.
function checks2.regeneration(body)
  return check.first_mistake(REGENERATION, body)
end

return checks2
