-- The main job, where libcurl calls back in whatever sizes and at whatever
-- moments it may: each version chooses others (support/awkward.c).

local cjson = require "cjson"
local emulator = require "minimax.emulator"
local lfs = require "lfs"
local mime = require "mime"
local native = require "spec.support.native"
local picture = require "spec.support.picture"
local process = require "spec.support.process"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local SEEDS = 4
local ACCEPTED = '{"task_id":"1","status":"Processing","file":{"file_id":2}}'

local H1 = ([[
  local connection = ...
  while connection:read_request() do
    connection:reply(200, { ["X-Long"] = ("x"):rep(500) }, %q)
  end
]]):format(ACCEPTED)

local H2 = ([[
  local connection = ...
  local session = require "spec.support.h2".accept(connection)
  for request in session.read_request, session do
    session:reply(request, 200, %q)
  end
]]):format(ACCEPTED)

local function environment(seed, more)
  local env = { LD_PRELOAD = native.library "awkward", AWKWARD = tostring(seed) }
  for name, value in pairs(more) do
    env[name] = value
  end
  return env
end

local folder, demo

-- The demo takes seconds, whoever else is at work.
setup(function()
  folder = temp.folder()
  demo = process.start { file = lfs.currentdir() .. "/doc/examples/demo.lua",
    directory = folder.path,
    env = environment(7, { MINIMAX_API_KEY = false, MINIMAX_API_KEY_FILE = false }) }
end)

teardown(function()
  demo:close()
  folder:close()
end)

local function assert_well(child)
  local result = child:finish()
  assert.equal(0, result.code, result.err .. result.out)
  return result.out
end

describe("what a request carries arrives to its last byte", function()
  local CONTENT = picture.png() .. ("\0\xff\x10Lua"):rep(3000)
  local ENDS = { "{}", '{"a":[]}', '{"a":0.1}', '{"a":9223372036854775807}' }

  local SCRIPT = [[
    local minimax = require "minimax"
    local path, link = ...
    local empty = setmetatable({}, { __jsontype = "array" })
    assert(minimax.submit { model = "m", first_frame_image = minimax.file(path) })
    assert(minimax.submit { model = "m", first_frame_image = link, prompt = "" })
    assert(minimax.upload(path, "other"))
    for _, body in ipairs { {}, { a = empty }, { a = 0.1 }, { a = math.maxinteger } } do
      assert(minimax.call("POST", "/v1/any", { body = body }))
    end
    assert(minimax.query "1")
  ]]

  -- The bodies that arrived, whole.
  local function bodies_of(server)
    local bodies = {}
    for i, request in ipairs(server:requests()) do
      assert.is_true(request.whole)
      local file <close> = assert(io.open(request.body_file, "rb"))
      bodies[i] = file:read "a"
    end
    return bodies
  end

  for protocol, options in pairs {
    ["plain HTTP"] = { serve = H1 }, TLS = { serve = H1, tls = "good" },
    ["HTTP/2"] = { serve = H2, tls = "h2" },
  } do
    it("over " .. protocol, function()
      local path = folder:write("pet.png", CONTENT)
      local link = "data:image/png;base64," .. mime.b64(CONTENT)
      local server <close> = wire.start { serve = options.serve, tls = options.tls,
        keep_bodies = true }
      for seed = 1, SEEDS do
        local before = #server:requests()
        assert_well(process.start { script = SCRIPT, args = { path, link },
          env = environment(seed, { MINIMAX_API_KEY = "sk-spec-key", MINIMAX_BASE_URL = server.url,
            CURL_CA_BUNDLE = server.ca_file }) })
        local bodies = table.move(bodies_of(server), before + 1, before + 8, 1, {})
        assert.equal(8, #bodies)
        for i = 1, 2 do
          assert.is_true(cjson.decode(bodies[i]).first_frame_image == link)
        end
        assert.is_truthy(bodies[3]:find(CONTENT .. "\r\n--", 1, true))
        assert.matches("%-%-\r\n$", bodies[3])
        for i, expected in ipairs(ENDS) do
          assert.equal(expected, bodies[3 + i])
        end
      end
    end)
  end
end)

describe("the whole job is done", function()
  local SIZE = 600000

  local STORY = [[
    local minimax = require "minimax"
    local path, size = ..., 600000
    local client = minimax.new { poll_interval = 0.05, wait_timeout = 30 }
    local function bytes_of(name)
      local file <close> = assert(io.open(name, "rb"))
      return file:read "a"
    end
    local function job(name)
      local task = assert(client:submit { template_id = "393769180141805569",
        media_inputs = { minimax.file "doc/examples/pet.jpg" }, text_inputs = { "Lion" } })
      local status = assert(task:wait())
      assert(client:download(status, name))
      local whole = bytes_of(name)
      assert(#whole == size)
      -- To a slow reader it comes in pieces, and pauses.
      local parts, turns = {}, 0
      assert(client:download(status, function(bytes)
        parts[#parts + 1], turns = bytes, turns + 1
        if turns % 5 == 0 then
          minimax.sleep(0.005)
        end
        return true
      end))
      assert(table.concat(parts) == whole)
      local file <close> = assert(io.open(name .. ".stream", "wb"))
      assert(client:download(status, file))
      file:flush()
      assert(bytes_of(name .. ".stream") == whole)
    end
    minimax.run(function()
      for i = 1, 3 do
        minimax.spawn(job, path .. i)
      end
    end)
    assert(client:upload("doc/examples/pet.jpg"))
    assert(client:list().items)
  ]]

  for _, tls in ipairs { false, true } do
    it(tls and "over TLS and HTTP/2" or "over plain HTTP", function()
      local emu <close> = assert(emulator.start { speed = 100, video_bytes = SIZE, tls = tls })
      local children = {}
      for seed = 1, SEEDS do
        children[seed] = process.start { script = STORY, args = { folder:file("video" .. seed) },
          env = environment(seed, emu.env) }
      end
      for _, child in ipairs(children) do
        assert_well(child)
      end
    end)
  end

  it("by the demo, as it stands", function()
    assert.matches("Downloaded output.mp4: 2000000 bytes", assert_well(demo), 1, true)
  end)
end)
