--- lua/minimax/emulator/storage.lua: the host that links lead to, and its film.

local emulated = require "spec.support.emulated"
local video = require "minimax.emulator.video"

local SIZE = 200000

describe("the emulator's storage host", function()
  local api, link

  before_each(function()
    api = emulated.start { video_bytes = SIZE }
    link = api:query("template", api:finished "template").video_url
  end)

  after_each(function()
    api:close()
  end)

  local function fetch(headers, method)
    return assert(emulated.fetch(link, { headers = headers, method = method }))
  end

  it("serves an MP4 whose boxes end where it ends", function()
    local reply = fetch()
    assert.equal(200, reply.status)
    assert.equal("video/mp4", reply.headers["content-type"])
    assert.equal("bytes", reply.headers["accept-ranges"])
    assert.truthy(reply.headers.etag:find '^"[^"]+"$')
    assert.equal(tostring(SIZE), reply.headers["content-length"])
    local position, names = 1, {}
    while position <= SIZE do
      local length, name = string.unpack(">I4c4", reply.body, position)
      position, names[#names + 1] = position + length, name
    end
    assert.equal(SIZE + 1, position)
    assert.same({ "ftyp", "moov", "free" }, { names[1], names[2] == "moov" and "moov"
      or names[#names - 1], names[#names] })
  end)

  it("answers HEAD with the same head", function()
    local reply = fetch(nil, "HEAD")
    assert.equal(200, reply.status)
    assert.equal(tostring(SIZE), reply.headers["content-length"])
    assert.equal("", reply.body)
  end)

  it("serves ranges: from and to, to the end, the last bytes", function()
    local whole = fetch().body
    local reply = fetch { range = "bytes=100-199" }
    assert.equal(206, reply.status)
    assert.equal("bytes 100-199/" .. SIZE, reply.headers["content-range"])
    assert.equal(whole:sub(101, 200), reply.body)
    assert.equal(whole:sub(1001), fetch({ range = "bytes=1000-" }).body)
    assert.equal(whole:sub(-7), fetch({ range = "bytes=-7" }).body)
    assert.equal(whole:sub(-1), fetch({ range = "bytes=199999-300000" }).body)
    reply = fetch { range = "bytes=200000-" }
    assert.equal(416, reply.status)
    assert.equal("bytes */" .. SIZE, reply.headers["content-range"])
  end)

  it("reads a range as HTTP says: what is none is as if it were not there", function()
    for _, range in ipairs { "BYTES=0-9", "bytes= 0-9", "Bytes=0-9" } do
      local reply = fetch { range = range }
      assert.same({ 206, 10 }, { reply.status, #reply.body })
    end
    for _, range in ipairs { "bytes=9-3", "lines=0-9", "bytes=-", "bytes=a-b", "0-9" } do
      local reply = fetch { range = range }
      assert.same({ 200, SIZE }, { reply.status, #reply.body })
    end
    assert.equal(416, fetch({ range = "bytes=-0" }).status)
    assert.equal(200, fetch({ range = "bytes=0-9" }, "HEAD").status)
    local time = fetch().headers["last-modified"]
    assert.equal(206, fetch({ range = "bytes=1-", ["if-range"] = time }).status)
    time = time:gsub("2025", "2024")
    assert.equal(200, fetch({ range = "bytes=1-", ["if-range"] = time }).status)
  end)

  it("serves a range under If-Range only for the ETag that it has", function()
    local etag = fetch().headers.etag
    assert.equal(206, fetch({ range = "bytes=1-", ["if-range"] = etag }).status)
    assert.equal(200, fetch({ range = "bytes=1-", ["if-range"] = '"x"' }).status)
  end)

  it("refuses a request that carries a key, and records it", function()
    local reply = fetch { authorization = "Bearer " .. api.emu.api_key }
    assert.equal(400, reply.status)
    assert.equal("application/xml", reply.headers["content-type"])
    assert.truthy(reply.body:find("<Code>InvalidArgument</Code>", 1, true))
    local requests = api.emu:requests { endpoint = "storage" }
    assert.equal("Bearer " .. api.emu.api_key, requests[1].headers.authorization)
  end)

  it("refuses a link that was changed, of another file or too old", function()
    link = link .. "x"
    local reply = fetch()
    assert.equal(403, reply.status)
    assert.truthy(reply.body:find("<Code>SignatureDoesNotMatch</Code>", 1, true))
    link = api.emu.storage_url .. "/other"
    assert.equal(404, fetch().status)
    link = api:query("template", api.emu:tasks()[1].task_id).video_url
    api.emu:advance(9 * 3600 - 10)
    assert.equal(200, fetch().status)
    api.emu:advance(20)
    reply = fetch()
    assert.equal(403, reply.status)
    assert.truthy(reply.body:find("Request has expired", 1, true))
  end)

  it("lets a link live for as long as it was told", function()
    local short <close> = emulated.start { link_life = 100 }
    link = short:query("template", short:finished "template").video_url
    local expires = tonumber(link:match "Expires=(%d+)")
    assert.truthy(math.abs(expires - os.time() - 160) <= 5)
    short.emu:advance(90)
    assert.equal(200, fetch().status)
    short.emu:advance(20)
    assert.equal(403, fetch().status)
  end)
end)

describe("the emulator's film", function()
  local function read_all(film)
    local parts, position = {}, 0
    while position < film.size do
      parts[#parts + 1] = film:read(position, film.size - 1)
      position = position + #parts[#parts]
    end
    return table.concat(parts)
  end

  it("has any size from its own on", function()
    assert.equal(video.bytes, #read_all(video.new()))
    assert.equal(video.bytes + 8, #read_all(video.new(video.bytes + 1)))
    assert.equal(video.bytes + 100, #read_all(video.new(video.bytes + 100)))
    assert.equal(300000, #read_all(video.new(300000)))
  end)

  it("needs no memory for its size, beyond 4 GiB too", function()
    local film = video.new(5 << 30)
    assert.equal(5 << 30, film.size)
    local length = string.unpack(">I8", film:read(video.bytes + 8, video.bytes + 15))
    assert.equal((5 << 30) - video.bytes, length)
    assert.equal(64 * 1024, #film:read(4 << 30, film.size - 1))
    assert.equal(1, #film:read(film.size - 1, film.size - 1))
  end)
end)
