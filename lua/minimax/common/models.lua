--- What MiniMax's pages say of the models: which shapes of a request each takes.
-- This is data of November 2026 that can change: it makes warnings, no errors.
-- https://platform.minimax.io/docs/api-reference/video-generation-t2v (and -i2v,
-- -fl2v, -s2v, -v2-create)

local models = {}

-- Resolution, durations in seconds, and the inputs that alone make it.
local HAILUO = { { "768P", { 6, 10 } }, { "1080P", { 6 } } }
local HAILUO_02 = { HAILUO[1], HAILUO[2], { "512P", { 6, 10 }, { "first frame" } } }
local OLD = { { "720P", { 6 } } }
local FROM_4 = { 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }
local FROM_5 = { 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }

local TEXT, FIRST, LAST, BOTH = "text", "first frame", "last frame", "first and last frame"
local SUBJECT, REFERENCES = "subject", "references"

-- Model, kind, inputs, sizes: what is made where a request names none is first.
local ROWS = {
  { "MiniMax-Hailuo-2.3", "video", { TEXT, FIRST }, HAILUO },
  { "MiniMax-Hailuo-2.3-Fast", "video", { FIRST }, HAILUO },
  { "MiniMax-Hailuo-02", "video", { TEXT, FIRST, LAST, BOTH }, HAILUO_02 },
  { "T2V-01-Director", "video", { TEXT }, OLD },
  { "T2V-01", "video", { TEXT }, OLD },
  { "I2V-01-Director", "video", { FIRST }, OLD },
  { "I2V-01-live", "video", { FIRST }, OLD },
  { "I2V-01", "video", { FIRST }, OLD },
  { "S2V-01", "video", { SUBJECT }, {} },
  { "MiniMax-H3", "video2", { TEXT, FIRST, LAST, BOTH, REFERENCES },
    { { "768P", FROM_4 }, { "2K", FROM_4 } } },
  { "MiniMax-H3-Max", "video2", { TEXT, FIRST, LAST, BOTH, REFERENCES },
    { { "480P", FROM_5 }, { "768P", FROM_5 } } },
}

--- All models: a list of tables `model`, `kind` ("video" or "video2"), `inputs` (a
-- list of texts) and `sizes`: a list of `resolution`, `durations` (seconds) and,
-- where not every input makes it, `inputs`.
models.list = {}

local by_name = { video = {}, video2 = {} }

for index, row in ipairs(ROWS) do
  local sizes = {}
  for place, size in ipairs(row[4]) do
    sizes[place] = { resolution = size[1], durations = size[2], inputs = size[3] }
  end
  local model = { model = row[1], kind = row[2], inputs = row[3], sizes = sizes }
  models.list[index] = model
  by_name[model.kind][model.model] = model
end

--- A model of a kind by its name, or nil.
function models.find(kind, name)
  return by_name[kind][name]
end

local function has(list, value)
  for _, member in ipairs(list) do
    if member == value then
      return true
    end
  end
  return false
end

--- What a model makes in a resolution, or nil.
-- @return a table as in `sizes`
function models.size(model, resolution)
  for _, size in ipairs(model.sizes) do
    if size.resolution == resolution then
      return size
    end
  end
end

local NAMES = { [TEXT] = "text alone", [FIRST] = "a first frame", [LAST] = "a last frame",
  [BOTH] = "a first and a last frame", [SUBJECT] = "a subject" }

local function input_of(body)
  local first, last = body.first_frame_image ~= nil, body.last_frame_image ~= nil
  if body.subject_reference ~= nil then
    return not first and not last and SUBJECT or "a subject and a frame"
  elseif first then
    return last and BOTH or FIRST
  end
  return last and LAST or TEXT
end

local function check_size(body, model, input, warn)
  local resolution, duration = body.resolution, body.duration
  local size = resolution == nil and model.sizes[1] or models.size(model, resolution)
  if resolution ~= nil and not size then
    warn("the model %s does not make %s", model.model, tostring(resolution))
  elseif size and size.inputs and not has(size.inputs, input) then
    warn("the model %s makes %s from a %s alone", model.model, size.resolution, size.inputs[1])
  elseif duration ~= nil and not size then
    warn("the model %s takes no duration", model.model)
  elseif duration ~= nil and not has(size.durations, duration) then
    warn("the model %s does not make %s s at %s", model.model, tostring(duration),
      size.resolution)
  end
end

local function check_video(body, model, warn)
  local input = input_of(body)
  if not has(model.inputs, input) then
    return warn("the model %s does not take %s", model.model, NAMES[input] or input)
  elseif input == TEXT and (body.prompt == nil or body.prompt == "") then
    warn("the model %s wants a prompt", model.model)
  end
  check_size(body, model, input, warn)
end

local function has_text(content)
  for _, item in ipairs(type(content) == "table" and content or {}) do
    if type(item) == "table" and item.type == "text" and item.text and item.text ~= "" then
      return true
    end
  end
  return false
end

local function mixes_roles(content)
  local frame, reference = false, false
  for _, item in ipairs(type(content) == "table" and content or {}) do
    local role = type(item) == "table" and tostring(item.role) or ""
    frame = frame or role:find("_frame$") ~= nil
    reference = reference or role:find("^reference_") ~= nil
  end
  return frame and reference
end

local function check_video2(body, model, warn)
  local size = models.size(model, body.resolution)
  if not size then
    warn("the model %s does not make %s", model.model, tostring(body.resolution))
  end
  local durations = (size or model.sizes[1]).durations
  if not has(durations, body.duration) then
    warn("the model %s wants a duration from %d to %d s", model.model, durations[1],
      durations[#durations])
  end
  if not has_text(body.content) then
    warn("content needs an item of type text")
  end
  if mixes_roles(body.content) then
    warn("content must not mix frames and references")
  end
end

local CHECKS = { video = check_video, video2 = check_video2 }

--- Looks whether the model takes such a request.
-- @param kind "video" or "video2"
-- @param warn a function that takes a format and its values
function models.check(kind, body, warn)
  local model = models.find(kind, body.model)
  if not model then
    return warn("the model '%s' is not among those that MiniMax lists", tostring(body.model))
  end
  CHECKS[kind](body, model, warn)
end

return models
