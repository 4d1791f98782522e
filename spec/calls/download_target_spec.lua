--- src/calls/download_target.c, src/net/part.c and src/net/rename.c: what a video is written to is
-- opened, locked and owned before anything is paid. Either nothing is submitted,
-- or the video arrives.

local api = require "spec.support.api"
local host = require "spec.support.host"
local lfs = require "lfs"
local minimax = require "minimax"
local native = require "spec.support.native"
local posix = native.module "posix"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"
local video = require "spec.support.video"

local REQUEST = { template_id = "393769180141805569", text_inputs = { "Lion" } }
local ACCEPTED = '{"task_id":"17","base_resp":{"status_code":0}}'
local PENDING = '{"task_id":"17","status":"Processing"}'
local VIDEO = { headers = { ["Content-Type"] = "video/mp4", ETag = '"1"' },
  body = video.make(5000) }

local IS_ROOT = io.popen("id -u"):read("l") == "0"

local server, folder, path, success

setup(function()
  server = api.start()
  success = '{"task_id":"17","status":"Success","video_url":"' .. server.url .. '/v.mp4"}'
end)

teardown(function()
  server:close()
end)

before_each(function()
  folder = temp.folder()
  path = folder:file "lion.mp4"
  server:answer(ACCEPTED, success, VIDEO)
end)

after_each(function()
  folder:close()
end)

local function run(command)
  assert(os.execute(command))
end

local function posts()
  local count = 0
  for _, request in ipairs(server:asked()) do
    count = count + (request.method == "POST" and 1 or 0)
  end
  return count
end

local function assert_refused(pattern, destination, options)
  local client <close> = server:client()
  local info, err = client:generate(REQUEST, destination or path, options)
  assert.is_nil(info)
  assert.equal("io", err.kind, tostring(err))
  assert.equal("download", err.stage)
  assert.matches(pattern, tostring(err))
  assert.is_nil(err.task)
  assert.equal(0, posts())
  return err
end

local function assert_arrives(destination)
  local client <close> = server:client()
  assert(client:generate(REQUEST, destination))
  assert.equal(1, posts())
  local file <close> = assert(io.open(destination, "rb"))
  assert.is_true(file:read("a") == VIDEO.body)
  file:close()
  os.remove(destination)
  assert.same({}, folder:names())
end

-- The same in a child of its own, with what is put before its command.
local function generate_in_child(words, env)
  local script = ([[
    local client = require "minimax".new { base_url = %q, api_key = "sk-spec-key",
      poll_interval = 0 }
    local info, err = client:generate({ template_id = "1" }, %q)
    io.write(info and info.bytes or err.kind, " ", tostring(err))
  ]]):format(server.url, path)
  local result = process.run(words and { command = table.move(process.lua, 1, #process.lua,
    #words + 1, words), env = env } or { script = script, env = env })
  return result, script
end

describe("a file system that", function()
  local arrives = {
    ["knows no locks"] = { "flock ENOLCK", "flock ENOSYS", "flock EOPNOTSUPP" },
    ["knows no fsync"] = { "fsync EINVAL", "fsync ENOSYS", "fsync EOPNOTSUPP" },
    ["is interrupted"] = { "open EINTR 1", "open EINTR 2", "open EINTR 3", "flock EINTR 1",
      "flock EINTR 5", "ftruncate EINTR 1", "pwrite EINTR 1", "fsync EINTR 1", "fsync EINTR 2",
      "rename EINTR 1" },
  }
  for what, faults in pairs(arrives) do
    it(what .. " brings the video all the same", function()
      for _, fault in ipairs(faults) do
        server:answer(ACCEPTED, success, VIDEO)
        local result = generate_in_child(nil, { LD_PRELOAD = native.library "faulty",
          FAULTY = fault })
        assert.equal("5000 minimax.status", result.out:match "^%d+ [%w.]*", fault .. result.err
          .. result.out)
        assert.is_true(folder:read "lion.mp4" == VIDEO.body, fault)
        assert.same({ "lion.mp4" }, folder:names())
        assert.equal(1, posts())
        os.remove(path)
      end
    end)
  end

  it("fails is refused before the submit", function()
    for _, fault in ipairs { "flock EIO", "open EIO", "open EMFILE", "open ENOSPC",
      "ftruncate EIO" } do
      server:answer(ACCEPTED, success, VIDEO)
      local result = generate_in_child(nil, { LD_PRELOAD = native.library "faulty",
        FAULTY = fault })
      assert.matches("^io ", result.out, fault .. result.err)
      assert.equal(0, posts(), fault)
      assert.same({}, folder:names())
    end
  end)

  it("knows no locks never leads two downloads into one file", function()
    local result = process.run { env = { LD_PRELOAD = native.library "faulty",
      FAULTY = "flock ENOLCK" }, script = ([[
      local wire = require "spec.support.wire"
      local minimax = require "minimax"
      local video = require "spec.support.video"
      local storage = require "spec.support.storage"
      local url, path = %q, %q
      local server <close> = wire.start { serve = storage.script {
        a = { { size = 200000, seed = 1, etag = '"v"', piece = 20000, pause = 0.01 } },
        b = { { size = 200000, seed = 2, etag = '"v"', piece = 20000, pause = 0.01 } } } }
      local client = minimax.new { base_url = server.url, api_key = "sk-spec-key", retries = 0 }
      local good = 0
      minimax.run(function()
        for i, name in ipairs { "a", "b" } do
          minimax.spawn(function()
            minimax.sleep(i * 0.03)
            if client:download(server.url .. "/" .. name, path) then
              good = good + 1
              local file <close> = io.open(path, "rb")
              local bytes = file:read("a")
              assert(bytes == video.make(200000, 1) or bytes == video.make(200000, 2), "mixed")
            end
          end)
        end
      end)
      io.write(good)
    ]]):format(server.url, path) }
    assert.equal("", result.err)
    assert.matches("^[12]$", result.out)
  end)
end)

describe("generate refuses before it pays", function()
  it("a .part that is a folder, a pipe, a link or a socket", function()
    local part = path .. ".part"
    assert(lfs.mkdir(part))
    assert_refused "in the way"
    assert(lfs.rmdir(part))
    run("mkfifo " .. shell.quote(part))
    assert_refused "in the way"
    os.remove(part)
    assert(lfs.link(folder:write("victim", "precious"), part, true))
    assert_refused "in the way"
    assert(lfs.link("/nowhere/at/all", part .. "2", true))
    assert(os.rename(part .. "2", part))
    assert_refused "in the way"
    assert.equal("precious", folder:read "victim")
  end)

  it("a .part that another download writes", function()
    local client <close> = server:client()
    server:answer { hang = true }
    local thread = coroutine.create(client.download)
    assert(coroutine.resume(thread, client, server.url .. "/v.mp4", path))
    assert_refused "another download"
    coroutine.close(thread)
  end)

  it("a .part of another user, and leaves it alone", function()
    if not IS_ROOT then
      return pending "only root can give files away"
    end
    folder:write("lion.mp4.part", "")
    run("chown 65534 " .. shell.quote(path .. ".part"))
    assert_refused "in the way"
    assert.equal(65534, lfs.attributes(path .. ".part", "uid"))
    assert.same({ "lion.mp4.part" }, folder:names())
  end)

  it("names that are too long, and folders that are not there", function()
    assert_refused("too long", folder:file(("n"):rep(256)))
    assert_refused("too long", folder:file(("x/"):rep(3000) .. "a"))
    assert_refused("No such file", folder:file "no/lion.mp4")
  end)

  it("a file that is mounted, which nothing can take the place of", function()
    folder:write("source", "content")
    folder:write("lion.mp4", "old")
    local _, script = generate_in_child()
    os.remove(path)
    folder:write("lion.mp4", "old")
    server:answer(ACCEPTED, success, VIDEO)
    local words = { "unshare", "-m", "sh", "-c",
      'mount --bind "$1" "$2" || exit 77; shift 2; exec "$@"', "sh", folder:file "source", path }
    table.move(process.lua, 1, #process.lua, #words + 1, words)
    table.move({ "-e", script }, 1, 2, #words + 1, words)
    local result = process.run { command = words }
    if result.code == 77 or result.err:find("unshare", 1, true) then
      return pending "this machine does not let the specs mount a file"
    end
    assert.matches("^io .*can't be replaced", result.out, result.err)
    assert.equal(0, posts())
  end)

  it("another user's file in a folder such as /tmp", function()
    if not IS_ROOT then
      return pending "only root can give files away"
    end
    local _, script = generate_in_child()
    os.remove(path)
    folder:write("lion.mp4", "old")
    run("chmod 1777 " .. shell.quote(folder.path))
    server:answer(ACCEPTED, success, VIDEO)
    local words = { "setpriv", "--reuid=65534", "--clear-groups" }
    table.move(process.lua, 1, #process.lua, #words + 1, words)
    table.move({ "-e", script }, 1, 2, #words + 1, words)
    local result = process.run { command = words }
    if result.err:find("module 'minimax' not found", 1, true) then
      return pending "another user can't read the built tree"
    end
    assert.matches("^io .*can't be replaced", result.out, result.err)
    assert.equal(0, posts())
    assert.equal("old", folder:read "lion.mp4")
  end)
end)

describe("generate", function()
  it("writes to names of every length that a file can have", function()
    for length = 240, 255 do
      server:answer(ACCEPTED, success, VIDEO)
      assert_arrives(folder:file(("n"):rep(length)))
    end
    server:answer(ACCEPTED, success, VIDEO)
    assert_arrives(folder:file(("\u{20AC}"):rep(85)))
  end)

  it("resumes under the longest of names, and keeps such names apart", function()
    local client <close> = server:client { retries = 0 }
    local first, second = folder:file(("n"):rep(254) .. "1"), folder:file(("n"):rep(254) .. "2")
    local cut = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 5000\r\n\r\n"
      .. VIDEO.body:sub(1, 2000)
    server:answer({ raw = cut }, { status = 206, body = VIDEO.body:sub(2001),
      headers = { ETag = '"1"', ["Content-Range"] = "bytes 2000-4999/5000" } })
    assert.is_nil((client:download(server.url .. "/v.mp4", first)))
    assert.equal(2, #folder:names())
    for _, name in ipairs(folder:names()) do
      assert.is_true(#name <= 255 and not name:find("\xE2$"))
    end
    assert.equal(2000, assert(client:download(server.url .. "/v.mp4", first)).resumed_from)
    server:answer(VIDEO)
    assert.is_nil(assert(client:download(server.url .. "/v.mp4", second)).resumed_from)
  end)

  it("owns the file while it waits, and lets go of it in the end", function()
    local client <close> = server:client { poll_interval = 0.02 }
    server:answer(ACCEPTED, PENDING)
    local thread = coroutine.create(client.generate)
    assert(coroutine.resume(thread, client, REQUEST, path))
    repeat
      assert(coroutine.resume(thread))
      host.sleep(1)
    until #server:asked() >= 2
    assert.same({ "lion.mp4.part" }, folder:names())
    local _, err = client:download(server.url .. "/v.mp4", path)
    assert.equal("io", err.kind)
    assert.matches("another download", err.message)
    coroutine.close(thread)
    assert.same({}, folder:names())
  end)

  it("lets go of it where it is dropped, fails, or its options are wrong", function()
    local client <close> = server:client { poll_interval = 0.02 }
    server:answer(ACCEPTED, PENDING)
    local thread = coroutine.create(client.generate)
    assert(coroutine.resume(thread, client, REQUEST, path))
    thread = nil -- luacheck: no unused
    collectgarbage()
    collectgarbage()
    assert.same({}, folder:names())
    server:answer '{"base_resp":{"status_code":1026,"status_msg":"sensitive"}}'
    assert.equal("content", select(2, client:generate(REQUEST, path)).kind)
    assert.same({}, folder:names())
    assert.is_false(pcall(client.generate, client, { [{}] = 1 }, path, { timeout = 0.01, x = 1 }))
    assert(client:generate(REQUEST, path, { dry_run = true }))
    assert.same({}, folder:names())
    server:answer(ACCEPTED, PENDING)
    assert.equal("timeout", select(2, client:generate(REQUEST, path, { timeout = 0.05 })).kind)
    assert.same({}, folder:names())
  end)

  it("leaves what an earlier download began, until it knows better", function()
    folder:write("lion.mp4.part", VIDEO.body:sub(1, 1000))
    folder:write("lion.mp4.part.etag", '"1"\n' .. server.url .. "/v.mp4\n5000\n")
    local client <close> = server:client()
    server:answer '{"base_resp":{"status_code":1026,"status_msg":"sensitive"}}'
    assert.equal("content", select(2, client:generate(REQUEST, path)).kind)
    assert.equal(1000, #folder:read "lion.mp4.part")
    assert.same({ "lion.mp4.part", "lion.mp4.part.etag" }, folder:names())
  end)

  it("keeps its file though a forked child ends", function()
    local client <close> = server:client { poll_interval = 0.02 }
    server:answer(ACCEPTED, PENDING)
    local thread = coroutine.create(client.generate)
    assert(coroutine.resume(thread, client, REQUEST, path))
    local pid = posix.fork()
    if pid == 0 then
      thread = nil -- luacheck: no unused
      collectgarbage()
      collectgarbage()
      posix.exit("0")
    end
    assert.equal(0, posix.wait(pid))
    assert.same({ "lion.mp4.part" }, folder:names())
    local _, err = minimax.new { base_url = server.url, api_key = "sk" }
      :download(server.url .. "/v.mp4", path)
    assert.matches("another download", tostring(err))
    coroutine.close(thread)
  end)
end)
