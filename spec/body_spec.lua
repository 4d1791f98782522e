--- src/body.c: a request body in pieces, on its way: what becomes of an upload
-- whose file changes, and what it costs. How media go into a JSON body is in
-- media_spec.lua.

local host = require "spec.support.host"
local lfs = require "lfs"
local minimax = require "minimax"
local picture = require "spec.support.picture"
local process = require "spec.support.process"
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
