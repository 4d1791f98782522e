--- Makes ids of the shapes that the API and its gateways use.

local json = require "minimax.emulator.json"

local ids = {}
ids.__index = ids

-- As the API's own replies have them.
local DIGITS = { template = 18, video = 15, video2 = 15, file = 15 }
local CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

--- @param options `ids`: "string", "number" or "ulid"; `digits`: the length of all ids
function ids.new(options)
  return setmetatable({ shape = options.ids, digits = options.digits, taken = {} }, ids)
end

-- Odd at its end: above 2^53 such a number does not survive a double.
local function number(digits)
  local letters = { tostring(math.random(1, 9)) }
  for index = 2, digits - 1 do
    letters[index] = tostring(math.random(0, 9))
  end
  letters[digits] = tostring(math.random(0, 4) * 2 + 1)
  return table.concat(letters)
end

local function ulid()
  local letters = {}
  for index = 1, 23 do
    local place = math.random(1, #CROCKFORD)
    letters[index] = CROCKFORD:sub(place, place)
  end
  return "video_01J" .. table.concat(letters)
end

--- A new id.
-- @param kind "template", "video", "video2" or "file"
-- @return a string; no two are the same
function ids:new_id(kind)
  local id
  repeat
    if self.shape == "ulid" and kind ~= "file" then
      id = ulid()
    else
      id = number(self.digits or DIGITS[kind])
    end
  until not self.taken[id]
  self.taken[id] = true
  return id
end

--- The id as it stands in a reply where the API has a string.
function ids:text(id)
  if self.shape == "number" then
    return ids.bare(id)
  end
  return id
end

--- The id as it stands where the API has a bare number.
function ids.bare(id)
  if id:find("^%d+$") then
    return json.raw(id)
  end
  return id
end

return ids
