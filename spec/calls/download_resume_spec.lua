--- src/calls/download_fetch.c: what a download does when the connection breaks: resumption,
-- restarts, and the errors that are left. Never a splice, never a partial file
-- under the final name.

local minimax = require "minimax"
local storage = require "spec.support.storage"
local temp = require "spec.support.temp"
local video = require "spec.support.video"
local wire = require "spec.support.wire"

local SIZE = 300000
local AGAIN = 65536 -- bytes that may be fetched a second time after a cut

local folder, path

local function contents(name)
  local file <close> = assert(io.open(name, "rb"))
  return file:read("a")
end

-- Not assert.equal: it would print both files.
local function assert_bytes(expected, got)
  assert.equal(#expected, #got)
  assert.is_true(expected == got, "the bytes differ")
end

local function assert_file(size, seed)
  assert_bytes(video.make(size or SIZE, seed), contents(path))
  assert.same({ "out.mp4" }, folder:names())
end

local function assert_fault(kind, pattern, result, err)
  assert.is_nil(result)
  assert.equal(kind, err.kind, tostring(err))
  assert.matches(pattern, tostring(err))
  return err
end

local function start(plan)
  return wire.start { serve = storage.script(plan) }
end

local function client_of(server, options)
  local merged = { base_url = server.url, api_key = "sk-spec-key" }
  for name, value in pairs(options or {}) do
    merged[name] = value
  end
  return minimax.new(merged)
end

-- What was asked for of one path, in that order.
local function ranges_of(server, name)
  local list = {}
  for _, request in ipairs(server:requests()) do
    if request.path == "/" .. name then
      list[#list + 1] = request.headers.range or "whole"
    end
  end
  return list
end

-- Downloads /a of a server that plays these answers for it.
local function download(answers, options, client_options)
  local server <close> = start { a = answers }
  local client <close> = client_of(server, client_options)
  local info, err = client:download(server.url .. "/a", path, options)
  return info, err, ranges_of(server, "a"), server:requests()
end

before_each(function()
  folder = temp.folder()
  path = folder:file("out.mp4")
end)

after_each(function()
  folder:close()
end)

describe("a connection that breaks", function()
  it("at each of 50 offsets is resumed, and little is fetched again", function()
    local plan = {}
    for i = 1, 50 do
      plan["f" .. i] = { { size = SIZE, cut = math.max(1, i * SIZE // 50 - i) }, { size = SIZE } }
    end
    local server <close> = start(plan)
    local client <close> = client_of(server)
    minimax.run(function()
      for i = 1, 50 do
        minimax.spawn(function()
          local name = "f" .. i
          local info = assert(client:download(server.url .. "/" .. name, folder:file(name)))
          assert.equal(SIZE, info.bytes)
          assert.is_nil(info.resumed_from)
        end)
      end
    end)
    for i = 1, 50 do
      local name = "f" .. i
      assert_bytes(video.make(SIZE), contents(folder:file(name)))
      local ranges = ranges_of(server, name)
      assert.equal("whole", ranges[1])
      assert.equal(2, #ranges)
      local from = ranges[2] == "whole" and 0 or tonumber(ranges[2]:match("%d+"))
      assert.is_true(plan[name][1].cut - from <= AGAIN)
    end
    assert.equal(50, #folder:names())
  end)

  it("asks for the rest with Range and If-Range", function()
    local info, _, ranges, requests = download { { size = SIZE, cut = 1000 }, { size = SIZE } }
    assert.equal(SIZE, info.bytes)
    assert.same({ "whole", "bytes=1000-" }, ranges)
    assert.equal('"1"', requests[2].headers["if-range"])
    assert_file()
  end)

  it("with a reset is resumed where it was", function()
    local _, err, ranges = download { { size = SIZE, cut = 250000, how = "reset" },
      { size = SIZE } }
    assert.is_nil(err)
    assert.equal(2, #ranges)
    assert_file()
  end)

  it("again and again is resumed as long as bytes come", function()
    local answers = {}
    for i = 1, 6 do
      answers[i] = { size = SIZE, cut = i * 40000 }
    end
    answers[7] = { size = SIZE }
    local _, err, ranges = download(answers, nil, { retries = 1 })
    assert.is_nil(err)
    assert.equal(7, #ranges)
    assert_file()
  end)

  it("without progress ends as kind network after the retries, and keeps the .part", function()
    local _, err, ranges = download({ { size = SIZE, cut = 5000 }, { act = "reset" } }, nil,
      { retries = 2 })
    assert_fault("network", "broke", nil, err)
    assert.is_true(err.retryable)
    assert.equal(3, err.attempts)
    assert.same({ "whole", "bytes=5000-", "bytes=5000-" }, ranges)
    assert.same({ "out.mp4.part", "out.mp4.part.etag" }, folder:names())
    assert_bytes(video.make(SIZE):sub(1, 5000), folder:read("out.mp4.part"))
  end)

  it("by a stall is noticed and resumed", function()
    local server <close> = wire.start { serve = [[
      local connection = ...
      local storage = require "spec.support.storage"
      local request = connection:read_request()
      if connection.number > 1 then
        return storage.answer(connection, request, { size = 300000 })
      end
      connection:send 'HTTP/1.1 200 OK\r\nContent-Length: 300000\r\nETag: "1"\r\n\r\n'
      connection:send(require "spec.support.video".make(300000):sub(1, 70000))
      connection:hang()
    ]] }
    local client <close> = client_of(server, { stall_timeout = 0.2 })
    assert(client:download(server.url .. "/a", path))
    assert.same({ "whole", "bytes=70000-" }, ranges_of(server, "a"))
    assert_file()
  end)

  it("before the answer is tried again", function()
    local _, err, ranges = download { { act = "close" }, { act = "reset" }, { size = SIZE } }
    assert.is_nil(err)
    assert.same({ "whole", "whole", "whole" }, ranges)
    assert_file()
  end)

  it("on the way to a function is resumed as well", function()
    local server <close> = start { a = { { size = SIZE, cut = 100000 }, { size = SIZE } } }
    local client <close> = client_of(server)
    local chunks = {}
    assert(client:download(server.url .. "/a", function(chunk)
      chunks[#chunks + 1] = chunk
    end))
    assert_bytes(video.make(SIZE), table.concat(chunks))
    assert.same({ "whole", "bytes=100000-" }, ranges_of(server, "a"))
  end)
end)

describe("a clean restart follows when", function()
  local rows = {
    ["the server ignores the range"] = { size = SIZE, ranges = false, requests = 2 },
    ["the file has changed"] = { size = 200000, seed = 2, requests = 2 },
    ["the file has changed and the server does not heed If-Range"] = {
      size = SIZE, seed = 2, ignores_condition = true },
    ["the file has changed, keeps its size, and the 206 names no entity tag"] = {
      size = SIZE, seed = 2, etag = false, ignores_condition = true },
    ["the file has become shorter than what is there"] = {
      size = 50000, seed = 2, ignores_condition = true },
    ["the server names only a weak entity tag"] = { size = SIZE, etag = 'W/"1"', requests = 2 },
    ["the server names no entity tag"] = { size = SIZE, etag = false, requests = 2 },
  }
  for what, range in pairs {
    ["begins elsewhere"] = "bytes 0-299999/300000",
    ["ends before the end"] = "bytes 100000-199999/300000",
    ["names another total"] = "bytes 100000-300000/300001",
    ["names no total"] = "bytes 100000-299999/*",
    ["counts in another unit"] = "lines 100000-299999/300000",
    ["is no range"] = "bytes 100000",
    ["overflows"] = "bytes 100000-18446744073709551615/18446744073709551616",
  } do
    rows["the Content-Range " .. what] = { size = SIZE, range = range }
  end

  local names, results = {}, {}
  for what in pairs(rows) do
    names[#names + 1] = what
  end

  local function first_answer(row)
    local etag = row.etag
    if row.ignores_condition then
      etag = nil
    end
    return { size = SIZE, cut = 100000, etag = etag }
  end

  -- All at once: each waits for its back-off.
  setup(function()
    local plan = {}
    for i, what in ipairs(names) do
      local row = rows[what]
      plan["r" .. i] = { first_answer(row), row, { size = row.size, seed = row.seed } }
    end
    local server <close> = start(plan)
    local client <close> = client_of(server)
    local results_folder <close> = temp.folder()
    minimax.run(function()
      for i, what in ipairs(names) do
        minimax.spawn(function()
          local file = results_folder:file("r" .. i)
          local info, err = client:download(server.url .. "/r" .. i, file)
          results[what] = { info = info, err = err, bytes = info and contents(file) }
        end)
      end
    end)
    for i, what in ipairs(names) do
      results[what].ranges = ranges_of(server, "r" .. i)
    end
  end)

  for what, row in pairs(rows) do
    it(what, function()
      local result = results[what]
      assert.is_nil(result.err)
      assert_bytes(video.make(row.size, row.seed), result.bytes)
      assert.is_nil(result.info.resumed_from)
      assert.equal(row.requests or 3, #result.ranges)
    end)
  end

  it("the answer to the range comes in several parts", function()
    local _, err, ranges = download { { size = SIZE, cut = 100000 },
      { status = 206, headers = { ["Content-Type"] = "multipart/byteranges; boundary=x",
        ETag = '"1"' }, body = "--x\r\n" }, { size = SIZE } }
    assert.is_nil(err)
    assert.same({ "whole", "bytes=100000-", "whole" }, ranges)
    assert_file()
  end)

  it("but nothing was handed to a function, else it is kind protocol", function()
    -- More than fits into the ring: a part of it was handed over.
    local first = { size = 1000000, cut = 600000 }
    local weak = { size = 1000000, cut = 600000, etag = 'W/"1"' }
    local server <close> = start {
      a = { first, { size = 1000000, ranges = false } },
      b = { first, { size = 1000000, seed = 2 } },
      c = { first, { size = 1000000, range = "bytes 7-999999/1000000" } },
      d = { first, { status = 416, headers = { ["Content-Range"] = "bytes */50000" } } },
      e = { weak },
    }
    local client <close> = client_of(server)
    local whole = video.make(1000000)
    local function download_to_function(name)
      local chunks = {}
      local _, err = client:download(server.url .. "/" .. name, function(chunk)
        chunks[#chunks + 1] = chunk
      end)
      local got = table.concat(chunks)
      assert_fault("protocol", "", nil, err)
      assert.equal(#got, err.received)
      assert_bytes(whole:sub(1, #got), got)
    end
    minimax.run(function()
      for name in ("abcde"):gmatch(".") do
        minimax.spawn(download_to_function, name)
      end
    end)
  end)
end)

describe("a body", function()
  it("that is shorter than announced, each time, is kind network", function()
    local _, err = download({ { size = SIZE, cut = SIZE - 10 } }, nil, { retries = 1 })
    assert_fault("network", "middle", nil, err)
    assert.is_nil(io.open(path))
  end)

  it("whose 206 is shorter than its Content-Range says is asked for again", function()
    local rest = { status = 206, body = video.make(SIZE):sub(100001, 150000), headers = {
      ["Content-Range"] = "bytes 100000-299999/300000", ETag = '"1"' } }
    local _, err, ranges = download({ { size = SIZE, cut = 100000 }, rest, { size = SIZE } },
      { verify = false })
    assert.is_nil(err)
    assert.same({ "whole", "bytes=100000-", "bytes=150000-" }, ranges)
    assert_file()
  end)

  it("that is longer than announced ends where it was announced", function()
    local server <close> = wire.start { serve = [[
      local connection = ...
      connection:read_request()
      connection:send 'HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n'
      connection:send(require "spec.support.video".make(300000))
      connection:send(("more"):rep(10000))
      connection:hang()
    ]] }
    local client <close> = client_of(server)
    assert(client:download(server.url .. "/a", path))
    assert_file()
  end)

  local function raw(head, body)
    return wire.start { serve = ([[
      local connection = ...
      connection:read_request()
      connection:send %q
      local function chunk(bytes)
        return connection:send(("%%x\r\n%%s\r\n"):format(#bytes, bytes))
      end
      local whole = require "spec.support.video".make(300000)
      %s
    ]]):format("HTTP/1.1 200 OK\r\n" .. head .. "\r\n\r\n", body) }
  end

  it("in chunks, whole, is taken", function()
    local server <close> = raw("Transfer-Encoding: chunked", [[
      for at = 1, #whole, 7001 do
        chunk(whole:sub(at, at + 7000))
      end
      connection:send "0\r\n\r\n"
      connection:hang()
    ]])
    local client <close> = client_of(server)
    assert(client:download(server.url .. "/a", path))
    assert_file()
  end)

  it("of no announced length that ends at the end of the connection is taken if it is whole",
    function()
      local server <close> = raw("Connection: close", "connection:send(whole)")
      local client <close> = client_of(server)
      assert(client:download(server.url .. "/a", path))
      assert_file()
    end)

  it("of no announced length that ends within a box is kind protocol", function()
    local server <close> = raw("Connection: close", "connection:send(whole:sub(1, 299999))")
    local client <close> = client_of(server)
    assert_fault("protocol", "MP4", client:download(server.url .. "/a", path))
    assert.same({}, folder:names())
  end)

  it("packed with gzip, such as a bomb, is never unpacked: kind protocol", function()
    local server <close> = raw("Content-Encoding: gzip\r\nContent-Length: 20000",
      [[connection:send("\31\139\8\0" .. ("\0"):rep(19996)) connection:hang()]])
    local client <close> = client_of(server)
    assert_fault("protocol", "packed", client:download(server.url .. "/a", path))
    assert.same({}, folder:names())
    assert.equal("identity", server:requests()[1].headers["accept-encoding"])
  end)

  it("without an end is stopped at max_bytes and leaves nothing", function()
    local server <close> = raw("Transfer-Encoding: chunked", [[
      local head = require "spec.support.video".head(4000000000)
      chunk(head)
      repeat until not chunk(("x"):rep(65536))
    ]])
    local client <close> = client_of(server)
    assert_fault("protocol", "max_bytes",
      client:download(server.url .. "/a", path, { max_bytes = 1000000 }))
    assert.same({}, folder:names())
  end)

  it("that turns into something else in the middle is kind protocol and leaves nothing", function()
    local mixed = video.make(1000) .. "\0\0\0\2 is no length of a box"
    local _, err = download { { body = mixed, length = 5000 } }
    assert_fault("protocol", "MP4", nil, err)
    assert.same({}, folder:names())
  end)
end)

describe("another process, or a later call,", function()
  local function fail_halfway(server, client)
    local _, err = client:download(server.url .. "/a?Signature=first", path)
    assert_fault("network", "broke", nil, err)
    assert.same({ "out.mp4.part", "out.mp4.part.etag" }, folder:names())
  end

  it("resumes what a failed download left, and says from where", function()
    local server <close> = start { a = { { size = SIZE, cut = 120000 }, { size = SIZE } } }
    local client <close> = client_of(server, { retries = 0 })
    fail_halfway(server, client)
    local info = assert(client:download(server.url .. "/a?Signature=second", path))
    assert.equal(120000, info.resumed_from)
    assert.equal(SIZE, info.bytes)
    assert.equal("bytes=120000-", server:requests()[2].headers.range)
    assert_file()
  end)

  it("keeps the link's signed query out of what lies beside the file", function()
    local server <close> = start { a = { { size = SIZE, cut = 120000 } } }
    local client <close> = client_of(server, { retries = 0 })
    fail_halfway(server, client)
    local note = folder:read("out.mp4.part.etag")
    assert.equal('"1"\n' .. server.url .. "/a\n300000\n", note)
    assert.is_nil(note:find("Signature", 1, true))
  end)

  it("begins anew where another link is asked for, though the entity tags agree", function()
    local server <close> = start { a = { { size = SIZE, cut = 120000, etag = '"x"' } },
      b = { { size = SIZE, seed = 2, etag = '"x"' } } }
    local client <close> = client_of(server, { retries = 0 })
    fail_halfway(server, client)
    local info = assert(client:download(server.url .. "/b", path))
    assert.is_nil(info.resumed_from)
    assert_file(SIZE, 2)
  end)

  it("resumes a task whose link is signed anew", function()
    local server <close> = wire.start { serve = storage.script {
      v1 = {
        { status = 200, body = '{"status":"Success","video_url":"{origin}/a?sign=1"}' },
        { status = 200, body = '{"status":"Success","video_url":"{origin}/a?sign=2"}' },
      },
      a = { { size = SIZE, cut = 120000 }, { size = SIZE } },
    } }
    local client <close> = client_of(server, { retries = 0 })
    assert_fault("network", "broke", client:download("17", path))
    assert.equal(120000, assert(client:download("17", path)).resumed_from)
    assert_file()
  end)

  it("begins anew where the note is missing, cut short or no note", function()
    local server <close> = start { a = { { size = SIZE } } }
    local right = '"1"\n' .. server.url .. "/a\n300000\n"
    for _, note in ipairs { false, "", '"1"', '"1"\n', right:sub(1, -2), right .. "\n",
      ("x"):rep(5000), (right:gsub("300000", "")), (right:gsub("300000", "3e5")),
      (right:gsub("300000", "999")), 'W/' .. right, (right:gsub('"1"', '"1\rX: y"')),
      (right:gsub('"1"', '"1\0"')), (right:gsub('"1"', '"a"b"')) } do
      local client <close> = client_of(server)
      folder:write("out.mp4.part", video.make(SIZE, 3):sub(1, 1000))
      if note then
        folder:write("out.mp4.part.etag", note)
      end
      local info = assert(client:download(server.url .. "/a", path))
      assert.is_nil(info.resumed_from)
      for _, range in ipairs(ranges_of(server, "a")) do
        assert.equal("whole", range)
      end
      assert_file()
      os.remove(path)
    end
  end)

  it("does not take the note of a .part that is gone for one of its own", function()
    local server <close> = start { a = { { size = SIZE, seed = 2, etag = false, cut = 120000 },
      { size = SIZE } } }
    local client <close> = client_of(server, { retries = 0 })
    folder:write("out.mp4.part.etag", '"1"\n' .. server.url .. "/a\n300000\n")
    assert_fault("network", "broke", client:download(server.url .. "/a", path))
    assert.is_nil(assert(client:download(server.url .. "/a", path)).resumed_from)
    assert_file()
  end)

  it("begins anew where what is there is no beginning of an MP4", function()
    local server <close> = start { a = { { size = SIZE } } }
    local client <close> = client_of(server)
    folder:write("out.mp4.part", "<html>an error page from an older time</html>")
    folder:write("out.mp4.part.etag", '"1"\n' .. server.url .. "/a\n300000\n")
    assert.is_nil(assert(client:download(server.url .. "/a", path)).resumed_from)
    assert_file()
  end)

  it("takes what is whole already as it is", function()
    local server <close> = start { a = { { size = SIZE } } }
    local client <close> = client_of(server)
    folder:write("out.mp4.part", video.make(SIZE))
    folder:write("out.mp4.part.etag", '"1"\n' .. server.url .. "/a\n300000\n")
    local info = assert(client:download(server.url .. "/a", path))
    assert.equal(SIZE, info.resumed_from)
    assert.same({ "bytes=300000-" }, ranges_of(server, "a"))
    assert_file()
  end)

  it("does not take what is whole already where max_bytes is less", function()
    local server <close> = start { a = { { size = SIZE } } }
    local client <close> = client_of(server)
    folder:write("out.mp4.part", video.make(SIZE))
    folder:write("out.mp4.part.etag", '"1"\n' .. server.url .. "/a\n300000\n")
    assert_fault("protocol", "max_bytes",
      client:download(server.url .. "/a", path, { max_bytes = SIZE - 1 }))
    assert.same({ "out.mp4.part", "out.mp4.part.etag" }, folder:names())
  end)

  it("begins anew where what is whole already is another file by now", function()
    local server <close> = start { a = { { status = 416, headers = {
      ["Content-Range"] = "bytes */300000", ETag = '"2"' } }, { size = SIZE, seed = 2 } } }
    local client <close> = client_of(server)
    folder:write("out.mp4.part", video.make(SIZE))
    folder:write("out.mp4.part.etag", '"1"\n' .. server.url .. "/a\n300000\n")
    assert.is_nil(assert(client:download(server.url .. "/a", path)).resumed_from)
    assert_file(SIZE, 2)
  end)

  it("does not take a part for the whole because the rest is empty", function()
    for _, status in ipairs { 200, 204, 206 } do
      local server <close> = start { a = { { status = status } } }
      local client <close> = client_of(server, { retries = 0 })
      folder:write("out.mp4.part", video.make(SIZE):sub(1, 1000))
      folder:write("out.mp4.part.etag", '"1"\n' .. server.url .. "/a\n300000\n")
      assert_fault("protocol", status == 206 and "range" or "MP4",
        client:download(server.url .. "/a", path, { verify = false }))
      assert.is_nil(io.open(path))
    end
  end)
end)
