--- Makes MP4 files for the specs: whole boxes, and bytes that differ from place
-- to place, so that a piece at the wrong offset can't pass unseen.

local video = {}

local HEADER = 8

-- What was made before: some are asked for again and again.
local made = {}

local function box(kind, payload)
  return string.pack(">I4", #payload + HEADER) .. kind .. payload
end

-- Lines of 64 bytes, each with a number of its own; the seed decides the first
-- number and what else is in a line.
local function filling(length, seed)
  local from = (seed * 2654435761) & 0x3fffffff
  local rest = ("%056d"):format(from)
  local lines = {}
  for i = 1, length // 64 + 1 do
    lines[i] = string.pack(">I4I4", from + i, i) .. rest
  end
  return table.concat(lines):sub(1, length)
end

--- What stands before the payload of the last box.
-- @param size of the whole file
function video.head(size)
  local head = box("ftyp", "isom\0\0\2\0isomiso2mp41") .. box("moov", "")
  return head .. string.pack(">I4", size - #head) .. "mdat"
end

--- A whole file.
-- @param size in bytes, 100 or more
-- @param seed a number; files of different seeds differ in every place (1)
function video.make(size, seed)
  local name = size .. " " .. (seed or 1)
  if not made[name] then
    local head = video.head(size)
    made[name] = head .. filling(size - #head, seed or 1)
  end
  return made[name]
end

--- A whole file whose payload is zeros: quick to make, where bytes do not matter.
-- @param size in bytes, 100 or more
function video.blank(size)
  local head = video.head(size)
  return head .. ("\0"):rep(size - #head)
end

return video
