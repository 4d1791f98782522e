--- What MiniMax's pages say of the models: which shapes of a request each takes.
-- This is data of November 2026 that can change: it makes warnings, no errors.
-- https://platform.minimax.io/docs/api-reference/video-generation-t2v (and -i2v,
-- -fl2v, -s2v, -v2-create)

local models = {}

local SIX_OR_TEN, SIX = { [6] = true, [10] = true }, { [6] = true }

-- inputs: "text", "first", "first last", "last" or "subject", by what a request
-- holds; sizes: the durations that go with each resolution.
local HAILUO = { ["768P"] = SIX_OR_TEN, ["1080P"] = SIX }
local OLD = { ["720P"] = SIX }

local VIDEO = {
  ["MiniMax-Hailuo-2.3"] = { inputs = { text = true, first = true }, sizes = HAILUO },
  ["MiniMax-Hailuo-2.3-Fast"] = { inputs = { first = true }, sizes = HAILUO },
  ["MiniMax-Hailuo-02"] = {
    inputs = { text = true, first = true, last = true, ["first last"] = true },
    sizes = { ["512P"] = SIX_OR_TEN, ["768P"] = SIX_OR_TEN, ["1080P"] = SIX },
  },
  ["T2V-01-Director"] = { inputs = { text = true }, sizes = OLD },
  ["T2V-01"] = { inputs = { text = true }, sizes = OLD },
  ["I2V-01-Director"] = { inputs = { first = true }, sizes = OLD },
  ["I2V-01-live"] = { inputs = { first = true }, sizes = OLD },
  ["I2V-01"] = { inputs = { first = true }, sizes = OLD },
  ["S2V-01"] = { inputs = { subject = true }, sizes = {} },
}

local VIDEO2 = {
  ["MiniMax-H3"] = { resolutions = { ["768P"] = true, ["2K"] = true }, shortest = 4 },
  ["MiniMax-H3-Max"] = { resolutions = { ["480P"] = true, ["768P"] = true }, shortest = 5 },
}

local LONGEST = 15 -- seconds, v2

local NAMES = { text = "text alone", first = "a first frame", last = "a last frame",
  ["first last"] = "a first and a last frame", subject = "a subject" }

local function input_of(body)
  if body.subject_reference ~= nil then
    return "subject"
  elseif body.first_frame_image ~= nil then
    return body.last_frame_image ~= nil and "first last" or "first"
  end
  return body.last_frame_image ~= nil and "last" or "text"
end

local function check_video(body, warn)
  local model = VIDEO[body.model]
  if not model then
    return warn("the model '%s' is not among those that MiniMax lists", tostring(body.model))
  end
  local input = input_of(body)
  if not model.inputs[input] then
    warn("the model %s does not take %s", body.model, NAMES[input])
  end
  local durations = model.sizes[body.resolution]
  if body.resolution ~= nil and not durations then
    warn("the model %s does not make %s", body.model, tostring(body.resolution))
  elseif durations and body.duration ~= nil and not durations[body.duration] then
    warn("the model %s does not make %s s at %s", body.model, tostring(body.duration),
      body.resolution)
  end
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

local function check_video2(body, warn)
  local model = VIDEO2[body.model]
  if not model then
    return warn("the model '%s' is not among those that MiniMax lists", tostring(body.model))
  end
  if not model.resolutions[body.resolution] then
    warn("the model %s does not make %s", body.model, tostring(body.resolution))
  end
  local seconds = body.duration
  if math.type(seconds) ~= "integer" or seconds < model.shortest or seconds > LONGEST then
    warn("the model %s wants a duration from %d to %d s", body.model, model.shortest, LONGEST)
  end
  if not has_text(body.content) then
    warn("content needs an item of type text")
  end
  if mixes_roles(body.content) then
    warn("content must not mix frames and references")
  end
end

--- Looks whether the model takes such a request.
-- @param kind "video" or "video2"
-- @param warn a function that takes a format and its values
function models.check(kind, body, warn)
  if kind == "video" then
    check_video(body, warn)
  elseif kind == "video2" then
    check_video2(body, warn)
  end
end

return models
