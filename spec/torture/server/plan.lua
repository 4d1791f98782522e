--- How an answer goes out over HTTP/1: its bytes, changed at random, in which
-- pieces, after which pauses, and what becomes of the connection.

local answers = require "spec.torture.server.answers"
local framing = require "spec.torture.server.framing"
local mutation = require "spec.torture.server.mutation"
local video = require "spec.support.video"

local plan = {}

local KEY, pick = mutation.KEY, mutation.pick

-- Bodies longer than this may be cut by a client's own limit.
local SURELY_READ = 32 * 1024

local STATUS_LINES = { "HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/1.1 200 " .. ("x"):rep(2000),
  "HTTP/1.1  200 OK", "HTTP/2 200", "HTTP/1.1 0200 OK", "HTTP/1.1 099 Odd", "HTTP/1.1 999 Odd",
  "HTTP/1.1 20x OK", "HTTP/1.1", "ICY 200 OK", "HTTP/1.1 -200 OK", "HTTP/1.1 200\tOK",
  "HTTP/1.1 200 OK\0", "http/1.1 200 ok", "HTTP/1.1 204 None", "HTTP/1.1 304 Same",
  "HTTP/1.1 206 Part", "HTTP/1.1 429 Slowly", "HTTP/1.1 503 Later", "HTTP/1.1 302 Found",
  "HTTP/1.1 416 Range", "HTTP/1.1 412 Not", "HTTP/1.1 101 Switching", "HTTP/3 200 OK",
  "HTTP/1.1 4294967496 OK", "\r\nHTTP/1.1 200 OK", "<html>", "HTTP/1.1 401 " .. KEY }

local FIELDS = { "Retry-After: 0", "Retry-After: 1", "Retry-After: -1", "Retry-After: 86400",
  "Retry-After: 99999999999999999999", "Retry-After: soon", "Retry-After: 1.5",
  "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT", "Retry-After: Thu, 01 Jan 1970 00:00:00 GMT",
  "Location: /", "Location: //example.invalid/x", "Location: https://" .. KEY .. "@127.0.0.1:1/",
  "Location: \x01", "Location: file:///etc/passwd", "Location: ?", "Location:",
  "Content-Encoding: gzip", "Content-Encoding: br", "Content-Encoding: gzip, gzip, gzip, gzip",
  "Content-Encoding: identity", "Content-Encoding: " .. ("x,"):rep(500), "Trace-Id: " .. KEY,
  "Trace-Id: a\x1b[31mb", "Trace-Id: " .. ("t"):rep(5000), "Trace-Id: 04f2\u{202e}",
  "Minimax-Request-Id: Bearer " .. KEY, "Connection: close", "Connection: keep-alive, x",
  "Keep-Alive: timeout=0", "X: " .. ("h"):rep(60000), "X: " .. ("h"):rep(400000), " folded: x",
  "\tfolded: x", "Content-Length:\r\n 5",
  "no colon at all", ": nameless", "A\0B: c", "X: \xff\xfe", "Date: never",
  "Date: Fri, 31 Dec 1969 23:59:59 GMT", "ETag: \"\r\n\tx\"", "ETag: W/\"x\"",
  "ETag: " .. ("e"):rep(9000),
  "Content-Range: bytes */0", "Content-Range: bytes 0-0/1", "Content-Range: bytes 5-1/-3",
  "Content-Range: bytes 18446744073709551615-18446744073709551616/9",
  "Content-Type: video/mp4", "Content-Type: text/html; charset=\xff",
  "Content-Type: " .. ("c"):rep(3000),
  "Alt-Svc: h3=\":1\"", "Set-Cookie: a=" .. KEY, "WWW-Authenticate: Basic realm=\"x\"",
  "WWW-Authenticate: Negotiate", "Proxy-Authenticate: NTLM", "Upgrade: h2c",
  "Connection: Upgrade\r\nUpgrade: websocket", "Proxy-Connection: keep-alive",
  "Transfer-Encoding: gzip",
  "Transfer-Encoding: identity", "Transfer-Encoding: chunked, chunked", "Trailer: X",
  "Content-Length: -1", "Content-Length: 5, 5", "Content-Length: +5",
  "Content-Length: 99999999999999999999",
  "Content-Length: 0x10", "Content-Length: 9223372036854775807",
  "Strict-Transport-Security: max-age=1",
  "Link: <x>; rel=preload", "Content-Disposition: attachment; filename=\"../../x\"" }

-- A frame of a web socket, and the first one of HTTP/2.
local WEB_SOCKET, SETTINGS = "\x81\5hello", "\0\0\0\4\0\0\0\0\0"

local AHEAD = { "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n",
  "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", "HTTP/1.1 199 Odd\r\nTrace-Id: early\r\n\r\n",
  "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n" .. WEB_SOCKET,
  "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" .. SETTINGS,
  "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 103 Early\r\nContent-Length: 3\r\n\r\n" }

local LATER = { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "\r\n", "\0",
  "HTTP/1.1 408 Late\r\n\r\n",
  '{"task_id":"999999999999999999"}', "garbage", WEB_SOCKET, SETTINGS }

-- What may be said again and again, without an end.
local DRIPS = { " ", "X: y\r\n", AHEAD[1], "1\r\nx\r\n", "0", "\r\n", "{", "\0", ("x"):rep(999) }

local function chance(one_in)
  return math.random(one_in) == 1
end

--- Whether nothing that comes behind a body keeps it from being read.
function plan.is_read(body, finish)
  return #body < SURELY_READ and finish ~= "reset" and finish ~= "garble"
end

--- Cuts bytes in pieces, with a pause before each but the first; one of them
-- may be long.
-- @return pieces, pauses by the piece, whether one is long
function plan.in_pieces(bytes)
  local pieces = {}
  local count = pick { 1, 1, 2, 3, 8 }
  local from = 1
  for i = 1, count do
    local to = i == count and #bytes or math.min(#bytes, from + math.random(0, 1 + #bytes // count))
    pieces[i] = bytes:sub(from, to)
    from = to + 1
  end
  local pauses = {}
  for i = 2, count do
    pauses[i] = math.random() * 0.004
  end
  local stall = chance(40) and math.random(1, count)
  if stall then
    pauses[stall] = math.random() * 1.5
  end
  return pieces, pauses, stall and true or false
end

--- Cuts bytes somewhere about the task's id.
-- @return what is left, whether all of the id is; nil where it is not in them
function plan.cut_at_id(bytes, id)
  local from, to = bytes:find('"' .. id .. '"', 1, true)
  if from then
    local at = math.random(from - 2, to + 4)
    return bytes:sub(1, at), at >= to
  end
end

local function whole_line(status)
  return "HTTP/1.1 " .. status .. " Whatever"
end

-- Puts head and framed body together and draws what is done to them.
local function assemble(line, fields, body, options)
  local name = options.wild and chance(100) and "bomb" or pick(options.framings)
  local framed, bytes, sure, finish = framing[name](body)
  local wild = options.wild and chance(3)
  if wild and chance(3) then
    line, sure = pick(STATUS_LINES), false
  end
  local head = { line }
  table.move(fields, 1, #fields, 2, head)
  table.move(framed, 1, #framed, #head + 1, head)
  for _ = 1, wild and math.random(0, 3) or 0 do
    table.insert(head, math.random(2, #head + 1), (pick(FIELDS)))
    sure = false
  end
  local all = table.concat(head, "\r\n") .. "\r\n\r\n" .. bytes
  if wild and chance(8) then
    all, sure = pick(AHEAD):rep(pick { 1, 2, 50, 3000 }) .. all, false
  end
  local part
  if options.dirty and chance(5) then
    all, sure = mutation.bytes(all), false
  elseif not options.dirty and chance(12) then
    all, sure = all:sub(1, math.random(0, #all)), false
    finish = options.over_tls and pick { "close", "garble" } or "close"
  elseif sure and options.id and chance(8) and plan.cut_at_id(all, options.id) then
    all, sure = plan.cut_at_id(all, options.id)
    part, finish = not sure, "close"
  end
  finish = finish or chance(6) and pick { "close", "close", "reset", "shutdown", "hang", "later",
    "garble", "drip", "flood" } or "keep"
  if finish == "later" then
    all, finish = all .. pick(LATER), "keep"
  end
  local pieces, pauses, stalled = plan.in_pieces(all)
  return { pieces = pieces, pauses = pauses, finish = finish, drip = pick(DRIPS), framing = name,
    part = part, sure = sure and not stalled and plan.is_read(body, finish) }
end

--- No answer at all.
function plan.nothing()
  return { pieces = {}, pauses = {}, drip = pick(DRIPS),
    finish = pick { "close", "reset", "hang", "shutdown", "garble", "drip", "flood" } }
end

--- Whether the bytes of answers are changed in this case, too, or only how they
-- arrive: then what is downloaded has one right content.
function plan.is_dirty(seed)
  return seed % 3 ~= 0
end

local function spoil(body, corpus)
  for _ = 1, pick { 0, 1, 1, 2, 4 } do
    body = mutation.json(body, corpus)
  end
  return body
end

--- The body of an answer, changed or not.
-- @param context `seed`, `id`, `link`, `corpus`
-- @return body, status
function plan.body(place, context)
  local body, status = answers.make(place, context.id, context.link)
  if chance(3) then
    body = spoil(body, context.corpus)
  end
  return body, status
end

--- What the answer tells of the submit, whatever is done to its bytes.
function plan.judge(answer, body, status, id)
  local names = status >= 200 and status ~= 204 and status ~= 304
    and select(2, body:gsub('"task_id"', "")) == 1
    and body:find('"task_id":"' .. id .. '"', 1, true) ~= nil
  answer.sure, answer.part = answer.sure and names, answer.part and names
  local all = body .. table.concat(answer.pieces) -- chunks may cut a code in two
  answer.limit = all:find "1002" or all:find "1039" or all:find "1041" or all:find "2045"
    or all:find "429" or all:find "rate" or false
  return answer
end

--- The answer of the API to a request.
-- @param place from `answers.place`
-- @param context as above; `http`: a list of whole answers of others
function plan.answer(place, context)
  if chance(25) then
    return plan.nothing()
  elseif #context.http > 0 and chance(12) then
    local pieces, pauses = plan.in_pieces(pick(context.http))
    return plan.judge({ pieces = pieces, pauses = pauses, finish = pick { "keep", "close" } },
      "", 0,
      context.id)
  end
  local body, status = plan.body(place, context)
  local redirect = status >= 300 and status < 400 and { "Location: " .. pick { context.link,
    "/x", "" } }
  local answer = assemble(whole_line(status), redirect or { "Content-Type: application/json" },
    body,
    { framings = framing.ALL, wild = true, dirty = true, id = context.id })
  return plan.judge(answer, body, status, context.id)
end

local REFUSALS = { "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n"
  .. "Content-Length: 2\r\n\r\nno", "HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\n\r\n",
  "HTTP/1.1 429 Slowly\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 302 Found\r\n"
  .. "Location: https://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 None\r\n\r\n",
  "HTTP/1.1 503 Later\r\nRetry-After: 86400\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" }

--- What a proxy answers that lets nobody through, or says no word of HTTP.
function plan.refusal(context)
  local bytes = pick(REFUSALS)
  if chance(3) then
    return plan.answer("any", context)
  elseif chance(3) then
    bytes = mutation.bytes(bytes)
  end
  local pieces, pauses = plan.in_pieces(bytes)
  return { pieces = pieces, pauses = pauses, drip = pick(DRIPS),
    finish = pick { "keep", "close", "reset", "hang", "drip", "flood" } }
end

--- The sizes and versions of the videos of a case.
function plan.versions(seed)
  local size = ({ 300, 1000, 5000, 40000, 150000 })[seed // 3 % 5 + 1]
  return { video.make(size, 1), video.make(size, 2), video.make(size + 64, 3) }
end

local function span_of(range, total)
  local from, to = (range or ""):match "^bytes=(%d+)%-(%d*)$"
  from = from and math.tointeger(from)
  return from, math.min(math.tointeger(to) or total - 1, total - 1)
end

--- What the storage has for a request, before it is framed.
-- @param range, if_range the fields of the request, where they are known
-- @param seed of the case
-- @return status, bytes, fields as a list of pairs
function plan.stored(range, if_range, seed)
  local versions = plan.versions(seed)
  local number = chance(8) and math.random(#versions) or 1
  local bytes, tag = versions[number], '"v' .. number .. '"'
  local from, to = span_of(range, #bytes)
  local fields = { { "etag", tag }, { "content-type", "video/mp4" } }
  if not from or (if_range or tag) ~= tag or chance(6) then
    return 200, bytes, fields
  elseif from >= #bytes then
    fields[3] = { "content-range", "bytes */" .. #bytes }
    return 416, "", fields
  end
  fields[3] = { "content-range", ("bytes %d-%d/%d"):format(from, to, #bytes) }
  return 206, bytes:sub(from + 1, to + 1), fields
end

--- The answer of the storage.
-- @param request with `headers`
-- @param context as above
function plan.storage(request, context)
  if chance(15) then
    return plan.nothing()
  elseif chance(20) then
    return plan.answer("any", context)
  end
  local status, bytes, pairs_of = plan.stored(request.headers.range, request.headers["if-range"],
    context.seed)
  local fields = {}
  for i, entry in ipairs(pairs_of) do
    fields[i] = entry[1] .. ": " .. entry[2]
  end
  local dirty = plan.is_dirty(context.seed)
  if dirty and chance(4) then
    bytes = mutation.bytes(bytes)
  end
  return assemble(whole_line(status), fields, bytes, { dirty = dirty, wild = dirty,
    framings = dirty and framing.ALL or framing.CLEAN,
    over_tls = context.link:find "^https:" ~= nil })
end

return plan
