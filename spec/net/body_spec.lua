--- src/net/body.c: a request body in pieces, on its way: what becomes of an upload
-- whose file changes, and what it costs. How media go into a JSON body is in
-- api/media_spec.lua.

local host = require "spec.support.host"
local lfs = require "lfs"
local minimax = require "minimax"
local picture = require "spec.support.picture"
local process = require "spec.support.process"
local pure = require "pure"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local FILE = '{"file":{"file_id":335797537439947},"base_resp":{"status_code":0}}'

-- Reads the head alone until the spec says so, then what comes; answers a
-- request that is whole.
local SLOW = [[
  local connection = ...
  local head = connection:read_head()
  connection.server.report { type = "head" }
  connection:await "changed"
  local announced = tonumber(head:match "[Cc]ontent%-[Ll]ength: (%d+)")
  local length = 0
  while length < announced do
    local bytes = connection.socket:read(-65536)
    if not bytes then
      break
    end
    length = length + #bytes
  end
  connection.server.report { type = "body", length = length, announced = announced }
  if length == announced then
    connection:reply(200, {}, '{"file":{"file_id":1}}')
  end
]]

local BYTES = 15 << 20

local folder

before_each(function()
  folder = temp.folder()
end)

after_each(function()
  folder:close()
end)

local function client_of(server, options)
  local merged = { base_url = server.url, api_key = "sk-spec-key" }
  for name, value in pairs(options or {}) do
    merged[name] = value
  end
  return minimax.new(merged)
end

-- Uploads a file that `change` changes once the server has the head.
local function upload_and(change)
  local path = folder:write("film.mp4", ("x"):rep(BYTES))
  local server <close> = wire.start { serve = SLOW }
  local client <close> = client_of(server)
  local thread = coroutine.create(client.upload)
  assert(coroutine.resume(thread, client, path, "other"))
  while #server:reports("head") == 0 do
    host.sleep(0.05)
    assert(coroutine.resume(thread))
  end
  change(path)
  server:tell("changed")
  local results
  repeat
    host.sleep()
    results = table.pack(coroutine.resume(thread))
  until coroutine.status(thread) == "dead"
  assert(results[1], results[2])
  assert.is_true(server:await("body", 1))
  assert.equal(1, server:connections())
  return server:reports("body")[1], table.unpack(results, 2, results.n)
end

describe("a file that is uploaded", function()
  it("arrives whole where nothing happens to it", function()
    local body, file = upload_and(function() end)
    assert.equal("1", file.file_id)
    assert.equal(body.announced, body.length)
  end)

  for what, change in pairs {
    ["vanishes"] = os.remove,
    ["is cut"] = function(path)
      assert(io.open(path, "wb")):close()
    end,
    ["grows"] = function(path)
      local file <close> = assert(io.open(path, "ab"))
      file:write("more")
    end,
    ["is written to"] = function(path)
      local file <close> = assert(io.open(path, "r+b"))
      file:seek("set", BYTES - 5)
      file:write("other")
    end,
    ["is replaced"] = function(path)
      assert(os.rename(folder:write("other.mp4", ("y"):rep(BYTES)), path))
    end,
  } do
    it("and " .. what .. " meanwhile is kind io, never a whole request, and not repeated",
      function()
        local body, file, err = upload_and(change)
        assert.is_nil(file)
        assert.equal("io", err.kind, tostring(err))
        assert.equal("upload", err.stage)
        assert.equal(1, err.attempts)
        assert.matches("film.mp4", tostring(err))
        assert.is_true(body.length < body.announced)
      end)
  end

  it("must be a regular file: a FIFO or a folder does not hang the program", function()
    local refused <close> = wire.refused()
    local client <close> = client_of(refused)
    local pipe = folder:file("pipe")
    assert(os.execute("mkfifo " .. shell.quote(pipe)))
    for _, path in ipairs { pipe, folder.path, folder:file("none") } do
      local file, err = client:upload(path, "other")
      assert.is_nil(file)
      assert.equal("io", err.kind)
    end
    assert.equal("named pipe", lfs.attributes(pipe, "mode"))
  end)

  it("may be empty", function()
    local server <close> = wire.start { keep_bodies = true, serve = ([[
      local connection = ...
      connection:read_request()
      connection:reply(200, {}, %q)
    ]]):format(FILE) }
    local client <close> = client_of(server)
    assert(client:upload(folder:write("empty", ""), "other"))
    local request = server:requests()[1]
    assert.is_true(request.whole)
    assert.matches("octet%-stream\r\n\r\n\r\n%-%-minimax", request.body)
  end)

  it("costs no memory of its size #timing", function()
    local server <close> = wire.start { serve = ([[
      local connection = ...
      while connection:read_request() do
        connection:reply(200, {}, %q)
      end
    ]]):format(FILE) }
    local result = process.run { env = { LD_PRELOAD = false },
      args = { server.url, folder:write("small", "x"), folder:write("big", ("x"):rep(100 << 20)) },
      script = [[
        local url, small, big = ...
        local client = require "minimax".new { base_url = url, api_key = "sk-spec-key" }
        local function most_memory()
          for line in io.lines "/proc/self/status" do
            local kilobytes = line:match "^VmHWM:%s*(%d+) kB"
            if kilobytes then
              return tonumber(kilobytes)
            end
          end
        end
        assert(client:upload(small, "other"))
        local before = most_memory()
        assert(client:upload(big, "other"))
        print(most_memory() - before)
      ]] }
    assert.equal(0, result.code, result.err)
    assert.is_true(tonumber(result.out) <= 4096, result.out)
    assert.is_true(server:requests()[2].body_length > 100 << 20)
  end)
end)

-- The versions of libcurl differ in the room that they offer: newer ones offer
-- no more than what is still announced, and take 0 for the end.
describe("a body that is read", function()
  local SOME = ("\0\xff\x10Lua"):rep(50)

  -- What it is made of: texts, and the kind and content of files.
  local cases = {
    ["of nothing"] = {},
    ["of {}"] = { "{}" },
    ["of one byte"] = { "x" },
    ["of many texts"] = { "{", '"a":', "1", "}" },
    ["of an empty file alone"] = { { "file", "" } },
    ["that ends with empty files"] = { "a", { "file", "" }, { "base64", "" } },
    ["of a file"] = { { "file", SOME } },
    ["of a large image"] = { { "base64", SOME:rep(50) } },
    ["as multipart"] = { "--b\r\n\r\n", { "file", SOME }, "\r\n--b--\r\n" },
    ["of several images"] = { '{"a":["', { "base64", "Lua" }, '","', { "base64", "Lu" }, '"]}' },
  }
  for rest = 0, 4 do
    local content = SOME:sub(1, -1 - rest)
    cases["of " .. #content .. " bytes as base64"] = { "{", { "base64", content }, "}" }
  end

  -- A body, and what it is on the wire.
  local function make(pieces)
    local body, whole = pure.body(), {}
    for i, piece in ipairs(pieces) do
      local kind, content = "text", piece
      if type(piece) == "table" then
        kind, content = piece[1], piece[2]
        assert.is_true(body:add_file(folder:write("piece" .. i, content), kind))
      else
        assert.is_true(body:add_text(content))
      end
      whole[i] = kind == "base64" and pure.base64_encode(content) or content
    end
    return body, table.concat(whole)
  end

  -- Reads all of it; `room(left)` says how much room there is for the next bytes.
  local function assert_read(body, whole, room)
    local parts, left = {}, #whole
    assert.equal(left, body:length())
    while left > 0 do
      assert.is_false(body:is_done())
      local offered = room(left)
      local part = body:read(offered)
      assert.equal(math.min(offered, left), part and #part, "of a room of " .. offered)
      parts[#parts + 1] = part
      left = left - #part
    end
    assert.is_true(body:is_done())
    assert.is_true(table.concat(parts) == whole, "the bytes differ")
    assert.equal("", body:read(1))
    assert.equal("", body:read(0))
    assert.is_true(body:is_done())
  end

  local rooms = {
    ["as much room as there is left"] = function(left)
      return left
    end,
    ["much room"] = function()
      return 65536
    end,
    ["rooms at random"] = function(left)
      return math.random(0, math.min(left, 20000))
    end,
  }
  for room = 1, 9 do
    rooms["a room of " .. room] = function()
      return room
    end
    rooms["all but the last " .. room .. " bytes, then these"] = function(left)
      return left > room and left - room or left
    end
  end
  local turn = 0
  rooms["no room every other time"] = function()
    turn = turn + 1
    return turn % 2 * 3
  end

  for what, pieces in pairs(cases) do
    it(what .. " fills every room, and ends with its last byte", function()
      for _, room in pairs(rooms) do
        local body, whole = make(pieces)
        assert_read(body, whole, room)
        body:rewind()
        assert_read(body, whole, room)
      end
    end)
  end

  for _, kind in ipairs { "file", "base64" } do
    it("of a " .. kind .. " that changes is never whole, however small the room", function()
      for room = 1, 9 do
        local body, whole = make { "{", { kind, SOME:sub(1, 20) }, "}" }
        local got = body:read(room)
        local file <close> = assert(io.open(folder:file "piece2", "ab"))
        file:write "more"
        file:flush()
        for _ = 1, #whole do
          local part = body:read(room)
          if not part then
            break
          end
          got = got .. part
        end
        assert.is_nil(body:read(room))
        assert.is_false(body:is_done())
        assert.is_true(#got < #whole - 1, "only the file's last byte and what follows are missing")
        assert.equal(whole:sub(1, #got), got)
      end
    end)
  end
end)

describe("several uploads at once", function()
  it("of one file do not disturb each other", function()
    local server <close> = wire.start { keep_bodies = true, serve = ([[
      local connection = ...
      while connection:read_request() do
        connection:reply(200, {}, %q)
      end
    ]]):format(FILE) }
    local client <close> = client_of(server)
    local content = picture.png() .. ("abcdefg"):rep(100000)
    local path = folder:write("pet.png", content)
    minimax.run(function()
      for _ = 1, 6 do
        minimax.spawn(function()
          assert(client:upload(path, "other"))
        end)
      end
    end)
    local requests = server:requests()
    assert.equal(6, #requests)
    for _, request in ipairs(requests) do
      local file <close> = assert(io.open(request.body_file, "rb"))
      assert.is_truthy(file:read("a"):find(content, 1, true))
    end
  end)
end)
