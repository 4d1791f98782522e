--- Media values as the command line and `batch add` take them: a URL, or a local
-- path behind an "@". The module itself knows no such sign: there, strings may
-- come from anywhere, and must not open files.

local minimax = require "minimax"

local media = {}

--- Reads one value.
-- @return what stands in the request; or nil and why not
function media.read(text)
  if type(text) ~= "string" then
    return nil, "a media value is a text"
  elseif text:sub(1, 1) == "@" then
    if #text == 1 then
      return nil, "a path is missing behind the @"
    elseif text:find("\0", 1, true) then
      return nil, "a path holds a NUL byte"
    end
    return minimax.file(text:sub(2))
  elseif text:find("^%a[%w+._-]*:") then
    return text
  end
  return nil, string.format("'%s' is no URL; for a local file write '@%s'", text, text)
end

-- A member of a table, read in its place. Returns whether it is well, or why not.
local function mend(owner, name, place)
  if type(owner) ~= "table" or owner[name] == nil then
    return true -- the module's own checks have words for that
  end
  local value, why = media.read(owner[name])
  if not value then
    return nil, place .. ": " .. why
  end
  owner[name] = value
  return true
end

local function members(list)
  return type(list) == "table" and list or {}
end

local function mend_inputs(body)
  for index, input in ipairs(members(body.media_inputs)) do
    local place = "media_inputs[" .. index .. "]"
    local ok, why
    if type(input) == "table" then
      ok, why = mend(input, "value", place .. ".value")
    else
      ok, why = mend(body.media_inputs, index, place)
    end
    if not ok then
      return nil, why
    end
  end
  return true
end

local function mend_frames(body)
  for _, name in ipairs { "first_frame_image", "last_frame_image" } do
    local ok, why = mend(body, name, name)
    if not ok then
      return nil, why
    end
  end
  return true
end

local function mend_subjects(body)
  for index, subject in ipairs(members(body.subject_reference)) do
    for number in ipairs(members(type(subject) == "table" and subject.image)) do
      local ok, why = mend(subject.image, number,
        string.format("subject_reference[%d].image[%d]", index, number))
      if not ok then
        return nil, why
      end
    end
  end
  return true
end

local function mend_content(body)
  for index, item in ipairs(members(body.content)) do
    for _, name in ipairs { "image_url", "video_url", "audio_url" } do
      local ok, why = mend(type(item) == "table" and item[name], "url",
        string.format("content[%d].%s.url", index, name))
      if not ok then
        return nil, why
      end
    end
  end
  return true
end

--- Reads all media values of a request that was written as JSON, in their places.
-- @return the request; or nil and why not
function media.resolve(body)
  for _, mend_some in ipairs { mend_inputs, mend_frames, mend_subjects, mend_content } do
    local ok, why = mend_some(body)
    if not ok then
      return nil, why
    end
  end
  return body
end

return media
