-- src/net/body.c on its way: a large file is sent without being held in memory, it
-- arrives bit for bit, and one that changes meanwhile never arrives whole.

local host = require "spec.support.host"
local mime = require "mime"
local minimax = require "minimax"
local picture = require "spec.support.picture"
local process = require "spec.support.process"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local MIB = 1 << 20
local SIZE = 199 * MIB // 10 -- of an image; 20 MiB is the limit
local ACCEPTED = [[{"task_id":"1","file":{"file_id":2},"base_resp":{"status_code":0}}]]

local folder, image

setup(function()
  folder = temp.folder()
  local noise <close> = assert(io.open("/dev/urandom", "rb"))
  local head = picture.png()
  image = folder:write("image.png", head .. noise:read(SIZE - #head))
end)

teardown(function()
  folder:close()
end)

-- Reports each head; reads its body once it is told to.
local H1 = ([[
  local connection = ...
  local read_head = connection.read_head
  function connection:read_head()
    local head = read_head(self)
    self.server.report { type = "head" }
    self:await "read"
    return head
  end
  while connection:read_request() do
    connection:reply(200, {}, %q)
  end
]]):format(ACCEPTED)

local H2 = ([[
  local connection = ...
  local session = require "spec.support.h2".accept(connection)
  function session.on_head()
    connection.server.report { type = "head" }
    connection:await "read"
  end
  for request in session.read_request, session do
    session:reply(request, 200, %q)
  end
]]):format(ACCEPTED)

local PROTOCOLS = { ["plain HTTP"] = { serve = H1 }, TLS = { serve = H1, tls = "good" },
  ["HTTP/2"] = { serve = H2, tls = "h2" } }

local function start(protocol, keep_bodies)
  return wire.start { serve = protocol.serve, tls = protocol.tls, keep_bodies = keep_bodies }
end

local function contents(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

-- Under watch a program has another size, so this is left out there.
describe("the memory of a program that sends an image of 19.9 MB #timing", function()
  -- The highest size in KiB of a program that sends `count` requests at once:
  -- "VmHWM", in memory, or "VmPeak", with what is only reserved. And how many bytes
  -- the bodies have on average.
  local function peak(protocol, what, count, size)
    local server <close> = start(protocol)
    local child <close> = process.start {
      env = { LD_PRELOAD = false },
      args = { what, count, server.url, image, size, server.ca_file },
      script = [[
        local what, count, url, path, size, ca_file = table.unpack(arg)
        local minimax = require "minimax"
        local client = minimax.new { base_url = url, api_key = "sk-spec", ca_file = ca_file,
          max_connections = 30 }
        local send = {}
        function send.url()
          return client:submit { template_id = "1", media_inputs = { "https://example.com/p.png" } }
        end
        function send.file()
          return client:submit { template_id = "1", media_inputs = { minimax.file(path) } }
        end
        function send.upload()
          return client:upload(path)
        end
        function send.text()
          local data = "data:image/png;base64," .. ("A"):rep(4 * 6666667)
          return client:submit { template_id = "1", media_inputs = { data } }
        end
        minimax.run(function()
          for _ = 1, count do
            minimax.spawn(function()
              assert(send[what]())
            end)
          end
        end)
        for line in io.lines "/proc/self/status" do
          print(line:match("^" .. size .. ":%s*(%d+) kB"))
        end
      ]],
    }
    assert.is_true(server:await("head", count))
    server:tell "read" -- all of them are under way by now
    local result = child:finish()
    assert.equal(0, result.code, result.err)
    local bytes = 0
    for _, request in ipairs(server:requests()) do
      bytes = bytes + request.body_length
    end
    return tonumber(result.out:match "%d+"), bytes / count
  end

  local function assert_cheap(protocol, what, count, limit, size)
    local base = peak(protocol, "url", count, size or "VmHWM")
    local most, bytes = peak(protocol, what, count, size or "VmHWM")
    assert.is_true(bytes > SIZE)
    assert.is_true(most - base <= limit, most - base .. " KiB more")
  end

  for name, protocol in pairs(PROTOCOLS) do
    it("is at most 4 MB above that with a URL, over " .. name, function()
      assert_cheap(protocol, "file", 1, 4096)
    end)
  end

  it("is at most 4 MB above that when it is uploaded", function()
    assert_cheap(PROTOCOLS["plain HTTP"], "upload", 1, 4096)
  end)

  -- It is there twice while it is made, and twice more to be sent. lua-cjson would
  -- reserve six times its size for it alone.
  it("is at most 200 MB above that when it is a text of 27 MB already", function()
    assert_cheap(PROTOCOLS["plain HTTP"], "text", 1, 200 * 1024, "VmPeak")
  end)

  it("is at most 16 MB above that with URLs, with 20 submits at once", function()
    assert_cheap(PROTOCOLS["plain HTTP"], "file", 20, 16384)
  end)

  it("is at most 16 MB above that with URLs, with 20 uploads at once", function()
    assert_cheap(PROTOCOLS["plain HTTP"], "upload", 20, 16384)
  end)
end)

for _, name in ipairs { "plain HTTP", "HTTP/2" } do
  describe("an image of 19.9 MB over " .. name, function()
    local protocol = PROTOCOLS[name]
    local server, client

    before_each(function()
      server = start(protocol, true)
      client = minimax.new { base_url = server.url, api_key = "sk-spec", ca_file = server.ca_file }
    end)

    after_each(function()
      client:close()
      server:stop()
    end)

    -- What arrived is this text with `middle` in it somewhere.
    local function assert_arrived(middle)
      local request = server:requests()[1]
      local body = contents(request.body_file)
      assert.equal(request.body_length, #body)
      assert.is_true(body:find(middle, 1, true) ~= nil, "the bytes differ")
    end

    it("arrives bit for bit as base64", function()
      server:tell "read"
      assert(client:submit { template_id = "1", media_inputs = { minimax.file(image) } })
      assert_arrived('"data:image/png;base64,' .. mime.b64(contents(image)) .. '"')
    end)

    it("arrives bit for bit as a form", function()
      server:tell "read"
      assert(client:upload(image))
      assert_arrived("\r\n\r\n" .. contents(image) .. "\r\n--")
    end)

    -- Begins a call, lets `change` do something to the file once the head has
    -- arrived, and returns what the call does.
    local function meanwhile(change, call)
      local thread = coroutine.create(call)
      assert(coroutine.resume(thread))
      host.step_until(function()
        return #server:reports "head" > 0
      end)
      change()
      server:tell "read"
      return host.drive(thread)
    end

    for what, change in pairs {
      vanishes = os.remove,
      ["is written to"] = function(path)
        local file <close> = assert(io.open(path, "r+b"))
        file:seek("set", SIZE - 1)
        file:write("x")
      end,
    } do
      for how, send in pairs {
        ["is sent"] = function(path)
          return client:submit { template_id = "1", media_inputs = { minimax.file(path) } }
        end,
        ["is uploaded"] = function(path)
          return client:upload(path)
        end,
      } do
        it("that " .. what .. " while it " .. how .. " is kind io and never whole", function()
          local path = folder:write("changing.png", contents(image))
          local value, err = meanwhile(function() change(path) end, function()
            return send(path)
          end)
          assert.is_nil(value)
          assert.same({ "io", false }, { err.kind, err.retryable }, tostring(err))
          assert.matches("changing.png' changed or vanished", err.message, 1, true)
          client:close() -- with its connections
          assert.is_true(server:await("request", 1))
          assert.is_false(server:requests()[1].whole)
          assert.equal(1, #server:requests())
        end)
      end
    end
  end)
end
