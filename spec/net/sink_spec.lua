--- src/net/sink.c and src/base/ring.c: the bytes of a download on their way into a file
-- or, through a ring, to a slow reader; and that they are an MP4.

local host = require "spec.support.host"
local minimax = require "minimax"
local process = require "spec.support.process"
local storage = require "spec.support.storage"
local temp = require "spec.support.temp"
local video = require "spec.support.video"
local wire = require "spec.support.wire"

local folder, path

local function contents(name)
  local file <close> = assert(io.open(name, "rb"))
  return file:read("a")
end

local function client_of(server)
  return minimax.new { base_url = server.url, api_key = "sk-spec-key", retries = 0 }
end

local function box(kind, payload, size)
  return string.pack(">I4", size or #payload + 8) .. kind .. payload
end

local FTYP = box("ftyp", "isom\0\0\2\0isomiso2")

before_each(function()
  folder = temp.folder()
  path = folder:file("out.mp4")
end)

after_each(function()
  folder:close()
end)

describe("an MP4", function()
  local function download(body)
    local server <close> = wire.start { serve = storage.script { a = { { body = body } } } }
    local client <close> = client_of(server)
    local info, err = client:download(server.url .. "/a", path)
    if info then
      assert.is_true(contents(path) == body, "the bytes differ")
    else
      assert.equal("protocol", err.kind)
      assert.same({}, folder:names())
    end
    return info ~= nil
  end

  for what, body in pairs {
    ["of many boxes"] = FTYP .. box("free", "") .. box("moov", "tracks") .. box("mdat", "pixels"),
    ["of fragments"] = FTYP .. box("moof", "") .. box("mdat", "pixels"),
    ["with a box of 64 bits"] = FTYP .. box("moov", "")
      .. string.pack(">I4c4I8", 1, "mdat", 16 + 6) .. "pixels",
    ["whose last box runs to the end"] = FTYP .. box("moov", "") .. box("mdat", "pixels", 0),
  } do
    it(what .. " is a video", function()
      assert.is_true(download(body))
    end)
  end

  for what, body in pairs {
    ["of its first box alone"] = FTYP,
    ["without tracks"] = FTYP .. box("mdat", "pixels"),
    ["without pixels"] = FTYP .. box("moov", "tracks"),
    ["cut within a box"] = FTYP .. box("moov", "") .. box("mdat", "pixel", 14),
    ["cut within a header"] = FTYP .. box("moov", "") .. box("mdat", "pixel") .. "\0\0\0",
    ["with something at its end"] = FTYP .. box("moov", "") .. box("mdat", "pixels") .. "\n",
    ["that begins with another box"] = box("moov", "tracks") .. FTYP,
    ["with a box smaller than its header"] = FTYP .. box("mdat", "", 7),
    ["with a type that is no text"] = FTYP .. box("\1\2\3\4", ""),
    ["with a box of 64 bits beyond all measure"] =
      FTYP .. string.pack(">I4c4I8", 1, "mdat", -1) .. "pixels",
  } do
    it(what .. " is none", function()
      assert.is_false(download(body))
    end)
  end
end)

describe("a reader that is a function", function()
  it("gets no chunk before the first box was seen to be right", function()
    local server <close> = wire.start { serve = [[
      local connection = ...
      local bytes = require "spec.support.video".make(1000)
      connection:read_request()
      connection:send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" .. bytes:sub(1, 7))
      connection:await "rest"
      connection:send(bytes:sub(8))
    ]] }
    local client <close> = client_of(server)
    local chunks, early = {}, 0
    assert(client:download(server.url .. "/a", function(chunk)
      chunks[#chunks + 1] = chunk
    end, { on_progress = function(received)
      if received == 7 then
        early = early + 1
        assert.equal(0, #chunks)
        server:tell("rest")
      end
    end }))
    assert.equal(1, early)
    assert.is_true(table.concat(chunks) == video.make(1000))
  end)

  it("gets the bytes in order, however they come", function()
    local server <close> = wire.start { serve = [[
      local connection = ...
      local bytes = require "spec.support.video".make(1500000)
      connection:read_request()
      connection:send "HTTP/1.1 200 OK\r\nContent-Length: 1500000\r\n\r\n"
      local at, piece = 1, 1
      while at <= #bytes do
        connection:send(bytes:sub(at, at + piece - 1))
        at, piece = at + piece, piece * 7 % 65521
      end
    ]] }
    local client <close> = client_of(server)
    local chunks = {}
    local thread = coroutine.create(function()
      return assert(client:download(server.url .. "/a", function(chunk)
        chunks[#chunks + 1] = chunk
        for _ = 1, #chunks % 5 do
          coroutine.yield()
        end
      end))
    end)
    repeat
      assert(coroutine.resume(thread))
      host.sleep(0.05)
    until coroutine.status(thread) == "dead"
    assert.is_true(table.concat(chunks) == video.make(1500000), "the bytes differ")
  end)

  it("that is slow holds the server back, and nobody else", function()
    local size = 64 << 20
    local server <close> = wire.start { serve = ([[
      local connection = ...
      local video = require "spec.support.video"
      local request = connection:read_request()
      while request and request.path ~= "/a" do
        connection:reply(200, {}, '{"task_id":"1","status":"Processing"}')
        request = connection:read_request()
      end
      local size, sent = %d, 0
      local block = ("x"):rep(1 << 20)
      connection:send("HTTP/1.1 200 OK\r\nContent-Length: " .. size .. "\r\n\r\n")
      connection:send(video.head(size))
      local left = size - #video.head(size)
      while left > 0 do
        connection:send(left < #block and block:sub(1, left) or block)
        left = left - #block
        connection.server.report { type = "sent" }
      end
    ]]):format(size) }
    local client <close> = client_of(server)
    local paused, received = false, 0
    local reader = coroutine.create(function()
      return client:download(server.url .. "/a", function(chunk)
        received = received + #chunk
        if not paused then
          paused = true
          coroutine.yield()
        end
      end)
    end)
    repeat
      assert(coroutine.resume(reader))
      host.sleep(1)
    until paused
    for _ = 1, 30 do
      assert(client:query("1"))
    end
    assert.is_true(#server:reports("sent") < 40, "the server was not held back")
    assert.is_true(received <= 262144)
    local ok, info
    repeat
      ok, info = coroutine.resume(reader)
      assert(ok, info)
      host.sleep(1)
    until coroutine.status(reader) == "dead"
    assert.equal(size, info.bytes)
    assert.equal(size, received)
  end)
end)

-- The most memory that a process of its own took for a download.
local function peak_kilobytes(server, size, destination)
  local result = process.run { script = ([[
    local client = require "minimax".new { base_url = %q, api_key = "sk-spec-key" }
    local info = assert(client:download(%q, %s))
    assert(info.bytes == %d)
    for line in io.lines "/proc/self/status" do
      local peak = line:match "^VmHWM:%%s*(%%d+)"
      if peak then
        print(peak)
      end
    end
  ]]):format(server.url, server.url .. "/" .. size, destination, size), env = {
    LD_PRELOAD = false } }
  assert.equal(0, result.code, result.err)
  return tonumber(result.out)
end

-- The reader's first chunk is the first bytes; while it is held, so many more come
-- that the ring is full, and a few beyond that, so that the server is held back.
describe("a pause of ours counts as no stall:", function()
  local RING, HEAD, BEYOND = 256 * 1024, 1000, 100

  local function start(after)
    return wire.start { serve = ([[
      local connection = ...
      local bytes = require "spec.support.video".make(300000)
      connection:read_request()
      connection:send('HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 300000\r\n\r\n')
      connection:send(bytes:sub(1, %d))
      connection:await "held"
      connection:send(bytes:sub(%d, %d))
      connection:pause(0.1)
      connection:send(bytes:sub(%d, %d))
      connection:await "resumed"
      connection:pause(%f)
      connection:send(bytes:sub(%d))
    ]]):format(HEAD, HEAD + 1, HEAD + RING, HEAD + RING + 1, HEAD + RING + BEYOND, after,
      HEAD + RING + BEYOND + 1) }
  end

  local function download(server, hold)
    local client <close> = minimax.new { base_url = server.url, api_key = "sk-spec-key",
      retries = 0, stall_timeout = 1 }
    local chunks = {}
    local _, err = client:download(server.url .. "/a", function(chunk)
      chunks[#chunks + 1] = chunk
      if #chunks == 1 then
        server:tell "held"
        minimax.sleep(hold)
        server:tell "resumed"
      end
    end)
    return err, table.concat(chunks) == video.make(300000)
  end

  it("not while it lasts, nor what it leaves of the clock's window #timing", function()
    local long <close> = start(0)
    local late <close> = start(0.5)
    minimax.run(function()
      for server, hold in pairs { [long] = 2.5, [late] = 1.7 } do
        minimax.spawn(function()
          local err, is_whole = download(server, hold)
          assert.is_nil(err)
          assert.is_true(is_whole)
          assert.equal(1, #server:requests())
        end)
      end
    end)
  end)
end)

describe("memory use does not depend on the size", function()
  local SERVE = [[
    local connection = ...
    local video = require "spec.support.video"
    local request = connection:read_request()
    local size = tonumber(request.path:match "%d+")
    connection:send("HTTP/1.1 200 OK\r\nContent-Length: " .. size .. "\r\n\r\n")
    connection:send(video.head(size))
    local block = ("x"):rep(1 << 20)
    local left = size - #video.head(size)
    while left > 0 do
      connection:send(left < #block and block:sub(1, left) or block)
      left = left - #block
    end
  ]]

  for what, destination in pairs { ["of a download to a path"] = "%q",
    ["of a download to a function"] = "function() collectgarbage 'step' end",
    ["of a download to a Lua file"] = "io.open('/dev/null', 'wb')" } do
    it(what .. " #timing", function()
      local server <close> = wire.start { serve = SERVE }
      destination = destination:gsub("%%q", ("%q"):format(path))
      local small = peak_kilobytes(server, 1 << 20, destination)
      local large = peak_kilobytes(server, 1000000000, destination)
      assert.is_true(large - small <= 4096, small .. " kB, " .. large .. " kB")
    end)
  end
end)
