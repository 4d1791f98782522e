--- src/net/easy.c: what leaves for other hosts, over what, and to which addresses
-- a download may go.

local dns = require("socket").dns
local minimax = require "minimax"
local process = require "spec.support.process"
local storage = require "spec.support.storage"
local temp = require "spec.support.temp"
local video = require "spec.support.video"
local wire = require "spec.support.wire"

local SIZE = 100000
local VIDEO = { size = SIZE }
local FAR = "http://api.example.invalid"

local folder, path

local function assert_fault(kind, pattern, result, err)
  assert.is_nil(result)
  assert.equal(kind, err.kind, tostring(err))
  assert.matches(pattern, tostring(err))
  return err
end

local function assert_file()
  local file <close> = assert(io.open(path, "rb"))
  assert.is_true(file:read("a") == video.make(SIZE), "the bytes differ")
end

local function start(plan, options)
  options = options or {}
  options.serve = storage.script(plan, options.tls and "https" or "http")
  return wire.start(options)
end

before_each(function()
  folder = temp.folder()
  path = folder:file("out.mp4")
end)

after_each(function()
  folder:close()
end)

describe("where the API is reached with https, a download", function()
  local server, client

  setup(function()
    server = start({
      a = { VIDEO },
      down = { { status = 302, headers = { Location = "http://127.0.0.1:1/a" } } },
      up = { { status = 302, headers = { Location = "HTTPS://127.0.0.1:{port}/a" } } },
      side = { { status = 302, headers = { Location = "//127.0.0.1:{port}/a" } } },
    }, { tls = "good" })
    client = minimax.new { base_url = server.url, api_key = "sk-spec-key",
      ca_file = server.ca_file, retries = 0 }
  end)

  teardown(function()
    client:close()
    server:stop()
  end)

  it("goes over TLS", function()
    assert(client:download(server.url .. "/a", path))
    assert_file()
  end)

  it("of an http link is upgraded to https", function()
    assert(client:download((server.url:gsub("https", "http")) .. "/a", path))
    assert_file()
  end)

  it("does not follow a redirect to http", function()
    assert_fault("protocol", "https://", client:download(server.url .. "/down", path))
    assert.same({}, folder:names())
  end)

  it("follows a redirect to https in whatever spelling", function()
    for _, name in ipairs { "up", "side" } do
      assert(client:download(server.url .. "/" .. name, path))
      assert_file()
    end
  end)

  it("reads links of no other scheme", function()
    for _, link in ipairs { "ftp://127.0.0.1/a", "file:///etc/passwd", "gopher://127.0.0.1/" } do
      assert_fault("invalid", "URL", client:download({ url = link }, path, { verify = false }))
    end
    assert.same({}, folder:names())
  end)

  it("uses HTTP/1.1, for a paused HTTP/2 stream holds up its neighbours", function()
    local other <close> = start({ a = { VIDEO } }, { tls = "h2" }) -- and would speak that
    local its_client <close> = minimax.new { base_url = other.url, api_key = "sk-spec-key",
      ca_file = other.ca_file, retries = 0 }
    assert(its_client:download(other.url .. "/a", path))
    assert.matches(" HTTP/1.1\r\n", other:requests()[1].head)
  end)
end)

for _, kind in ipairs { "expired", "wrong_host", "unknown_authority" } do
  it("a storage host with a certificate that is " .. kind .. " is kind tls, at once", function()
    local server <close> = start({ a = { VIDEO } }, { tls = kind })
    local client <close> = minimax.new { base_url = server.url, api_key = "sk-spec-key",
      ca_file = server.ca_file }
    local err = assert_fault("tls", "certificate", client:download(server.url .. "/a", path))
    assert.equal(1, err.attempts)
    assert.same({}, folder:names())
    assert.same({}, server:requests())
  end)
end

describe("a private address", function()
  local server

  setup(function()
    server = start { a = { VIDEO }, inward = {
      { status = 302, headers = { Location = "http://169.254.169.254/latest/meta-data" } } } }
  end)

  teardown(function()
    server:stop()
  end)

  local function far_client(options)
    options = options or {}
    options.base_url, options.api_key, options.retries = FAR, "sk-spec-key", 0
    return minimax.new(options)
  end

  local function refused(link, options)
    local client <close> = far_client()
    local before = server:connections()
    assert_fault("invalid", "private", client:download(link, path, options))
    assert.equal(before, server:connections())
    assert.same({}, folder:names())
  end

  for _, host in ipairs { "127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1",
    "[::1]", "[::ffff:127.0.0.1]", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "[fe80::1]", "[fd00::1]" } do
    it("is refused: " .. host, function()
      refused("http://" .. host .. ":" .. server.port .. "/a")
    end)
  end

  it("is refused after the name was resolved", function()
    refused("http://localhost:" .. server.port .. "/a")
  end)

  it("is refused before anything is sent, and the link's query is not in the error", function()
    local client <close> = far_client()
    local _, err = client:download("http://127.0.0.1:" .. server.port .. "/a?Signature=s3cret",
      path)
    assert.is_nil(tostring(err):find("s3cret", 1, true))
    assert.is_false(err.retryable)
  end)

  it("is let by allow_private", function()
    local client <close> = far_client()
    assert(client:download(server.url .. "/a", path, { allow_private = true }))
    assert_file()
  end)

  it("is let where base_url itself is one", function()
    for _, host in ipairs { "127.0.0.1", "localhost", "[::1]" } do
      local client <close> = minimax.new { base_url = "http://" .. host .. ":9",
        api_key = "sk-spec-key" }
      assert(client:download(server.url .. "/a", path))
      assert_file()
    end
  end)

  it("is let for files/retrieve_content, the API's own origin, and only there", function()
    local own = dns.gethostname()
    local address = dns.toip(own)
    if not address or not address:find("^127%.") then
      return pending("this machine's own name does not lead to the loopback")
    end
    local api <close> = start({ a = { VIDEO }, v1 = {
      { status = 200, body = '{"file":{"file_id":5}}' }, VIDEO } }, { host = address })
    local base = "http://" .. own .. ":" .. api.port
    local client <close> = minimax.new { base_url = base, api_key = "sk-spec-key" }
    assert(client:download({ file_id = "5" }, path))
    assert_file()
    assert_fault("invalid", "private", client:download(base .. "/a", path))
  end)

  it("is refused on a later hop, though the first was public", function()
    -- The proxy stands for the public internet.
    local client <close> = far_client { proxy = server.url }
    assert_fault("invalid", "private",
      client:download("http://storage.example.invalid/inward", path))
    local requests = server:requests()
    assert.equal("http://storage.example.invalid/inward", requests[#requests].path)
  end)

  it("by name is refused on a later hop that goes past the proxy", function()
    local hop <close> = start { inward = { { status = 302, headers = {
      Location = "http://localhost:" .. server.port .. "/a" } } } }
    local before = server:connections()
    local result = process.run {
      env = { http_proxy = hop.url, no_proxy = "localhost", MINIMAX_API_KEY = "sk-spec-key" },
      script = ([[
        local client = require "minimax".new { base_url = %q, retries = 0 }
        local _, err = client:download("http://storage.example.invalid/inward", %q)
        io.write(err.kind, " ", err.message)
      ]]):format(FAR, path),
    }
    assert.matches("^invalid .*private", result.out, result.err)
    assert.equal(1, #hop:requests())
    assert.equal(before, server:connections())
  end)

  it("is refused through a proxy where the link names it", function()
    local client <close> = far_client { proxy = server.url }
    local before = #server:requests()
    for _, host in ipairs { "10.1.2.3", "localhost", "[::1]" } do
      assert_fault("invalid", "private", client:download("http://" .. host .. "/a", path))
    end
    assert.equal(before, #server:requests())
  end)

  it("is the proxy's own affair: it may be one itself", function()
    local client <close> = far_client { proxy = server.url }
    assert(client:download("http://storage.example.invalid/a", path))
    assert_file()
  end)
end)

describe("calls of one easy handle", function()
  it("ask each for its own target, and one that is too long for none", function()
    local prefix = "/a%2Fb/../c/v1/query/video_template_generation?task_id="
    local api <close> = wire.start { serve = [[
      local connection = ...
      for request in connection.read_request, connection do
        connection:reply(200, {}, ('{"task_id":"%s","status":"Processing"}'):format(
          request.path:match "%d+$"))
      end
    ]] }
    local client <close> = minimax.new { base_url = api.url .. "/a%2Fb/../c",
      api_key = "sk-spec-key", retries = 0 }
    assert(client:query("1"))
    local _, err = client:query(("1"):rep(9000000))
    assert.equal("invalid", err.kind)
    assert(client:query("2"))
    assert(client:query("3"))
    local asked = {}
    for _, request in ipairs(api:requests()) do
      asked[#asked + 1] = request.path
      assert.equal("127.0.0.1:" .. api.port, request.headers.host)
    end
    assert.same({ prefix .. "1", prefix .. "2", prefix .. "3" }, asked)
  end)
end)
