--- How an answer goes out over HTTP/2: frames, changed at random.

local mutation = require "spec.torture.server.mutation"
local plan = require "spec.torture.server.plan"

local frames = {}

local pick = mutation.pick

local DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE,
  CONTINUATION = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9
local END_STREAM, END_HEADERS, PADDED = 1, 4, 8

local function frame(kind, flags, stream, payload)
  return string.pack(">I3BBI4", #payload, kind, flags, stream) .. payload
end

-- An integer of HPACK behind a prefix of seven bits.
local function integer(value)
  if value < 127 then
    return string.char(value)
  end
  local bytes = { string.char(127) }
  value = value - 127
  while value >= 128 do
    bytes[#bytes + 1] = string.char(value & 127 | 128)
    value = value >> 7
  end
  return table.concat(bytes) .. string.char(value)
end

local function field(name, value)
  return "\0" .. integer(#name) .. name .. integer(#value) .. value
end

local ODD_FIELDS = { { "Upper-Case", "x" }, { "", "" }, { "connection", "close" }, { ":path", "/" },
  { "transfer-encoding", "chunked" }, { "content-length", "-1" }, { "content-length", "5" },
  { "trace-id", mutation.KEY }, { "x", ("h"):rep(70000) }, { "x\0", "y" }, { "x", "a\r\nb: c" },
  { "retry-after", "86400" }, { "retry-after", "1" }, { "location", "//x\1" },
  { "content-encoding", "gzip" }, { ":status", "200" }, { "te", "\xff" }, { "set-cookie", "a=b" } }

-- What is no field: HPACK's indices, sizes, codes and integers, all wrong.
local ODD_BLOCKS = { "\x80", "\xbf", "\xff\xff\xff\xff\xff\xff\xff\x7f", "\x3f\xff\xff\xff\xff\x0f",
  "\x20", "\0\x83\xff\xff\xff\1x", "\0\x7f\xff\xff\xff\xff\xff\xff", "\x40\1x", "\0",
  ("\x82"):rep(3000), ("\x40\1x\x7f\1" .. ("v"):rep(128)):rep(100) }

local function chance(one_in)
  return math.random(one_in) == 1
end

local function header_block(status, fields, is_odd)
  local block = { field(":status", status) }
  for _, entry in ipairs(fields) do
    table.insert(block, is_odd and chance(5) and 1 or #block + 1, field(entry[1], entry[2]))
  end
  if is_odd and chance(4) then
    table.insert(block, math.random(#block + 1), (pick(ODD_BLOCKS)))
  end
  return table.concat(block)
end

local function headers_of(stream, block, flags)
  if not chance(10) then
    return { frame(HEADERS, flags | END_HEADERS, stream, block) }
  end
  local list, from = {}, 1
  for i = 1, pick { 1, 1, 2 } do -- nghttp2 reads eight at most, and counts pieces
    local to = math.random(from - 1, #block)
    list[i] = frame(i == 1 and HEADERS or CONTINUATION, i == 1 and flags or 0, stream,
      block:sub(from, to))
    from = to + 1
  end
  list[#list + 1] = frame(CONTINUATION, END_HEADERS, stream, block:sub(from))
  return list
end

local function data_of(stream, body, ends)
  local list, from = {}, 1
  repeat
    local to = math.min(#body, from + math.min(math.random(0, #body), 16000))
    local last = to >= #body
    local payload, flags = body:sub(from, to), last and ends and END_STREAM or 0
    if chance(10) then
      payload, flags = "\3" .. payload .. "\0\0\0", flags | PADDED
    end
    list[#list + 1] = frame(DATA, flags, stream, payload)
    from = to + 1
  until last
  return list
end

-- Frames that come where nobody awaits them.
local function odd_frame(stream)
  return pick {
    function() return frame(RST_STREAM, 0, stream, string.pack(">I4", math.random(0, 14))) end,
    function()
      return frame(GOAWAY, 0, 0, string.pack(">I4I4", pick { 0, stream, 0x7fffffff },
        math.random(0, 14)) .. "why")
    end,
    function() return frame(WINDOW_UPDATE, 0, pick { 0, stream }, string.pack(">I4",
      pick { 0, 1, 0x7fffffff })) end,
    function() return frame(PUSH_PROMISE, END_HEADERS, stream, string.pack(">I4",
      2) .. "\x82\x84") end,
    function() return frame(PING, pick { 0, 1 }, 0, ("p"):rep(pick { 8, 8, 7 })) end,
    function() return frame(SETTINGS, 0, 0, string.pack(">I2I4", math.random(0, 9),
      pick { 0, 1, 16384, 0xffffffff })) end,
    function() return frame(SETTINGS, 1, 0, "") end,
    function() return frame(PRIORITY, 0, stream, "\0\0\0\1\16") end,
    function() return frame(math.random(10, 255), math.random(0, 255), stream, "unknown") end,
    function() return frame(HEADERS, END_HEADERS, stream, field(":status", pick { "103",
      "100" })) end,
    function() return frame(HEADERS, END_HEADERS | END_STREAM, stream, field("x-trailer", "1")) end,
    function() return frame(DATA, 0, stream, "") end,
    function() return frame(DATA, 0, stream + 2, "nobody's") end,
    function() return frame(CONTINUATION, END_HEADERS, stream, "") end,
  }()
end

--- The bytes of an answer.
-- @param stream
-- @param body, status of it
-- @param options `fields`: a list of pairs; `wild`: whether frames are added and
--   bytes changed; `id` of the task
-- @return an answer as `plan.answer` gives
function frames.answer(stream, body, status, options)
  local fields, ends, sure = options.fields or {}, not chance(20), true
  local finish = ends and "keep" or pick { "close", "reset", "hang" }
  if chance(2) then
    fields[#fields + 1] = { "content-length", tostring(#body) }
  end
  local word = tostring(status)
  if options.wild and chance(3) then
    fields[#fields + 1] = pick(ODD_FIELDS)
    word = chance(6) and pick { "", "20", "2000", "abc", "099", "101", "429", "503" } or word
    sure = false
  end
  local list = headers_of(stream, header_block(word, fields, not sure), 0)
  table.move(data_of(stream, body, ends), 1, 1000, #list + 1, list)
  if options.wild and chance(4) then
    for _ = 1, pick { 1, 1, 2, 100 } do
      table.insert(list, math.random(#list + 1), odd_frame(stream):rep(chance(20) and 1000 or 1))
    end
    sure = false
  end
  local all, part = table.concat(list), nil
  if options.wild and chance(8) then
    all, sure = mutation.bytes(all), false
  elseif not options.wild and chance(12) then
    all, sure, finish = all:sub(1, math.random(0, #all)), false, pick { "close", "garble" }
  elseif sure and chance(8) and plan.cut_at_id(all, options.id) then
    all, sure = plan.cut_at_id(all, options.id)
    part, finish = not sure, "close"
  end
  local pieces, pauses, stalled = plan.in_pieces(all)
  return plan.judge({ pieces = pieces, pauses = pauses, finish = finish, framing = "h2",
    part = part, sure = sure and not stalled and plan.is_read(body, finish) }, body, status,
    options.id)
end

return frames
