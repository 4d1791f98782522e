--- How a body is framed over HTTP/1, rightly and wrongly.

local mutation = require "spec.torture.server.mutation"

local pick = mutation.pick

local TRAILERS = { "", "", "", "X-Trailer: 1\r\n", "Content-Length: 1\r\n",
  "Retry-After: 86400\r\n",
  "Trace-Id: " .. mutation.KEY .. "\r\n", "Content-Encoding: gzip\r\n", "Location: /\r\n",
  "Transfer-Encoding: chunked\r\n", "HTTP/1.1 503: Later\r\n", ("X: y\r\n"):rep(300) }
local ODD_TRAILERS = { "X: y\r\n", ("T: t\r\n"):rep(2000), "no colon\r\n", " folded\r\n",
  "X: " .. ("h"):rep(200000) .. "\r\n", "\0\r\n" }
local CHUNK_HEADS = { "%x\r\n", "%X\r\n", "%08x\r\n", "%x;ext=\"1\"\r\n", "%x ; a=b;c\r\n",
  "%x \r\n",
  "%x;" .. ("e"):rep(20000) .. "\r\n" }

local function chunked(body, trailer)
  local parts, from = {}, 1
  while from <= #body do
    local length = math.min(math.random(1, 1 + #body), #body - from + 1)
    parts[#parts + 1] = pick(CHUNK_HEADS):format(length) .. body:sub(from, from + length - 1)
      .. "\r\n"
    from = from + length
  end
  return table.concat(parts) .. "0\r\n" .. (trailer or "") .. "\r\n"
end

local function packed_as(coding, bytes)
  return { "Content-Encoding: " .. coding, "Content-Length: " .. #bytes }, bytes
end

-- Each frames a body: `fields`, bytes, whether the client can see all of it just
-- so and knows its end, and how the connection ends if not by chance.
local framing = {}

function framing.length(body)
  return { "Content-Length: " .. #body }, body, true
end

function framing.chunks(body)
  return { "Transfer-Encoding: chunked" }, chunked(body, pick(TRAILERS)), true
end

function framing.close(body)
  return {}, body, true, "close"
end

function framing.gzip(body)
  local fields, bytes = packed_as("gzip", mutation.gzip(body))
  return fields, bytes, true
end

function framing.short(body)
  return { "Content-Length: " .. #body + math.random(1, 5000) }, body, true, "close"
end

function framing.long(body)
  return { "Content-Length: " .. math.random(0, math.max(#body - 1, 0)) }, body, false
end

function framing.last_chunk_missing(body)
  return { "Transfer-Encoding: chunked" }, (chunked(body):gsub("0\r\n\r\n$", "")), true, "close"
end

function framing.odd_chunks(body)
  return { "Transfer-Encoding: chunked" }, mutation.bytes(chunked(body, pick(ODD_TRAILERS))), false
end

function framing.huge_chunk(body)
  return { "Transfer-Encoding: chunked" }, pick { "ffffffffffffffff\r\n", "7fffffffffffffff\r\n",
    "fffffffffffffffffffff\r\n", "-1\r\n", "\r\n", ("0"):rep(50) .. "1\r\n" } .. body, false
end

function framing.both(body)
  return { "Transfer-Encoding: chunked", "Content-Length: " .. math.random(0, 99) },
    chunked(body), false
end

function framing.twice(body)
  return { "Content-Length: " .. #body, "Content-Length: " .. #body + math.random(0, 1) }, body,
    false
end

function framing.folded(body)
  return pick { { "Content-Length:\r\n " .. #body }, { "X: a\r\n\tb\r\n c",
    "Content-Length: " .. #body }, { "Transfer-Encoding:\r\n chunked" } }, body, false
end

function framing.packed_badly(body)
  local bytes = mutation.gzip(body)
  return packed_as(pick { "gzip", "x-gzip", "deflate", "gzip, gzip", "gzip, identity" },
    pick { mutation.bytes(bytes), bytes .. "more", bytes .. bytes, bytes:sub(1, -5),
      bytes:sub(11) })
end

-- Some hundred kilobytes that become many megabytes.
function framing.bomb(body)
  return packed_as("gzip", mutation.bomb(body, math.random(1, 20) << 20))
end

framing.CLEAN = { "length", "length", "chunks", "close", "short", "last_chunk_missing" }
framing.ALL = { "length", "length", "length", "length", "chunks", "chunks", "chunks", "close",
  "gzip", "short", "long", "last_chunk_missing", "odd_chunks", "huge_chunk", "both", "twice",
  "folded", "packed_badly" }

return framing
