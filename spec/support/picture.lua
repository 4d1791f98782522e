--- Makes pictures with the parts that are looked at, from the first to the last;
-- nothing in them can be shown.

local picture = {}

local function chunk(name, bytes)
  return string.pack(">I4", #bytes) .. name .. bytes .. "\0\0\0\0"
end

--- A PNG.
-- @param width, height in pixels (640 by 480)
function picture.png(width, height)
  return "\x89PNG\r\n\26\n"
    .. chunk("IHDR", string.pack(">I4I4", width or 640, height or 480) .. "\8\6\0\0\0")
    .. chunk("IDAT", "pixels") .. chunk("IEND", "")
end

local function segment(marker, bytes)
  return "\xff" .. string.char(marker) .. string.pack(">I2", #bytes + 2) .. bytes
end

--- A JPEG, with a whole one as its thumbnail.
function picture.jpeg(width, height)
  return "\xff\xd8" .. segment(0xe1, "Exif\0\0\xff\xd8\xff\xda\0\2pixels\xff\xd9")
    .. segment(0xc0, string.pack(">BI2I2B", 8, height, width, 3) .. ("\1\17\0"):rep(3))
    .. segment(0xda, "\1\1\0\0\63\0") .. ("pixels\xff\0"):rep(9) .. "\xff\xd9"
end

--- A WebP in its extended form.
function picture.webp(width, height)
  local header = "VP8X" .. string.pack("<I4", 10) .. "\0\0\0\0"
    .. string.pack("<I3I3", width - 1, height - 1)
  return "RIFF" .. string.pack("<s4", "WEBP" .. header .. "VP8 " .. string.pack("<s4", "pixels"))
end

return picture
