--- src/calls/download_fetch.c, src/net/response.c and sink.c: what an earlier call
-- left behind and the host's word about it. It is resumed where both speak of one resource,
-- else begun anew; it never ends as a short or a mixed file.

local downloads = require "spec.support.downloads"
local minimax = require "minimax"
local process = require "spec.support.process"
local storage = require "spec.support.storage"
local temp = require "spec.support.temp"
local video = require "spec.support.video"
local wire = require "spec.support.wire"

local SIZE = 5000
local ROUNDS, SEED = 300, 20261126

local folder, path

local function start(plan)
  return wire.start { serve = storage.script(plan) }
end

local function client_of(server, options)
  local merged = { base_url = server.url, api_key = "sk-spec-key", retries = 0 }
  for name, value in pairs(options or {}) do
    merged[name] = value
  end
  return minimax.new(merged)
end

before_each(function()
  folder = temp.folder()
  path = folder:file("out.mp4")
end)

after_each(function()
  folder:close()
end)


local function assert_file(seed, size)
  assert.is_true(folder:read("out.mp4") == video.make(size or SIZE, seed), "other bytes")
  assert.same({ "out.mp4" }, folder:names())
end

local function ranges_of(server)
  local list = {}
  for i, request in ipairs(server:requests()) do
    list[i] = request.headers.range or "whole"
  end
  return list
end

-- What an earlier call left behind.
local function leave(server, bytes, link, total)
  folder:write("out.mp4.part", bytes)
  folder:write("out.mp4.part.etag", ('"1"\n%s/%s\n%s\n'):format(server.url, link or "a",
    total or SIZE))
end

local WHOLE = { size = SIZE }
local HALF = { size = SIZE, cut = SIZE // 2 }

describe("an entity tag holds for one resource:", function()
  -- Both links have the same one, and both files the same size.
  local function download_both(first, second)
    local host = { size = SIZE, etag = '"v1"', cut = SIZE // 2, seed = 1 }
    local other = { size = SIZE, etag = '"v1"', seed = 2 }
    local server <close> = start { a = { host, other, other }, b = { other } }
    local client <close> = client_of(server)
    local _, err = client:download(server.url .. first, path)
    assert.equal("network", err.kind)
    local info = assert(client:download(server.url .. second, path))
    return info.resumed_from, ranges_of(server)
  end

  for what, links in pairs {
    ["another query"] = { "/a?id=1", "/a?id=2" },
    ["another path"] = { "/a", "/b" },
    ["a query where was none"] = { "/a", "/a?id=1" },
    ["another query beside the same signature"] = { "/a?id=1&sign=x", "/a?id=2&sign=x" },
    ["a parameter that begins as a signature does"] = { "/a?signs=1", "/a?signs=2" },
    ["another way of processing"] = { "/a?x-oss-process=a", "/a?x-oss-process=b" },
  } do
    it(what .. " is another", function()
      local from, ranges = download_both(links[1], links[2])
      assert.is_nil(from)
      assert.same({ "whole", "whole" }, ranges)
      assert_file(2)
    end)
  end

  for _, parameter in ipairs { "Expires", "Signature", "OSSAccessKeyId", "security-token",
    "X-Amz-Signature", "X-Amz-Date", "x-amz-expires", "X-Goog-Credential", "x-oss-signature",
    "x-oss-expires", "x-oss-signature-version", "X-Tos-Algorithm", "Key-Pair-Id", "Policy",
    "auth_key", "token", "q-sign-time", "q-ak", "sig" } do
    it("another " .. parameter .. " is another signature, not another resource", function()
      local server <close> = start { a = { HALF, WHOLE } }
      local client <close> = client_of(server)
      local link = server.url .. "/a?id=1&" .. parameter .. "="
      assert.is_nil((client:download(link .. "first", path)))
      assert.is_nil(folder:read("out.mp4.part.etag"):find("first", 1, true))
      assert.equal(SIZE // 2, assert(client:download(link .. "second%2F&", path)).resumed_from)
      assert_file()
    end)
  end

  it("another host is another, the case of its name and its own port are not", function()
    local server <close> = start { a = { HALF, WHOLE, HALF, WHOLE } }
    local client <close> = client_of(server)
    local link = server.url:gsub("127.0.0.1", "localhost") .. "/a"
    assert.is_nil((client:download(link, path)))
    assert.is_nil(assert(client:download(server.url .. "/a", path)).resumed_from)
    assert.is_nil((client:download(link, path)))
    link = link:gsub("localhost", "u:p@LocalHost") .. "#fragment"
    assert.equal(SIZE // 2, assert(client:download(link, path)).resumed_from)
  end)

  it("what a link redirects to counts, not the link", function()
    local server <close> = start {
      latest = { { status = 302, headers = { Location = "/a" } },
        { status = 302, headers = { Location = "/a?Expires=2" } },
        { status = 302, headers = { Location = "/b" } } },
      a = { HALF, { size = SIZE, cut = SIZE // 2 + 100 } }, b = { { size = SIZE, seed = 2,
        etag = '"1"' } } }
    local client <close> = client_of(server)
    for _ = 1, 2 do
      assert.is_nil((client:download(server.url .. "/latest", path)))
    end
    assert.is_nil(assert(client:download(server.url .. "/latest", path)).resumed_from)
    assert.same({ "whole", "whole", "whole", "bytes=2500-", "whole", "whole" },
      ranges_of(server))
    assert_file(2)
  end)

  it("within one call as well: a renewed link that leads elsewhere is read from its start",
    function()
      local function status(link)
        return { status = 200, body = '{"status":"Success","video_url":"{origin}' .. link .. '"}' }
      end
      local server <close> = start {
        v1 = { status "/a", status "/b" },
        a = { HALF, { status = 403 } }, b = { { size = SIZE, seed = 2, etag = '"1"' } },
      }
      local client <close> = client_of(server, { retries = 1 })
      assert.is_nil(assert(client:download("17", path)).resumed_from)
      assert_file(2)
    end)

  it("and what was handed over stays what it is", function()
    local server <close> = start {
      latest = { { status = 302, headers = { Location = "/a" } },
        { status = 302, headers = { Location = "/b" } } },
      a = { { size = 1000000, cut = 600000 }, { status = 403 } },
      b = { { size = 1000000, seed = 2, etag = '"1"' } } }
    local client <close> = client_of(server, { retries = 1 })
    local chunks = {}
    local _, err = client:download(server.url .. "/latest", function(chunk)
      chunks[#chunks + 1] = chunk
    end)
    assert.equal("protocol", err.kind)
    assert.matches("can't be taken back", err.message)
    local got = table.concat(chunks)
    assert.equal(err.received, #got)
    assert.is_true(video.make(1000000):sub(1, #got) == got)
  end)
end)

describe("a file is whole at the size that was announced:", function()
  it("a host that says later that it is shorter is begun anew", function()
    for _, headers in ipairs { { ["Content-Range"] = "bytes */24" },
      { ["Content-Range"] = "bytes */24", ETag = '"1"' } } do
      local server <close> = start { a = { { size = SIZE, cut = 24 },
        { status = 416, headers = headers }, WHOLE } }
      local client <close> = client_of(server)
      for _, options in ipairs { { verify = false }, {} } do
        local info = client:download(server.url .. "/a", path, options)
        if info then
          assert.equal(SIZE, info.bytes)
        else
          assert.is_nil(folder:read("out.mp4"))
        end
      end
      assert_file()
      os.remove(path)
    end
  end)

  it("a file of no announced size is whole by the host's word for its entity tag alone", function()
    for _, etag in ipairs { '"1"', false } do
      local gone = { status = 416, headers = { ["Content-Range"] = "bytes */" .. SIZE,
        ETag = etag or nil } }
      local server <close> = start { a = { gone, WHOLE } }
      local client <close> = client_of(server)
      leave(server, video.make(SIZE), "a", "*")
      assert.equal(etag and SIZE or nil,
        assert(client:download(server.url .. "/a", path)).resumed_from)
      assert_file()
      os.remove(path)
    end
  end)

  it("a last box that runs to the end needs an announced length", function()
    local open = video.make(SIZE):gsub("....mdat", "\0\0\0\0mdat", 1)
    local server <close> = wire.start { serve = ([[
      local connection = ...
      connection:read_request()
      connection:send "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
      connection:send(%q)
    ]]):format(open) }
    local client <close> = client_of(server)
    local _, err = client:download(server.url .. "/a", path)
    assert.equal("protocol", err.kind)
    assert.same({}, folder:names())
    local proper <close> = start { a = { { body = open } } }
    assert(client_of(proper):download(proper.url .. "/a", path))
    assert.is_true(folder:read("out.mp4") == open)
  end)

  it("a .part that is longer than its note says is begun anew", function()
    local server <close> = start { a = { WHOLE } }
    leave(server, video.make(SIZE) .. "more")
    assert(client_of(server):download(server.url .. "/a", path))
    assert.same({ "whole" }, ranges_of(server))
    assert_file()
  end)

  it("a rest that is longer than announced is begun anew", function()
    local server <close> = start { a = { { status = 206, body = ("x"):rep(5000), headers = {
      ["Content-Range"] = "bytes 2500-4999/5000", ETag = '"1"' } }, WHOLE } }
    leave(server, video.make(SIZE):sub(1, 2500))
    assert(client_of(server):download(server.url .. "/a", path, { verify = false }))
    assert_file()
  end)
end)

describe("a .part that can't be gone on with is begun anew at once:", function()
  local part = { ["Content-Range"] = "bytes 5000-4999/5000", ETag = '"1"' }
  for what, case in pairs {
    ["whole, and the rest an empty 206"] = { SIZE, { status = 206, headers = part } },
    ["whole, and a 206 without a word"] = { SIZE, { status = 206 } },
    ["whole, and a 416 without a size"] = { SIZE, { status = 416 } },
    ["412 to If-Range"] = { 2500, { status = 412 } },
    ["a file that became shorter"] = { 2500, { status = 416, headers = {
      ["Content-Range"] = "bytes */900" } } },
    ["a file that became longer"] = { SIZE, { status = 416, headers = {
      ["Content-Range"] = "bytes */6000" } } },
    ["a rest of another total"] = { 2500, { status = 206, body = ("x"):rep(2501), headers = {
      ["Content-Range"] = "bytes 2500-5000/5001", ETag = '"1"' } } },
    ["a rest that is packed"] = { 2500, { status = 206, body = ("x"):rep(2500), headers = {
      ["Content-Range"] = "bytes 2500-4999/5000", ETag = '"1"', ["Content-Encoding"] = "gzip" } } },
    ["a rest in which no box begins where one must"] = { 32, { status = 206,
      body = ("\1"):rep(SIZE - 32), headers = { ["Content-Range"] = "bytes 32-4999/5000",
        ETag = '"1"' } } },
  } do
    it(what, function()
      local server <close> = start { a = { case[2], { size = SIZE, seed = 2 } } }
      leave(server, video.make(SIZE):sub(1, case[1]))
      local delays = {}
      local client <close> = client_of(server, { on_event = function(event)
        if event.type == "retry" then
          delays[#delays + 1] = event.delay
        end
      end })
      local info = assert(client:download(server.url .. "/a", path))
      assert.is_nil(info.resumed_from)
      assert.same({ "bytes=" .. case[1] .. "-", "whole" }, ranges_of(server))
      assert.same({ 0.0 }, delays)
      assert_file(2)
    end)
  end

  it("a host that never brings the rest ends as an error, not in a circle", function()
    local server <close> = start { a = { { status = 206 } } }
    leave(server, video.make(SIZE):sub(1, 100))
    local _, err = client_of(server, { retries = 2 }):download(server.url .. "/a", path)
    assert.equal("protocol", err.kind)
    assert.equal(4, #server:requests())
  end)
end)

describe("a function that has not looked yet", function()
  it("is given the file that began anew, and nothing of the other", function()
    local server <close> = wire.start { serve = [[
      local connection, shared = ...
      local video = require "spec.support.video"
      connection:read_request()
      if not shared.before then
        shared.before = true
        connection:send 'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 5000\r\n\r\n'
        connection:send(video.make(5000):sub(1, 500))
        return connection:close()
      end
      local bytes = video.make(5000, 2)
      connection:send 'HTTP/1.1 200 OK\r\nETag: "2"\r\nContent-Length: 5000\r\n\r\n'
      connection:send(bytes:sub(1, 1)) -- too little to be handed over
      connection:await "looked"
      connection:send(bytes:sub(2))
    ]] }
    local client <close> = client_of(server, { retries = 1 })
    local chunks = {}
    local thread = coroutine.create(client.download)
    assert(coroutine.resume(thread, client, server.url .. "/a", function(chunk)
      chunks[#chunks + 1] = chunk
    end))
    repeat
      minimax.step(0.01)
    until #server:requests() == 2
    for _ = 1, 20 do
      minimax.step(0.01)
    end
    local ok, err = coroutine.resume(thread)
    assert.is_true(ok, err)
    server:tell "looked"
    repeat
      minimax.step(0.01)
      ok, err = coroutine.resume(thread)
      assert.is_true(ok, err)
    until coroutine.status(thread) == "dead"
    assert.is_true(table.concat(chunks) == video.make(5000, 2))
  end)
end)

describe("somebody else's", function()
  local IS_ROOT = io.popen("id -u"):read("l") == "0"

  it("note is no note", function()
    if not IS_ROOT then
      return pending "only root can give files away"
    end
    local server <close> = start { a = { WHOLE } }
    leave(server, video.make(SIZE, 2):sub(1, 2500))
    assert(os.execute("chown 65534 " .. path .. ".part.etag"))
    assert(client_of(server):download(server.url .. "/a", path))
    assert.same({ "whole" }, ranges_of(server))
    assert_file()
  end)

  it(".part with a fitting note is kind io, and neither used nor changed", function()
    if not IS_ROOT then
      return pending "only root can give files away"
    end
    local server <close> = start { a = { WHOLE } }
    leave(server, video.make(SIZE, 2):sub(1, 2500))
    assert(os.execute("chown 65534 " .. path .. ".part " .. path .. ".part.etag"))
    local _, err = client_of(server):download(server.url .. "/a", path)
    assert.equal("io", err.kind)
    assert.matches("in the way", err.message)
    assert.same({}, server:requests())
    assert.equal(2500, #folder:read("out.mp4.part"))
  end)

  it("pipe, which can't be taken away, holds nothing up", function()
    if not IS_ROOT then
      return pending "only root can give files away"
    end
    local server <close> = start { a = { WHOLE } }
    assert(os.execute("mkfifo " .. path .. ".part.etag && chmod 666 "
      .. path .. ".part.etag && chmod 1777 " .. folder.path))
    local words = { "setpriv", "--reuid=65534", "--clear-groups" }
    table.move(process.lua, 1, #process.lua, #words + 1, words)
    table.move({ "-e", ([[
      local client = require "minimax".new { base_url = %q, api_key = "sk-spec-key" }
      assert(client:download(%q, %q))
    ]]):format(server.url, server.url .. "/a", path) }, 1, 2, #words + 1, words)
    local result = process.run { command = words, timeout = 20 }
    if result.err:find("module 'minimax' not found", 1, true) then
      return pending "another user can't read the built tree"
    end
    assert.equal(0, result.code, result.err)
    assert.is_true(folder:read("out.mp4") == video.make(SIZE))
  end)

  it("pipe in the place of the note holds nothing up", function()
    local server <close> = start { a = { HALF, WHOLE } }
    local client <close> = client_of(server)
    folder:write("out.mp4.part", video.make(SIZE):sub(1, 100))
    assert(os.execute("mkfifo " .. path .. ".part.etag"))
    assert.is_nil((client:download(server.url .. "/a", path)))
    assert.equal(SIZE // 2, assert(client:download(server.url .. "/a", path)).resumed_from)
    assert_file()
  end)
end)

describe("a rest that the host does not have", function()
  it("is an error with a text where the retries are used up, and no crash", function()
    local gone = { status = 416, headers = { ["Content-Range"] = "bytes */900" } }
    local server <close> = start { a = { { size = SIZE, cut = 1000 }, gone,
      { size = SIZE, cut = 1000 }, gone, gone } }
    local client <close> = client_of(server)
    for _ = 1, 3 do
      local info, err = client:download(server.url .. "/a", path)
      assert.is_nil(info)
      assert.is_true(#err.message > 20)
      assert.is_nil(folder:read("out.mp4"))
    end
  end)
end)

-- More of it: spec/torture/storage.lua.
describe("a storage host that answers at random", function()
  it("leads to a version of the file, byte for byte, or to none", function()
    local tally = downloads.run { rounds = ROUNDS, seed = SEED, workers = 10 }
    assert.equal(ROUNDS, tally.rounds)
    assert.is_true(tally.whole > ROUNDS / 2, tally.whole .. " whole")
    assert.is_true(tally.resumed > 0)
  end)
end)
