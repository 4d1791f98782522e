--- The storage host: videos under signed links, with ranges and ETags.

local fault_effects = require "minimax.emulator.fault_effects"
local record = require "minimax.emulator.record"
local reply = require "minimax.emulator.reply"
local file_faults = require "minimax.emulator.file_faults"
local video = require "minimax.emulator.video"

local storage = {}

local STATUS = { AccessDenied = 403, SignatureDoesNotMatch = 403, NoSuchKey = 404,
  InvalidArgument = 400, MethodNotAllowed = 405 }

local function refuse(code, message)
  local body = '<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n  <Code>' .. code
    .. "</Code>\n  <Message>" .. message .. "</Message>\n</Error>\n"
  return reply.text(STATUS[code], body, "application/xml")
end

-- First and last byte of a single range; false for one that cannot be served, nil
-- for what is none and so is ignored (RFC 9110, 14.1 and 14.2).
local function parse_range(text, size)
  local first, last = text:lower():match("^bytes=%s*(%d*)%-(%d*)%s*$")
  if not first or first == "" and last == "" then
    return nil
  elseif first ~= "" and last ~= "" and tonumber(last) < tonumber(first) then
    return nil
  elseif first == "" then
    first, last = math.max(0, size - tonumber(last)), size - 1
  else
    first, last = tonumber(first), math.min(tonumber(last) or size - 1, size - 1)
  end
  if first > last then
    return false
  end
  return { math.tointeger(first), math.tointeger(last) }
end

local LAST_MODIFIED = "Wed, 19 Nov 2025 06:48:41 GMT"

-- Whether If-Range says that the file has changed; a weak ETag never says that it
-- has not.
local function has_changed(condition, etag)
  return condition and condition ~= LAST_MODIFIED
    and (condition ~= etag or etag:sub(1, 2) == "W/")
end

-- The range that is asked for, unless the file has changed. It has a meaning for
-- GET alone.
local function wanted_range(request, etag, size)
  local range = request.headers.range
  if request.method ~= "GET" or not range or has_changed(request.headers["if-range"], etag) then
    return nil
  end
  return parse_range(range, size)
end

-- Pieces of the video, none above 64 KiB.
local function pieces(film, first, last)
  return function()
    if first > last then
      return nil
    end
    local piece = film:read(first, math.min(last, first + 65535))
    first = first + #piece
    return piece
  end
end

--- The reply that holds a film or a part of it.
-- @param file from `open`
function storage.serve(request, file)
  local film, etag = file.film, file.etag
  local headers = { { "content-type", "video/mp4" }, { "accept-ranges", "bytes" },
    { "etag", etag }, { "last-modified", LAST_MODIFIED } }
  local range = wanted_range(request, etag, film.size)
  local answer = { status = 200, headers = headers, first = 0, last = film.size - 1 }
  if range == false then
    headers[#headers + 1] = { "content-range", "bytes */" .. film.size }
    return { status = 416, headers = headers, body = "" }
  elseif range then
    answer.status, answer.first, answer.last = 206, range[1], range[2]
    headers[#headers + 1] = { "content-range",
      string.format("bytes %d-%d/%d", range[1], range[2], film.size) }
  end
  answer.length = answer.last - answer.first + 1
  answer.film = film
  answer.pieces = pieces(film, answer.first, answer.last)
  return answer
end

-- Strong, and the same for as long as the file is.
local function etag_of(file_id, version)
  return string.format('"%s-%d"', file_id, version)
end

--- The film that a task has made.
-- @return a table: `film`, `etag`
function storage.open(account, file_id)
  local version = account.versions[file_id] or 0
  local size = account.options.video_bytes or video.bytes
  -- Another version is another file: it differs in size, and all sizes play.
  local film = video.new(version > 0 and math.max(size, video.bytes) + 16 * version or size)
  return { film = film, etag = etag_of(file_id, version) }
end

local function serve_file(account, request, rule, file_id)
  local fault = rule and rule.fault
  if fault == "etag_change" then
    account.versions[file_id] = (account.versions[file_id] or 0) + 1
  end
  local file = storage.open(account, file_id)
  if file_faults.before[fault] then
    file_faults.before[fault](file, request)
  end
  local answer = storage.serve(request, file)
  if file_faults.after[fault] and answer.film then
    file_faults.after[fault](answer, rule)
  end
  return answer
end

local function work(account, request, rule)
  if request.headers.authorization then
    return refuse("InvalidArgument", "Only one auth mechanism allowed")
  elseif request.method ~= "GET" and request.method ~= "HEAD" then
    return refuse("MethodNotAllowed", "The specified method is not allowed against this resource.")
  end
  local file_id, code, message = account.links:check(request)
  if not file_id then
    return refuse(code, message)
  elseif rule and rule.fault == "expired" then
    return refuse("AccessDenied", "Request has expired.")
  end
  return serve_file(account, request, rule, file_id)
end

--- Answers one request.
function storage.handle(account, request)
  record.add(account, request, "storage")
  local rule = account.faults:take(request)
  return fault_effects.apply(rule, work(account, request, rule), request)
end

return storage
