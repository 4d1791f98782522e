--- Reads `multipart/form-data`, as far as an upload needs it.

local multipart = {}

-- A parameter of a header, as a token or in quotes (RFC 9110, 5.6.6); its name
-- may be in any case.
local function parameter(header, name)
  local from = (";" .. header:lower()):gsub('"[^"]*"', function(text)
    return '"' .. ("x"):rep(#text - 2) .. '"'
  end):match(";%s*" .. name .. "=()")
  local rest = from and header:sub(from - 1)
  return rest and (rest:match('^"([^"]*)"') or rest:match("^[^%s;]+"))
end

local function parse_part(text)
  local head, body = text:match("^(.-\r\n)\r\n(.*)$")
  if not head then
    return nil
  end
  local name, filename
  for line in head:gmatch("([^\r\n]+)\r\n") do
    if line:lower():find("^content%-disposition:") then
      name, filename = parameter(line, "name"), parameter(line, "filename")
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
  content_type = content_type or ""
  local is_form = content_type:lower():find("^multipart/form%-data%s*;")
  local boundary = is_form and parameter(content_type, "boundary")
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
