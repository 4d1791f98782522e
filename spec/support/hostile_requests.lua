--- Requests of HTTP/1.1 that are wrong in every way, each told by its seed.

local hostile_requests = {}

local function request(first, fields, body)
  return first .. " HTTP/1.1\r\nHost: localhost\r\n" .. fields .. "\r\n" .. (body or "")
end

local function with_body(first, body, fields)
  return request(first, (fields or "") .. "Content-Length: " .. #body .. "\r\n", body)
end

local FORM = "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nvideo\r\n--b\r\n"
  .. "Content-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\nPNG\r\n--b--\r\n"
local JSON = "Content-Type: application/json\r\n"

--- Requests that are in order.
-- @param path of a receiver
-- @param key that an emulator accepts
function hostile_requests.sound(path, key)
  local as = "Authorization: Bearer " .. key .. "\r\n"
  local push = '{"task_id":"7","status":"processing","base_resp":{"status_code":0}}'
  return {
    with_body("POST " .. path, push),
    with_body("POST " .. path, '{"challenge":"a"}', JSON),
    with_body("POST /wrong", push),
    request("POST " .. path, "Transfer-Encoding: chunked\r\n",
      "5\r\n{\"cha\r\nC;x=y\r\nllenge\":\"a\"}\r\n0\r\nX: y\r\n\r\n"),
    with_body("POST " .. path, push, "Expect: 100-continue\r\nTE: gzip, trailers;q=0.5\r\n"),
    request("GET /v1/query/video_generation?task_id=1&x=%41", as .. "Range: bytes=0-5\r\n"),
    request("GET /v1/files/list?purpose=video", as .. "Connection: close, TE\r\n"),
    with_body("POST /v1/video_generation", '{"model":"MiniMax-Hailuo-02","prompt":"a cat"}',
      as .. JSON .. "Accept-Encoding: gzip;q=1, *\r\n"),
    with_body("POST /v2/video_generation", '{"model":"MiniMax-H3","content":[{"type":"text",'
      .. '"text":"x"}],"resolution":"768P","duration":6,"ratio":"16:9"}', as .. JSON),
    with_body("POST /v1/video_template_generation", '{"template_id":"393769180141805569",'
      .. '"media_inputs":[{"value":"https://x/y.jpg"}]}', as .. JSON),
    with_body("POST /v1/files/upload", FORM, as
      .. "Content-Type: multipart/form-data; boundary=b\r\n"),
    request("DELETE /v1/video_generation/1", as .. "Upgrade: h2c\r\nConnection: upgrade\r\n"),
  }
end

local function frame(kind, flags, stream, payload)
  return string.pack(">I3BBI4", #payload, kind, flags, stream) .. payload
end

-- A head that refers to no table of the other side.
local function packed(fields)
  local parts = {}
  for _, pair in ipairs(fields) do
    parts[#parts + 1] = string.pack("Bs1s1", 0, pair[1], pair[2])
  end
  return table.concat(parts)
end

--- The same over HTTP/2, each as all that is sent on a connection.
function hostile_requests.sound_http2(key)
  local begin = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" .. frame(4, 0, 0, "")
  local as = { "authorization", "Bearer " .. key }
  local body = '{"model":"MiniMax-Hailuo-02","prompt":"a cat"}'
  local post = packed { { ":method", "POST" }, { ":scheme", "http" },
    { ":path", "/v1/video_generation" }, { ":authority", "localhost" }, as,
    { "content-length", tostring(#body) }, { "te", "trailers" } }
  local get = packed { { ":method", "GET" }, { ":scheme", "http" },
    { ":path", "/v1/query/video_generation?task_id=1" }, { ":authority", "localhost" }, as }
  return {
    begin .. frame(1, 5, 1, get),
    begin .. frame(1, 4, 1, post) .. frame(0, 1, 1, body),
    begin .. frame(1, 4, 1, post) .. frame(0, 8, 1, "\3" .. body .. "\0\0\0")
      .. frame(0, 1, 1, "") .. frame(1, 5, 3, get),
    begin .. frame(1, 1, 1, get:sub(1, 20)) .. frame(9, 4, 1, get:sub(21)),
    begin .. frame(6, 0, 0, "12345678") .. frame(8, 0, 0, "\0\0\1\0") .. frame(1, 5, 1, get)
      .. frame(2, 0, 1, "\0\0\0\0\16") .. frame(3, 0, 1, "\0\0\0\8")
      .. frame(7, 0, 0, "\0\0\0\1\0\0\0\0"),
  }
end

-- What readers of HTTP trip over.
local PIECES = { "\r\n", "\n", "\r", "\0", "\r\n\r\n", " ", "\t", ":", ",", ";", "=", "\xff",
  "Content-Length: -1\r\n", "Content-Length: abc\r\n", "Content-Length: 0x10\r\n",
  "Content-Length: 1e1\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
  "Content-Length: 99999999999999999999\r\n", "Content-Length:\r\n", "Content-Length: +5\r\n",
  "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
  "Transfer-Encoding: ;;;\r\n", "Transfer-Encoding:\r\n", "Transfer-Encoding: deflate\r\n",
  "TE: ;;;\r\n", "TE: gzip;q=x\r\n", "TE:\r\n", "Connection: ;;\r\n", "Connection:\r\n",
  "Expect: 200-ok\r\n", "Expect: 100-continue\r\n", "Range: bytes=-\r\n", "Range: bytes=9-1\r\n",
  "Range: bytes=99999999999999999999-\r\n", "If-Range: \"\r\n", "Upgrade: websocket\r\n",
  " folded\r\n", "Host: a\r\nHost: b\r\n", "-1\r\n", "ffffffffff\r\n", "0\r\n\r\n", "FFFFFFFF\r\n",
  "HTTP/0.9", "HTTP/1.0", "HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "CONNECT x:1", "*",
  "http://x/", "%", "%zz", "?", "&", ("a"):rep(9000), ("X: y\r\n"):rep(120), (" "):rep(5000),
  "[[[[[", "1e999", "null", "\\ud800", "boundary=", "Content-Type: multipart/form-data\r\n" }

local MUTATIONS = {
  function(text, at) -- a byte changed
    return text:sub(1, at - 1) .. string.char(math.random(0, 255)) .. text:sub(at + 1)
  end,
  function(text, at) -- some bytes missing
    return text:sub(1, at - 1) .. text:sub(at + math.random(20))
  end,
  function(text, at) -- some bytes twice
    return text:sub(1, at + math.random(40)) .. text:sub(at)
  end,
  function(text, at) -- a piece where it does not belong
    return text:sub(1, at - 1) .. PIECES[math.random(#PIECES)] .. text:sub(at)
  end,
  function(text) -- a piece as a header
    local line = text:find("\r\n", 1, true) or 0
    return text:sub(1, line + 1) .. PIECES[math.random(#PIECES)] .. text:sub(line + 2)
  end,
  function(text) -- a header without its value
    return (text:gsub("(%u[%a-]+): [^\r]*", "%1:", 1))
  end,
  function(text, at) -- the end is missing
    return text:sub(1, at)
  end,
}

--- A request that was changed one to four times. Uses `math.random`.
function hostile_requests.mutated(sound)
  local text = sound[math.random(#sound)]
  for _ = 1, math.random(4) do
    text = MUTATIONS[math.random(#MUTATIONS)](text, math.random(#text + 1))
  end
  return text
end

return hostile_requests
