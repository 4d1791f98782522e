--- HTTP/1.1 for servers that strangers reach: reads a request from a socket of
-- cqueues and writes its answer. What comes is either a request that is in order
-- or a status that refuses it: nothing raises, and nothing waits past its
-- deadline. Deadlines are moments of `cqueues.monotime`.

local cqueues = require "cqueues"
local errno = require "cqueues.errno"

local http1 = {}

local LINE_BYTES = 8192
local HEAD_BYTES = 65536
local LINES = 100
local PIECE_BYTES = 65536
local LINGER_SECONDS = 1
local LINGER_BYTES = 1 << 20
local TOKEN = "[%w!#$%%&'*+.^_`|~-]+"

local REASONS = {
  [100] = "Continue", [200] = "OK", [206] = "Partial Content", [301] = "Moved Permanently",
  [302] = "Found", [304] = "Not Modified", [307] = "Temporary Redirect",
  [308] = "Permanent Redirect", [400] = "Bad Request", [401] = "Unauthorized",
  [403] = "Forbidden", [404] = "Not Found", [405] = "Method Not Allowed",
  [408] = "Request Timeout", [412] = "Precondition Failed", [413] = "Content Too Large",
  [416] = "Range Not Satisfiable", [422] = "Unprocessable Content",
  [429] = "Too Many Requests", [431] = "Request Header Fields Too Large",
  [500] = "Internal Server Error", [501] = "Not Implemented", [502] = "Bad Gateway",
  [503] = "Service Unavailable", [504] = "Gateway Timeout",
}

-- A wait that was in vain is no lasting error of the socket.
local function give_error_back(socket, operation, code)
  if code == errno.ETIMEDOUT then
    socket:clearerr(operation == "flush" and "w" or "r")
  end
  return code
end

--- Makes a socket ready for the functions below.
function http1.prepare(socket)
  socket:onerror(give_error_back)
  socket:setmode("b", "bn")
  socket:setmaxline(LINE_BYTES)
end

local function read(socket, format, deadline)
  local left = deadline - cqueues.monotime()
  if left <= 0 then
    return nil, 408
  end
  local bytes, why = socket:xread(format, "b", left)
  if not bytes or bytes == "" then
    -- Whoever went away gets no answer: no status.
    return nil, why == errno.ETIMEDOUT and 408 or nil
  end
  return bytes
end

-- A line without its end; a second value of 431 where it has none.
local function read_line(socket, deadline)
  local line, status = read(socket, "*L", deadline)
  if not line then
    return nil, status
  elseif line:sub(-1) ~= "\n" then
    return nil, #line >= LINE_BYTES and 431 or nil
  elseif line:sub(-2) ~= "\r\n" or line:find("[\0-\8\10-\31\127]") ~= #line - 1 then
    return nil, 400
  end
  return line:sub(1, -3)
end

-- By hand: a pattern would look at each blank of a long run again and again.
local function trimmed(text)
  local first, last = text:find("[^ \t]"), #text
  while first and (text:byte(last) == 32 or text:byte(last) == 9) do
    last = last - 1
  end
  return first and text:sub(first, last) or ""
end

local function read_request_line(socket, deadline)
  local line, status = read_line(socket, deadline)
  if line == "" then
    line, status = read_line(socket, deadline) -- one empty line may stand before it
  end
  if not line then
    return nil, status
  end
  local method, target, minor = line:match("^(" .. TOKEN .. ") (%S+) HTTP/1%.([01])$")
  -- The form with a scheme and a host is for proxies, but must be understood.
  local path = method and target:gsub("^[hH][tT][tT][pP][sS]?://[^/?#]*", "", 1)
  if path and path:find("^%?") or path == "" then
    path = "/" .. path
  end
  if not path or path:sub(1, 1) ~= "/" and path ~= "*" then
    return nil, 400
  end
  return { method = method, target = path, version = "1." .. minor, headers = {} }
end

local function read_fields(socket, fields, deadline)
  local bytes = 0
  for _ = 1, LINES do
    local line, status = read_line(socket, deadline)
    if not line then
      return nil, status
    elseif line == "" then
      return true
    end
    local name, value = line:match("^(" .. TOKEN .. "):(.*)$")
    if not name then
      return nil, 400
    end
    bytes = bytes + #line
    if bytes > HEAD_BYTES then
      break
    end
    name, value = name:lower(), trimmed(value)
    fields[name] = fields[name] and fields[name] .. ", " .. value or value
  end
  return nil, 431
end

-- How long the body is, where two readers could never disagree about it.
local function find_length(head)
  local length, coding = head.headers["content-length"], head.headers["transfer-encoding"]
  if coding then
    if length or head.version == "1.0" then
      return 400
    elseif coding:lower() ~= "chunked" then
      return 501
    end
    head.chunked = true
  elseif length and not (length:find("^%d+$") and #length < 16) then
    -- Digits that are too many are too long a body, rather than none.
    return length:find("^%d+$") and 413 or 400
  else
    head.length = tonumber(length or "0", 10)
  end
end

local function keeps_alive(head)
  local options = "," .. (head.headers.connection or ""):lower():gsub("[ \t]", "") .. ","
  if head.version == "1.0" then
    return options:find(",keep-alive,", 1, true) ~= nil
  end
  return not options:find(",close,", 1, true)
end

--- Reads the head of a request.
-- @return a table: `method`, `target` (its path and query), `version` ("1.0" or
--   "1.1"), `headers` (names in lower case, values of one name joined by ", "),
--   `keep_alive`; for `http1.body`, `length` or `chunked`
-- @return or nil and the status that refuses it; nil where nobody is there
function http1.head(socket, deadline)
  local head, status = read_request_line(socket, deadline)
  if not head then
    return nil, status
  end
  local ok
  ok, status = read_fields(socket, head.headers, deadline)
  if not ok then
    return nil, status
  end
  status = find_length(head)
  if status then
    return nil, status
  end
  head.keep_alive = keeps_alive(head)
  return head
end

local function read_exactly(socket, length, pieces, deadline)
  while length > 0 do
    local piece, status = read(socket, -math.min(length, PIECE_BYTES), deadline)
    if not piece then
      return nil, status
    end
    pieces[#pieces + 1] = piece
    length = length - #piece
  end
  return true
end

-- @return its size, 0 for the last one; or nil and a status
local function read_chunk(socket, pieces, most, deadline)
  local line, status = read_line(socket, deadline)
  if not line then
    return nil, status
  end
  local digits, rest = line:match("^(%x+)(.*)$")
  if not digits or rest ~= "" and not rest:find("^[ \t]*;") then
    return nil, 400
  end
  local size = #digits < 13 and tonumber(digits, 16) or math.huge
  if size > most then
    return nil, 413
  elseif size == 0 then
    return 0
  end
  local ok
  ok, status = read_exactly(socket, size, pieces, deadline)
  if ok then
    ok, status = read_line(socket, deadline)
    if ok and ok ~= "" then
      return nil, 400
    end
  end
  return ok and size, status
end

local function read_chunks(socket, pieces, most, deadline)
  repeat
    local size, status = read_chunk(socket, pieces, most, deadline)
    if not size then
      return nil, status
    end
    most = most - size
  until size == 0
  return read_fields(socket, {}, deadline)
end

--- Reads the body that a head announces.
-- @param most bytes
-- @return the body; or nil and the status that refuses it, nil where nobody is there
function http1.body(socket, head, most, deadline)
  if not head.chunked and head.length > most then
    return nil, 413
  end
  local expects = (head.headers.expect or ""):lower() == "100-continue"
  if expects and head.version == "1.1" and (head.chunked or head.length > 0) then
    http1.write_head(socket, 100, {}, deadline)
  end
  local pieces, ok, status = {}
  if head.chunked then
    ok, status = read_chunks(socket, pieces, most, deadline)
  else
    ok, status = read_exactly(socket, head.length, pieces, deadline)
  end
  return ok and table.concat(pieces) or nil, status
end

--- Writes bytes.
-- @return whether they went out
function http1.write(socket, bytes, deadline)
  local left = deadline - cqueues.monotime()
  return left > 0 and socket:xwrite(bytes, "bn", left) ~= nil
end

--- Writes the head of an answer.
-- @param fields a list of pairs of name and value
-- @return whether it went out
function http1.write_head(socket, status, fields, deadline)
  local lines = { string.format("HTTP/1.1 %d %s", status, REASONS[status] or "") }
  for _, pair in ipairs(fields) do
    -- No value makes a second line.
    lines[#lines + 1] = pair[1] .. ": " .. pair[2]:gsub("[\0\r\n]", " ")
  end
  return http1.write(socket, table.concat(lines, "\r\n") .. "\r\n\r\n", deadline)
end

--- Ends a connection whose request was not read to its end. To close one on which
-- bytes wait unread makes the system throw away also what the other side has not
-- read yet.
function http1.finish(socket)
  local deadline = cqueues.monotime() + LINGER_SECONDS
  socket:shutdown("w")
  local left = LINGER_BYTES
  repeat
    local piece = read(socket, -PIECE_BYTES, deadline)
    left = left - #(piece or "")
  until not piece or left < 0
  socket:close()
end

return http1
