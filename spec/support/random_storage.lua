--- A storage host that answers at random, for scripts of `wire.lua`. Each path is a
-- resource of many versions; an entity tag is the same for all resources, and
-- another for each version. What the host says of the bytes it sends is true or
-- does not fit what was asked for; it never gives wrong bytes for right ones.
-- `downloads.lua` downloads from it.

local video = require "spec.support.video"

local random_storage = {}

--- A resource has so many versions, from 0 on.
random_storage.VERSIONS = 200

local SIZES = { 700, 3000, 3000, 20000, 70000 }

--- A version of a resource: its bytes. Versions of one size are many.
function random_storage.bytes(name, version)
  local size = SIZES[(version // 4 + name:byte(-1)) % #SIZES + 1] -- most have the next one's
  return video.make(size, name:byte(-1) * 1000 + version)
end

local function send(connection, status, headers, body)
  local lines = { "HTTP/1.1 " .. status .. " Whatever" }
  for name, value in pairs(headers) do
    lines[#lines + 1] = name .. ": " .. value
  end
  return connection:send(table.concat(lines, "\r\n") .. "\r\n\r\n" .. body)
end

-- The head of an answer with these bytes of a version.
local function head_of(answer, length)
  return { ["Content-Length"] = length, ETag = answer.etag }
end

local function range_of(answer, from)
  return ("bytes %d-%d/%d"):format(from, #answer.bytes - 1, #answer.bytes)
end

-- Each is given the connection and what a proper answer holds: `bytes`, `from`
-- (nil: the whole was asked for), `etag`, `fits` (of If-Range, which is not
-- always heeded). It returns true where the connection can serve on.
local moods = {}

local function whole(connection, answer, cut)
  local ok = send(connection, 200, head_of(answer, #answer.bytes), answer.bytes:sub(1, cut))
  return ok and cut == nil
end

local function rest(connection, answer, cut)
  local body = answer.bytes:sub(answer.from + 1)
  local headers = head_of(answer, #body)
  headers["Content-Range"] = range_of(answer, answer.from)
  return send(connection, 206, headers, body:sub(1, cut)) and cut == nil
end

function moods.proper(connection, answer)
  if not answer.from or not answer.fits then
    return whole(connection, answer)
  elseif answer.from >= #answer.bytes then
    return send(connection, 416, { ["Content-Length"] = 0, ETag = answer.etag,
      ["Content-Range"] = "bytes */" .. #answer.bytes }, "")
  end
  return rest(connection, answer)
end

function moods.cut(connection, answer)
  if answer.from and answer.fits and answer.from < #answer.bytes then
    rest(connection, answer, math.random(0, #answer.bytes - answer.from - 1))
  else
    whole(connection, answer, math.random(0, #answer.bytes - 1))
  end
end

function moods.reset(connection, answer)
  moods.cut(connection, answer)
  connection:reset()
end

function moods.ignores_range(connection, answer)
  return whole(connection, answer)
end

-- A 206 whose head is not about what was asked for.
function moods.lies(connection, answer)
  local from = math.max(0, (answer.from or 0) + math.random(-50, 50))
  if from == (answer.from or 0) or from >= #answer.bytes then
    from = 0
  end
  local body = answer.bytes:sub(from + 1)
  local headers = head_of(answer, #body)
  headers["Content-Range"] = range_of(answer, from)
  return send(connection, 206, headers, body)
end

function moods.other_total(connection, answer)
  local from = math.min(answer.from or 0, #answer.bytes - 1)
  local body = answer.bytes:sub(from + 1)
  local headers = head_of(answer, #body)
  headers["Content-Range"] = ("bytes %d-%d/%d"):format(from, #answer.bytes - 1,
    #answer.bytes + math.random(1, 9))
  return send(connection, 206, headers, body)
end

function moods.too_long(connection, answer)
  local from = math.min(answer.from or 0, #answer.bytes - 1)
  local body = answer.bytes:sub(from + 1) .. "more than there is"
  local headers = head_of(answer, #body)
  headers["Content-Range"] = range_of(answer, from)
  return send(connection, 206, headers, body)
end

function moods.unsatisfied(connection)
  local total = ({ "*", 24, 700, 3000, 20000, 999999 })[math.random(6)]
  return send(connection, 416, { ["Content-Length"] = 0,
    ["Content-Range"] = "bytes */" .. total }, "")
end

function moods.precondition(connection)
  return send(connection, 412, { ["Content-Length"] = 0 }, "")
end

function moods.empty(connection, answer)
  return send(connection, answer.from and 206 or 200, { ["Content-Length"] = 0,
    ETag = answer.etag }, "")
end

function moods.packed(connection, answer)
  local status = answer.from and 206 or 200
  local headers = head_of(answer, #answer.bytes - (answer.from or 0))
  headers["Content-Encoding"] = "gzip"
  headers["Content-Range"] = answer.from and range_of(answer, answer.from) or nil
  return send(connection, status, headers, ("\31\139"):rep(#answer.bytes):sub(1,
    math.max(0, headers["Content-Length"])))
end

function moods.page(connection)
  return connection:reply(200, { ["Content-Type"] = "text/html" }, "<html>soon</html>")
end

function moods.chunked(connection, answer)
  local ok = send(connection, 200, { ["Transfer-Encoding"] = "chunked", ETag = answer.etag }, "")
  local cut = math.random(3) == 1 and math.random(#answer.bytes)
  for at = 1, #answer.bytes, 997 do
    if cut and at > cut then
      return nil
    end
    local piece = answer.bytes:sub(at, at + 996)
    ok = ok and connection:send(("%x\r\n%s\r\n"):format(#piece, piece))
  end
  return ok and connection:send "0\r\n\r\n"
end

function moods.to_the_end(connection, answer)
  local cut = math.random(2) == 1 and math.random(#answer.bytes)
  send(connection, 200, { Connection = "close", ETag = answer.etag },
    answer.bytes:sub(1, cut or -1))
end

function moods.elsewhere(connection, answer)
  return send(connection, 302, { ["Content-Length"] = 0,
    Location = answer.path:gsub("%?.*", "") .. "?Expires=" .. math.random(1000) }, "")
end

function moods.trouble(connection)
  return send(connection, ({ 403, 404, 500, 503 })[math.random(4)], { ["Content-Length"] = 0 }, "")
end

local names = {}
for name in pairs(moods) do
  names[#names + 1] = name
end
table.sort(names)

local function etag_of(version)
  return ({ '"%d"', '"%d"', '"%d"', '"%d"', 'W/"%d"', nil })[math.random(6)], version
end

--- Serves a connection; for scripts of `wire.start`.
function random_storage.serve(connection, shared, seed)
  if not shared.seeded then
    math.randomseed(seed)
    shared.seeded = true
  end
  for request in connection.read_request, connection do
    local name = request.path:match "^/(%w+)"
    if math.random(12) == 1 then
      shared[name] = ((shared[name] or 0) + 1) % random_storage.VERSIONS
    end
    local version = shared[name] or 0
    local form = etag_of(version)
    local condition = request.headers["if-range"]
    local answer = { bytes = random_storage.bytes(name, version), path = request.path,
      etag = form and form:format(version),
      from = tonumber((request.headers.range or ""):match "^bytes=(%d+)%-$"),
      fits = condition == nil or condition == ('"%d"'):format(version) or math.random(3) == 1 }
    local mood = ({ "proper", "cut", names[math.random(#names)] })[math.random(3)]
    if not moods[mood](connection, answer) then
      return
    end
  end
end

return random_storage
