--- Reads `multipart/form-data`, as far as an upload needs it.

local multipart = {}

local function parse_part(text)
  local head, body = text:match("^(.-\r\n)\r\n(.*)$")
  if not head then
    return nil
  end
  local name, filename
  for line in head:gmatch("([^\r\n]+)\r\n") do
    if line:lower():find("^content%-disposition:") then
      name, filename = line:match('[; ]name="([^"]*)"'), line:match('filename="([^"]*)"')
    end
  end
  return name and { name = name, filename = filename, body = body }
end

--- Reads a body.
-- @param content_type the request's header
-- @param body string
-- @return parts by name: `filename` (of a file) and `body`; or nil for another
--   content type or a body that breaks off
function multipart.parse(content_type, body)
  local boundary = (content_type or ""):match('^multipart/form%-data;.*boundary="?([^";]+)"?')
  if not boundary then
    return nil
  end
  local parts, mark = {}, "\r\n--" .. boundary
  local position = body:sub(1, #mark - 2) == mark:sub(3) and #mark - 1
  while position do
    if body:sub(position, position + 1) == "--" then
      return parts
    end
    local stop, after = body:find(mark, position, true)
    local part = stop and parse_part(body:sub(position + 2, stop - 1))
    if part then
      parts[part.name] = part
    end
    position = stop and after + 1
  end
end

return multipart
