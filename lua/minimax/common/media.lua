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

-- Where a request holds media values. A star is each item of a list; an input may be
-- the value itself, or hold it.
local PLACES = {
  { "media_inputs", "*", "value" }, { "first_frame_image" }, { "last_frame_image" },
  { "subject_reference", "*", "image", "*" }, { "content", "*", "image_url", "url" },
  { "content", "*", "video_url", "url" }, { "content", "*", "audio_url", "url" },
}

local resolve_place

local function resolve_member(owner, name, path, step, place)
  local value, next_step = owner[name], path[step + 1]
  place = math.type(name) and place .. "[" .. name .. "]" or (place and place .. "." or "") .. name
  if next_step and not (next_step == "value" and type(value) ~= "table") then
    return resolve_place(value, path, step + 1, place)
  elseif value == nil then
    return true -- the module's own checks have words for that
  end
  local read, why = media.read(value)
  owner[name] = read or value
  return read ~= nil, why and place .. ": " .. why
end

-- Reads what a table holds at a path, from one of its steps on.
-- @return whether all is well; false and why not
function resolve_place(owner, path, step, place)
  if type(owner) ~= "table" then
    return true
  elseif path[step] ~= "*" then
    return resolve_member(owner, path[step], path, step, place)
  end
  for index in ipairs(owner) do
    local ok, why = resolve_member(owner, index, path, step, place)
    if not ok then
      return false, why
    end
  end
  return true
end

--- Reads all media values of a request that was written as JSON, in their places.
-- @return the request; or nil and why not
function media.resolve(body)
  for _, path in ipairs(PLACES) do
    local ok, why = resolve_place(body, path, 1)
    if not ok then
      return nil, why
    end
  end
  return body
end

return media
