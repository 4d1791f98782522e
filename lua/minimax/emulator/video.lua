--- The video that the emulator's storage host serves: a second and a half of
-- H.264, 320 by 240, held in the source so that an install needs no data file.

local video = {}

local ENCODED = [[
AAAAIGZ0eXBpc29tAAACAGlzb21pc28yYXZjMW1wNDEAAAOobW9vdgAAAGxtdmhkAAAAAAAAAAAAAAAAAAAD6AAABd
wAAQAAAQAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAA
AAAAAAAAAAAAAAAAAgAAAvd0cmFrAAAAXHRraGQAAAADAAAAAAAAAAAAAAABAAAAAAAABdwAAAAAAAAAAAAAAAAAAA
AAAAEAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAABAAAAAAUAAAADwAAAAAAAkZWR0cwAAABxlbHN0AAAAAAAA
AAEAAAXcAAAIAAABAAAAAAJvbWRpYQAAACBtZGhkAAAAAAAAAAAAAAAAAAAwAAAASABVxAAAAAAALWhkbHIAAAAAAA
AAAHZpZGUAAAAAAAAAAAAAAABWaWRlb0hhbmRsZXIAAAACGm1pbmYAAAAUdm1oZAAAAAEAAAAAAAAAAAAAACRkaW5m
AAAAHGRyZWYAAAAAAAAAAQAAAAx1cmwgAAAAAQAAAdpzdGJsAAAAwnN0c2QAAAAAAAAAAQAAALJhdmMxAAAAAAAAAA
EAAAAAAAAAAAAAAAAAAAAAAUAA8ABIAAAASAAAAAAAAAABDExhdmMgbGlieDI2NAAAAAAAAAAAAAAAAAAAAAAAAAAA
GP//AAAAOGF2Y0MBZAAW/+EAGmdkABascgRBQfsBEAAAAwAQAAADAYDxYthGAQAHaOhDglLIsP34+AAAAAAQcGFzcA
AAAAEAAAABAAAAFGJ0cnQAAAAAAAAGdQAABnUAAAAYc3R0cwAAAAAAAAABAAAAEgAABAAAAAAUc3RzcwAAAAAAAAAB
AAAAAQAAAFhjdHRzAAAAAAAAAAkAAAABAAAIAAAAAAEAACgAAAAAAQAAEAAAAAADAAAAAAAAAAQAAAQAAAAAAQAAJA
AAAAABAAAQAAAAAAMAAAAAAAAAAwAABAAAAAAcc3RzYwAAAAAAAAABAAAAAQAAABIAAAABAAAAXHN0c3oAAAAAAAAA
AAAAABIAAABAAAAAEAAAAA0AAAAOAAAADgAAAA4AAAAOAAAADgAAAA4AAAAOAAAAFQAAAA4AAAAOAAAADgAAAA4AAA
AOAAAADgAAAA4AAAAUc3RjbwAAAAAAAAABAAAD2AAAAD11ZHRhAAAANW1ldGEAAAAAAAAAIWhkbHIAAAAAAAAAAG1k
aXJhcHBsAAAAAAAAAAAAAAAACGlsc3QAAAAIZnJlZQAAAT5tZGF0AAAAPGWIgQACP/6nL+BSlOhTVi6Vkk4K8UhJPF
bAWN0MvMMKoAAccXf7OvuugXUwEFAAA3g77AP0wJBAQL0rqQAAAAxBmgktiCH/8yAAA7oAAAAJQZ4QhxD/AAO7AAAA
CgGeGCaIZ/8ABZQAAAAKAZ4YRohn/wAFlQAAAAoBnhhmiGf/AAWVAAAACgGeGK1IZ/8ABZUAAAAKAZ4YzUhn/wAFlQ
AAAAoBnhjtSGf/AAWUAAAACgGeGQ1IZ/8ABZQAAAARQZoaKTUCAtEymBDPAAADAUEAAAAKQZ4hpcQ//wADugAAAAoB
nilFohn/AAWUAAAACgGeKWWiGf8ABZUAAAAKAZ4phaIZ/wAFlQAAAAoBninMkhn/AAWVAAAACgGeKeySGf8ABZQAAA
AKAZ4qDJIZ/wAFlA==
]]

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function decode(text)
  local bytes, bits, count = {}, 0, 0
  for letter in text:gmatch("[%w+/]") do
    bits = bits << 6 | ALPHABET:find(letter, 1, true) - 1
    count = count + 6
    if count >= 8 then
      count = count - 8
      bytes[#bytes + 1] = string.char(bits >> count & 0xFF)
      bits = bits & (1 << count) - 1
    end
  end
  return table.concat(bytes)
end

local MP4 = decode(ENCODED)
local ZEROS = string.rep("\0", 64 * 1024)

--- The size of the shortest video that can be served.
video.bytes = #MP4

-- A box that players skip. Above 4 GiB its length takes the 64-bit form.
local function free_box_head(length)
  if length < 1 << 32 then
    return string.pack(">I4c4", length, "free")
  end
  return string.pack(">I4c4I8", 1, "free", length)
end

--- A video of any size: the same film with a `free` box at its end.
-- @param size bytes; less than 8 more than the film itself is rounded up
-- @return an object with `size` and `read`
function video.new(size)
  if not size or size <= #MP4 then
    return setmetatable({ head = MP4, size = #MP4 }, { __index = video })
  end
  size = math.max(size, #MP4 + 8)
  local head = MP4 .. free_box_head(size - #MP4)
  return setmetatable({ head = head, size = size }, { __index = video })
end

--- Reads a piece without holding the rest.
-- @param first offset of its first byte, counted from 0
-- @param last offset of its last byte
-- @return at most 64 KiB that begin at `first`
function video:read(first, last)
  if first < #self.head then
    return self.head:sub(first + 1, last + 1)
  end
  return ZEROS:sub(1, last - first + 1)
end

return video
