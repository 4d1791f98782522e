--- src/net/part.c: the file a download is written to, `<path>.part` beside it, its
-- lock, and what a full or read-only disk makes of it.

local lfs = require "lfs"
local host = require "spec.support.host"
local minimax = require "minimax"
local native = require "spec.support.native"
local posix = native.module "posix"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local storage = require "spec.support.storage"
local temp = require "spec.support.temp"
local video = require "spec.support.video"
local wire = require "spec.support.wire"

local SIZE = 300000

-- Sends the half of a file, and the rest once the spec says so.
local HALF = [[
  local connection = ...
  local bytes = require "spec.support.video".make(300000)
  while connection:read_request() do
    connection:send('HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 300000\r\n\r\n')
    connection:send(bytes:sub(1, 150000))
    connection:await "rest"
    connection:send(bytes:sub(150001))
  end
]]

local folder, path

local function contents(name)
  local file <close> = assert(io.open(name, "rb"))
  return file:read("a")
end

local function assert_file(seed)
  local got = contents(path)
  assert.equal(SIZE, #got)
  assert.is_true(got == video.make(SIZE, seed), "the bytes differ")
end

local function assert_fault(pattern, result, err)
  assert.is_nil(result)
  assert.equal("io", err.kind, tostring(err))
  assert.matches(pattern, tostring(err))
  return err
end

local function client_of(server)
  return minimax.new { base_url = server.url, api_key = "sk-spec-key", retries = 0 }
end

-- A download in a coroutine, at the moment when its first bytes are written.
local function begin(client, link, file)
  local written
  local thread = coroutine.create(function()
    return client:download(link, file, { on_progress = function(received)
      written = received
    end })
  end)
  repeat
    assert(coroutine.resume(thread))
    host.sleep(1)
  until written
  return thread
end

local function finish(thread)
  local results
  repeat
    results = table.pack(coroutine.resume(thread))
    assert(results[1], results[2])
    host.sleep(1)
  until coroutine.status(thread) == "dead"
  return table.unpack(results, 2, results.n)
end

before_each(function()
  folder = temp.folder()
  path = folder:file("out.mp4")
end)

after_each(function()
  folder:close()
end)

describe("while it is written, a file", function()
  it("stands under <path>.part and not under its final name", function()
    local server <close> = wire.start { serve = HALF }
    local client <close> = client_of(server)
    local thread = begin(client, server.url .. "/a", path)
    assert.same({ "out.mp4.part", "out.mp4.part.etag" }, folder:names())
    server:tell("rest")
    assert(finish(thread))
    assert.same({ "out.mp4" }, folder:names())
    assert_file()
  end)

  it("is locked: a second writer gets kind io, and the first ends well", function()
    local server <close> = wire.start { serve = HALF }
    local client <close> = client_of(server)
    local thread = begin(client, server.url .. "/a", path)
    assert_fault("another download", client:download(server.url .. "/a", path))
    server:tell("rest")
    assert(finish(thread))
    assert_file()
  end)

  it("is locked against other processes as well", function()
    local server <close> = wire.start { serve = HALF }
    local client <close> = client_of(server)
    local thread = begin(client, server.url .. "/a", path)
    local result = process.run { script = ([[
      local client = require "minimax".new { base_url = %q, api_key = "sk-spec-key" }
      print(select(2, client:download(%q, %q)).kind)
    ]]):format(server.url, server.url .. "/a", path) }
    assert.equal("io\n", result.out, result.err)
    server:tell("rest")
    assert(finish(thread))
    assert_file()
  end)

  it("is free again once its download is closed, and is resumed", function()
    local server <close> = wire.start { serve = HALF }
    local client <close> = client_of(server)
    local thread = begin(client, server.url .. "/a", path)
    coroutine.close(thread)
    assert.same({ "out.mp4.part", "out.mp4.part.etag" }, folder:names())
    server:tell("rest")
    assert(client:download(server.url .. "/a", path))
    assert_file()
  end)

  it("is free again once its download ended, though a forked child lives on", function()
    local server <close> = wire.start { serve = HALF }
    local client <close> = client_of(server)
    local thread = begin(client, server.url .. "/a", path)
    local gate = folder:file("gate")
    assert(os.execute("mkfifo " .. shell.quote(gate)))
    local pid = posix.fork()
    if pid == 0 then
      io.open(gate, "r"):read("a")
      posix.exit("0")
    end
    coroutine.close(thread)
    server:tell("rest")
    local info, err = client:download(server.url .. "/a", path)
    assert(io.open(gate, "w")):close()
    assert.equal(0, posix.wait(pid))
    assert(info, err)
    assert_file()
  end)

  it("is free again once its process is gone", function()
    local server <close> = wire.start { serve = HALF }
    local child <close> = process.start { script = ([[
      local client = require "minimax".new { base_url = %q, api_key = "sk-spec-key" }
      io.stdout:setvbuf "line"
      client:download(%q, %q, { on_progress = print })
    ]]):format(server.url, server.url .. "/a", path) }
    child:read("l")
    child:signal("KILL")
    child:finish()
    server:tell("rest")
    local client <close> = client_of(server)
    assert(client:download(server.url .. "/a", path))
    assert_file()
  end)
end)

describe("a download", function()
  local server, client

  setup(function()
    server = wire.start { serve = storage.script { a = { { size = SIZE } },
      b = { { size = SIZE, seed = 2 } }, page = { { body = "<html>" } } } }
    client = client_of(server)
  end)

  teardown(function()
    client:close()
    server:stop()
  end)

  it("of two to one path at once: one writes, the other gets kind io", function()
    local good, bad = 0, 0
    minimax.run(function()
      for _ = 1, 8 do
        minimax.spawn(function()
          local info, err = client:download(server.url .. "/a", path)
          if info then
            good = good + 1
          else
            assert_fault("another download", info, err)
            bad = bad + 1
          end
        end)
      end
    end)
    assert.is_true(good >= 1)
    assert.equal(8, good + bad)
    assert_file()
    assert.same({ "out.mp4" }, folder:names())
  end)

  it("does not write through a symbolic link that stands as its .part", function()
    local victim = folder:write("victim", "precious")
    assert(lfs.link(victim, path .. ".part", true))
    assert_fault("in the way", client:download(server.url .. "/a", path))
    assert.equal("precious", folder:read("victim"))
  end)

  it("does not write through a symbolic link that stands as its note", function()
    local victim = folder:write("victim", "precious")
    assert(lfs.link(victim, path .. ".part.etag", true))
    assert(client:download(server.url .. "/a", path))
    assert.equal("precious", folder:read("victim"))
    assert_file()
  end)

  -- Such a pair is left by a kill between the link and the unlink that rename
  -- without replacing.
  it("does not write to a whole file of which its .part is a second name", function()
    local victim = folder:write("victim.mp4", video.make(SIZE, 3))
    assert(lfs.link(victim, path .. ".part"))
    assert.is_nil((client:download(server.url .. "/page", path)))
    assert.is_true(contents(victim) == video.make(SIZE, 3))
    assert(lfs.link(victim, path .. ".part"))
    assert.is_nil(assert(client:download(server.url .. "/a", path)).resumed_from)
    assert.is_true(contents(victim) == video.make(SIZE, 3))
    assert_file()
  end)

  it("leaves alone what stands as its .part and is no regular file", function()
    assert(lfs.mkdir(path .. ".part"))
    assert_fault("", client:download(server.url .. "/a", path))
    assert.equal("directory", lfs.attributes(path .. ".part", "mode"))
    lfs.rmdir(path .. ".part")
    assert(os.execute("mkfifo " .. shell.quote(path .. ".part")))
    assert_fault("regular", client:download(server.url .. "/a", path))
    assert.equal("named pipe", lfs.attributes(path .. ".part", "mode"))
  end)

  it("replaces a symbolic link, and not what that leads to", function()
    local other = folder:write("other", "mine")
    assert(lfs.link(other, path, true))
    assert(client:download(server.url .. "/a", path))
    assert.equal("mine", folder:read("other"))
    assert_file()
  end)

  it("gives the file the rights that the umask leaves", function()
    assert(client:download(server.url .. "/a", path))
    local probe = folder:write("probe", "")
    assert.equal(lfs.attributes(probe, "permissions"), lfs.attributes(path, "permissions"))
  end)

  it("knows relative paths", function()
    local result = process.run { directory = folder.path, env = {
      LUA_PATH = os.getenv("LUA_PATH"), LUA_CPATH = os.getenv("LUA_CPATH") },
      script = ([[
        local client = require "minimax".new { base_url = %q, api_key = "sk-spec-key" }
        assert(client:download(%q, "out.mp4"))
        assert(client:download(%q, "./other.mp4"))
      ]]):format(server.url, server.url .. "/a", server.url .. "/b") }
    assert.equal(0, result.code, result.err)
    assert.same({ "other.mp4", "out.mp4" }, folder:names())
    assert_file()
  end)

  it("removes an empty .part of its own, and no other", function()
    client:download(server.url .. "/page", path)
    assert.same({}, folder:names())
    folder:write("out.mp4.part", video.make(SIZE):sub(1, 1000))
    folder:write("out.mp4.part.etag", '"1"\n' .. server.url .. "/gone\n*\n")
    assert.is_nil((client:download(server.url .. "/gone", path)))
    assert.same({ "out.mp4.part", "out.mp4.part.etag" }, folder:names())
  end)

  it("whose folder vanishes before the end is kind io", function()
    local half <close> = wire.start { serve = HALF }
    local own <close> = client_of(half)
    lfs.mkdir(folder:file("sub"))
    local thread = begin(own, half.url .. "/a", folder:file("sub/out.mp4"))
    assert(os.rename(folder:file("sub"), folder:file("moved")))
    half:tell("rest")
    assert_fault("No such file", finish(thread))
    assert.is_nil(lfs.attributes(folder:file("moved/out.mp4")))
  end)

  it("whose .part is taken away or replaced before the end is kind io", function()
    for _, change in ipairs { os.remove, function(name)
      os.remove(name)
      local file <close> = assert(io.open(name, "wb"))
      file:write("something else")
    end } do
      local half <close> = wire.start { serve = HALF }
      local own <close> = client_of(half)
      local thread = begin(own, half.url .. "/a", path)
      change(path .. ".part")
      half:tell("rest")
      assert_fault("No such file", finish(thread))
      assert.is_nil(lfs.attributes(path))
      os.remove(path .. ".part")
    end
  end)

  it("whose final name becomes a folder before the end is kind io", function()
    local half <close> = wire.start { serve = HALF }
    local own <close> = client_of(half)
    local thread = begin(own, half.url .. "/a", path)
    assert(lfs.mkdir(path))
    half:tell("rest")
    assert_fault("", finish(thread))
    assert.equal("directory", lfs.attributes(path, "mode"))
  end)
end)

describe("a disk that fails to sync", function()
  it("is kind io, and nothing of what was written is trusted: it is fetched again", function()
    local server <close> = wire.start { serve = storage.script { a = { { size = SIZE } } } }
    local result = process.run { env = { LD_PRELOAD = native.library "faulty",
      FAULTY = "fsync EIO 1" }, script = ([[
        local client = require "minimax".new { base_url = %q, api_key = "sk-spec-key" }
        local info, err = client:download(%q, %q)
        print(info, err.kind, err.message)
        local file = io.open(%q)
        print(file and file:seek "end")
        info = assert(client:download(%q, %q))
        print(info.bytes, info.resumed_from)
      ]]):format(server.url, server.url .. "/a", path, path .. ".part", server.url .. "/a",
        path) }
    assert.matches("^nil\tio\t.*can't be written: Input/output error\nnil\n300000\tnil\n$",
      result.out, result.err)
    assert.is_nil(server:requests()[2].headers.range)
    assert_file()
  end)
end)

-- In a mount namespace of its own, where that is allowed: nothing of it is
-- left, whatever happens.
describe("a small disk", function()
  local server

  setup(function()
    server = wire.start { serve = storage.script { a = { { size = 3000000 } } } }
  end)

  teardown(function()
    server:stop()
  end)

  local function on_disk(options, script)
    local inner = 'mount -t tmpfs -o "$1" spec "$2" || exit 77; shift 2; exec "$@"'
    local words = { "unshare", "-m", "sh", "-c", inner, "sh", options, folder.path,
      "env", "LD_PRELOAD=" .. (os.getenv("LD_PRELOAD") or ""), shell.interpreter(), "-e", script }
    local result = process.run { command = words }
    if result.code == 77 or result.err:find("unshare", 1, true) then
      return nil
    end
    assert.equal(0, result.code, result.err)
    return result.out
  end

  it("that is full is kind io; what fits is kept and resumed on a larger one", function()
    local out = on_disk("size=1m", ([[
      local lfs = require "lfs"
      local minimax = require "minimax"
      local path = %q
      local client = minimax.new { base_url = %q, api_key = "sk-spec-key" }
      local info, err = client:download(%q, path)
      print(info, err.kind, err.message)
      print(lfs.attributes(path), lfs.attributes(path .. ".part", "size") > 900000)
      assert(os.execute("mount -o remount,size=8m " .. %q))
      info = assert(client:download(%q, path))
      print(info.bytes, info.resumed_from > 900000)
      local file = io.open(path, "rb")
      print(file:read("a") == require "spec.support.video".make(3000000))
    ]]):format(path, server.url, server.url .. "/a", folder.path, server.url .. "/a"))
    if not out then
      return pending("this machine does not let the specs mount a disk")
    end
    assert.matches("^nil\tio\twriting failed: No space left on device\nnil[^\n]*\ttrue\n", out)
    assert.matches("3000000\ttrue\ntrue\n$", out)
  end)

  it("that can't be written is kind io", function()
    local out = on_disk("ro,size=1m", ([[
      local client = require "minimax".new { base_url = %q, api_key = "sk-spec-key" }
      local info, err = client:download(%q, %q)
      print(info, err.kind, err.message)
    ]]):format(server.url, server.url .. "/a", path))
    if not out then
      return pending("this machine does not let the specs mount a disk")
    end
    assert.matches("^nil\tio\t.*Read%-only file system", out)
  end)
end)
