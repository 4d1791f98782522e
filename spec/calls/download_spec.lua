--- src/calls/download.c: client:download, its arguments, its destination, its
-- delivery. How it comes to the bytes is in calls/download_fetch_spec.lua.

local fds = require "spec.support.fds"
local lfs = require "lfs"
local host = require "spec.support.host"
local minimax = require "minimax"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local socket = require "socket"
local temp = require "spec.support.temp"
local video = require "spec.support.video"
local wire = require "spec.support.wire"

local SIZE = 300000

-- Serves the files by the last word of their path.
local SERVE = [[
  local connection = ...
  local storage = require "spec.support.storage"
  local files = {
    video = { size = 300000 },
    other = { size = 200000, seed = 2 },
    page = { body = "<html><body>Sign in</body></html>", type = "text/html" },
    json = { body = '{"base_resp":{"status_code":1004}}', type = "application/json" },
    short = { body = require "spec.support.video".make(300000):sub(1, 299990) },
    empty = { body = "" },
    drops = { size = 100, piece = 5, pause = 0.02 },
    pages = { body = "<html><body>Sign in</body></html>", piece = 5, pause = 0.02 },
    long = { size = 3000000 },
    vast = { size = 30000000, blank = true }, -- at once, however slow the machine is
  }
  local request
  repeat
    request = connection:read_request()
  until not request
    or not storage.answer(connection, request, files[request.path:match("%a+$")])
]]

local server, client, folder

local function link(name)
  return server.url .. "/" .. name
end

local function contents(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

-- Not assert.equal: it would print both files.
local function assert_bytes(expected, got)
  assert.equal(#expected, #got)
  assert.is_true(expected == got, "the bytes differ")
end

local function assert_fault(kind, pattern, result, err)
  assert.is_nil(result)
  assert.equal("minimax.error", getmetatable(err).__name)
  assert.equal(kind, err.kind, tostring(err))
  assert.matches(pattern, tostring(err))
  assert.equal("download", err.stage)
  return err
end

setup(function()
  server = wire.start { serve = SERVE }
  client = minimax.new { base_url = server.url, api_key = "sk-spec-key", retries = 0 }
end)

teardown(function()
  client:close()
  server:stop()
end)

before_each(function()
  folder = temp.folder()
end)

after_each(function()
  folder:close()
end)

describe("download to a path", function()
  it("writes the file and tells path, bytes and content type", function()
    local path = folder:file("out.mp4")
    local info = assert(client:download(link "video", path))
    assert.same({ path = path, bytes = SIZE, content_type = "video/mp4" }, info)
    assert_bytes(video.make(SIZE), contents(path))
  end)

  it("leaves nothing beside the file", function()
    assert(client:download(link "video", folder:file("out.mp4")))
    assert.same({ "out.mp4" }, folder:names())
  end)

  it("replaces a good file only by a whole new one", function()
    local path = folder:write("out.mp4", video.make(5000, 7))
    for _, name in ipairs { "page", "json", "short", "empty" } do
      assert_fault("protocol", "MP4", client:download(link(name), path))
      assert_bytes(video.make(5000, 7), contents(path))
    end
    assert(client:download(link "video", path))
    assert_bytes(video.make(SIZE), contents(path))
  end)

  it("with overwrite = false refuses an existing file", function()
    local path = folder:write("out.mp4", "mine")
    local before = #server:requests()
    assert_fault("io", "exists",
      client:download(link "video", path, { overwrite = false }))
    assert.equal("mine", contents(path))
    assert.equal(before, #server:requests())
  end)

  it("with overwrite = false writes where nothing is", function()
    local path = folder:file("out.mp4")
    assert(client:download(link "video", path, { overwrite = false }))
    assert_bytes(video.make(SIZE), contents(path))
  end)

  it("with overwrite = false spares a file that came up meanwhile", function()
    local path = folder:file("out.mp4")
    local function interfere()
      if not lfs.attributes(path) then
        folder:write("out.mp4", "theirs")
      end
    end
    assert_fault("io", "exists", client:download(link "long", path,
      { overwrite = false, on_progress = interfere }))
    assert.equal("theirs", contents(path))
  end)

  for what, path in pairs { ["a folder"] = "/tmp", ["a device"] = "/dev/null",
    ["a path that ends in a slash"] = "/tmp/x/" } do
    it("refuses " .. what .. " as kind io and names the way out", function()
      local before = #server:requests()
      assert_fault("io", "open Lua file", client:download(link "video", path))
      assert.equal(before, #server:requests())
    end)
  end

  it("refuses a FIFO and leaves it there", function()
    local path = folder:file("pipe")
    assert(os.execute("mkfifo " .. path))
    assert_fault("io", "open Lua file", client:download(link "video", path))
    assert.equal("named pipe", lfs.attributes(path, "mode"))
  end)

  it("refuses a folder that is not there, an empty path, a name too long", function()
    local missing = folder:file("no/out.mp4")
    assert_fault("io", "No such file", client:download(link "video", missing))
    assert_fault("io", "regular file", client:download(link "video", ""))
    local long = folder:file(("n"):rep(256))
    assert_fault("io", "too long", client:download(link "video", long))
    assert.same({}, folder:names())
  end)

  it("refuses a folder that can't be written", function()
    lfs.mkdir(folder:file("closed"))
    assert(os.execute("chmod 555 " .. folder:file("closed")))
    assert(os.execute("chmod 755 " .. folder.path))
    local words = { "env", "LD_PRELOAD=" .. (os.getenv("LD_PRELOAD") or ""),
      shell.interpreter(), "-e", ([[
      local minimax = require "minimax"
      local client = minimax.new { base_url = %q, api_key = "sk-spec-key" }
      local info, err = client:download(%q, %q)
      io.write(tostring(info), " ", err.kind, " ", tostring(err))
    ]]):format(server.url, link "video", folder:file("closed/out.mp4")) }
    local whoami = io.popen("id -u"):read("l")
    if whoami == "0" then -- root may write anywhere, but for this
      table.move({ "setpriv", "--bounding-set=-dac_override,-dac_read_search" }, 1, 2, 1,
        table.move(words, 1, #words, 3))
    end
    local result = process.run { command = words }
    assert.matches("^nil io .*denied", result.out, result.err)
    assert.equal(0, result.code)
  end)

  it("takes from a fast server what leaves other work its turn", function()
    local path = folder:file "out.mp4"
    local co = coroutine.create(client.download)
    local written, most = 0, 0
    local ended
    assert(coroutine.resume(co, client, link "vast", path))
    repeat
      socket.sleep(0.005) -- the server gets ahead
      ended = minimax.step(0)
      local size = lfs.attributes(path .. ".part", "size") or written
      most = math.max(most, size - written)
      written = size
    until ended > 0
    assert.equal(30000000, assert(host.drive(co)).bytes)
    assert.is_true(most <= 2000000, most .. " bytes in one step")
  end)

  it("opens no descriptor that it does not close", function()
    local before = fds.list()
    for _, name in ipairs { "page", "short", "video" } do
      client:download(link(name), folder:file("out.mp4"))
    end
    for _, left in ipairs(fds.since(before)) do
      assert.matches("socket", left) -- of the connection pool
    end
  end)
end)

describe("what arrives must be a video", function()
  for name, what in pairs { page = "an HTML page with 200", json = "a JSON reply with 200",
    short = "a body whose boxes do not end where it ends", empty = "an empty body" } do
    it(what .. " is kind protocol and leaves no file", function()
      local err = assert_fault("protocol", "MP4",
        client:download(link(name), folder:file("out.mp4")))
      assert.equal(200, err.http_status)
      assert.same({}, folder:names())
    end)
  end

  it("verify = false lets other content through", function()
    local path = folder:file("page.html")
    local info = assert(client:download(link "page", path, { verify = false }))
    assert.same({ path = path, bytes = 33, content_type = "text/html" }, info)
    assert.equal("<html><body>Sign in</body></html>", contents(path))
  end)
end)

describe("download to a function", function()
  it("gets every byte in order", function()
    local chunks = {}
    local info = assert(client:download(link "video", function(chunk)
      chunks[#chunks + 1] = chunk
    end))
    assert.same({ bytes = SIZE, content_type = "video/mp4" }, info)
    assert_bytes(video.make(SIZE), table.concat(chunks))
  end)

  it("gets nothing of what is no video", function()
    local called = false
    assert_fault("protocol", "MP4", client:download(link "page", function()
      called = true
    end))
    assert.is_false(called)
  end)

  it("that returns nil and an error stops the download", function()
    local err = assert_fault("io", "the disk of my dreams is full",
      client:download(link "long", function()
        return nil, "the disk of my dreams is full"
      end))
    assert.is_true(err.received > 0 and err.received < 3000000)
  end)

  it("that returns nil and one of our errors returns that error", function()
    local mine = select(2, client:download(link "video", "/tmp"))
    local _, err = client:download(link "long", function()
      return nil, mine
    end)
    assert.equal(mine, err)
  end)

  it("goes on when it returns true, false or nothing", function()
    for _, value in ipairs { true, false } do
      local count = 0
      assert(client:download(link "video", function(chunk)
        count = count + #chunk
        return value
      end))
      assert.equal(SIZE, count)
    end
  end)

  it("raises an error in it to the caller, the error value unchanged", function()
    local mine = {}
    local ok, err = pcall(client.download, client, link "long", function()
      error(mine)
    end)
    assert.is_false(ok)
    assert.equal(mine, err)
  end)

  it("may yield to the program's own loop in it", function()
    local chunks, yields = {}, 0
    local thread = coroutine.create(function()
      return client:download(link "long", function(chunk)
        chunks[#chunks + 1] = chunk
        coroutine.yield("mine")
      end)
    end)
    local ok, what
    repeat
      ok, what = coroutine.resume(thread)
      assert(ok, what)
      if what == "mine" then
        yields = yields + 1
      elseif coroutine.status(thread) == "suspended" then
        host.sleep(1)
      end
    until coroutine.status(thread) == "dead"
    assert.equal(3000000, what.bytes)
    assert.is_true(yields > 1)
    assert_bytes(video.make(3000000), table.concat(chunks))
  end)

  it("says with received how much it was given when a body is short", function()
    local count = 0
    local err = assert_fault("protocol", "MP4", client:download(link "short", function(chunk)
      count = count + #chunk
    end))
    assert.equal(count, err.received)
  end)
end)

describe("download to a Lua file", function()
  it("writes to it and leaves it open", function()
    local path = folder:file("out.bin")
    local file <close> = assert(io.open(path, "wb"))
    assert(file:write("head:"))
    local info = assert(client:download(link "video", file))
    assert.same({ bytes = SIZE, content_type = "video/mp4" }, info)
    assert.equal("file", io.type(file))
    assert(file:write(":tail"))
    file:flush()
    assert_bytes("head:" .. video.make(SIZE) .. ":tail", contents(path))
  end)

  it("has handed everything to the system when it returns", function()
    local path = folder:file("out.bin")
    local file <close> = assert(io.open(path, "wb"))
    file:setvbuf("full", 1 << 20)
    assert(client:download(link "video", file))
    assert_bytes(video.make(SIZE), contents(path))
  end)

  it("that is a pipe writes to it as it takes the bytes", function()
    local path = folder:file("out.bin")
    local pipe = assert(io.popen("cat >" .. shell.quote(path), "w"))
    assert.equal(3000000, assert(client:download(link "long", pipe)).bytes)
    assert(pipe:close())
    assert_bytes(video.make(3000000), contents(path))
  end)

  it("writes nothing before the bytes are seen to be a video, in however small pieces", function()
    local path = folder:file("out.bin")
    local file <close> = assert(io.open(path, "wb"))
    for _, name in ipairs { "page", "pages", "json", "empty" } do
      assert_fault("protocol", "MP4", client:download(link(name), file))
      assert.equal("", contents(path))
    end
    assert(client:download(link "drops", file))
    assert_bytes(video.make(100), contents(path))
  end)

  it("that is full is kind io, also when the last bytes do not fit", function()
    local file <close> = assert(io.open("/dev/full", "wb"))
    assert_fault("io", "No space left", client:download(link "video", file))
    file:setvbuf("full", 1 << 20)
    assert_fault("io", "No space left", client:download(link "video", file))
  end)

  it("that can't be written is kind io", function()
    local file <close> = assert(io.open("/dev/null", "rb"))
    assert_fault("io", "writing failed", client:download(link "video", file))
  end)

  it("that is closed in the middle is kind io", function()
    local file = assert(io.open("/dev/null", "wb"))
    assert_fault("io", "closed", client:download(link "long", file, {
      on_progress = function()
        if io.type(file) == "file" then
          file:close()
        end
      end,
    }))
  end)

  it("that is closed already raises", function()
    local file = assert(io.open("/dev/null", "wb"))
    file:close()
    assert.error_matches(function()
      client:download(link "video", file)
    end, "closed")
  end)
end)

describe("the option", function()
  it("on_progress is told the bytes so far and their total, at last all", function()
    local calls = {}
    assert(client:download(link "long", folder:file("out.mp4"), {
      on_progress = function(received, total)
        calls[#calls + 1] = received
        assert.equal(3000000, total)
      end,
    }))
    assert.equal(3000000, calls[#calls])
    for i = 2, #calls do
      assert.is_true(calls[i] > calls[i - 1])
    end
  end)

  it("on_progress raises its error to the caller", function()
    assert.error_matches(function()
      client:download(link "long", folder:file("out.mp4"), {
        on_progress = function()
          error("enough")
        end,
      })
    end, "enough")
  end)

  -- FNV-1a, 64 bits.
  local function hash_of(bytes)
    local hash = -3750763034362895579
    for index = 1, #bytes do
      hash = (hash ~ bytes:byte(index)) * 1099511628211
    end
    return string.format("%016x", hash)
  end

  it("on_whole is told of the whole file before it has its name", function()
    local path, told = folder:file("out.mp4"), nil
    local info = assert(client:download(link "video", path, {
      on_progress = function() end,
      on_whole = function(bytes, hash)
        minimax.sleep(0.01)
        told = { bytes, hash, lfs.attributes(path), lfs.attributes(path .. ".part", "size") }
      end,
    }))
    assert.same({ SIZE, hash_of(video.make(SIZE)), nil, SIZE }, told)
    assert.equal(path, info.path)
  end)

  it("on_whole hashes what an earlier call left, too", function()
    local path = folder:file("out.mp4")
    local _, stopped = client:download(link "video", path, {
      on_whole = function() return nil, "not yet" end })
    assert_fault("io", "writing failed: not yet", _, stopped)
    assert.equal(SIZE, lfs.attributes(path .. ".part", "size"))
    assert.is_nil(lfs.attributes(path))
    local hash
    assert(client:download(link "video", path, {
      on_whole = function(_, its) hash = its end }))
    assert.equal(hash_of(video.make(SIZE)), hash)
    assert.equal(SIZE, lfs.attributes(path, "size"))
  end)

  it("on_whole raises its error to the caller, and wants a path", function()
    assert.error_matches(function()
      client:download(link "video", folder:file "out.mp4", { on_whole = function()
        error "enough"
      end })
    end, "enough")
    assert.is_nil(lfs.attributes(folder:file "out.mp4"))
    assert.error_matches(function()
      client:download(link "video", function() end, { on_whole = print })
    end, "on_whole wants a path")
  end)

  it("max_bytes ends a download that is larger", function()
    local path = folder:file("out.mp4")
    assert_fault("protocol", "max_bytes",
      client:download(link "video", path, { max_bytes = SIZE - 1 }))
    assert.is_nil(lfs.attributes(path))
    assert(client:download(link "video", path, { max_bytes = SIZE }))
  end)

  it("timeout ends it with kind timeout", function()
    local silent <close> = wire.start { steps = { { "read_request" }, { "hang" } } }
    local err = assert_fault("timeout", "timeout",
      client:download(silent.url .. "/video", folder:file("out.mp4"), { timeout = 0.05 }))
    assert.is_true(err.retryable)
  end)
end)

describe("misuse raises:", function()
  local function raises(pattern, ...)
    local arguments = table.pack(...)
    assert.error_matches(function()
      client:download(table.unpack(arguments, 1, arguments.n))
    end, pattern)
  end

  it("an unknown option, with the nearest one named", function()
    raises("on_progress", link "video", "x", { onprogress = print })
  end)

  it("a wrong type of an option", function()
    raises("max_bytes", link "video", "x", { max_bytes = "many" })
    raises("overwrite", link "video", "x", { overwrite = 1 })
  end)

  it("a wrong type of destination", function()
    raises("path, a function or an open file", link "video", 42)
    raises("path, a function or an open file", link "video", {})
    raises("path, a function or an open file", link "video")
  end)

  it("a path with a NUL byte", function()
    raises("NUL", link "video", "x\0y")
  end)

  it("nothing that could be downloaded", function()
    raises("a task", {}, "x")
    raises("must be a string", nil, "x")
    raises("must be a string", true, "x")
  end)
end)
