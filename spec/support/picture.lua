--- Makes the beginning of a picture, which is all that anybody reads of it here.

local picture = {}

--- A PNG's signature and header.
-- @param width, height in pixels (640 by 480)
function picture.png(width, height)
  return "\x89PNG\r\n\26\n" .. string.pack(">I4", 13) .. "IHDR"
    .. string.pack(">I4I4", width or 640, height or 480) .. "\8\6\0\0\0" .. "\0\0\0\0"
end

return picture
