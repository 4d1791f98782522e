--- src/net/profile.c: which proxy a transfer takes, and what goes through it.

local minimax = require "minimax"
local process = require "spec.support.process"
local storage = require "spec.support.storage"
local temp = require "spec.support.temp"
local video = require "spec.support.video"
local wire = require "spec.support.wire"

local KEY = "sk-spec-key-1234"
local SIZE = 100000
local FAR = "http://storage.example.invalid/a%2Fb?Signature=s%2Bx"

-- A proxy that ends the tunnel itself: the host behind it is its own.
local TUNNEL = [[
  local connection = ...
  local storage = require "spec.support.storage"
  local request = connection:read_request()
  if request.method == "CONNECT" then
    connection:send "HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n"
    if not connection:starttls "good" then
      return
    end
  else
    storage.answer(connection, request, { size = 100000 })
  end
  storage.serve(connection, { size = 100000 })
]]

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

local function client_of(options)
  options.api_key = KEY
  options.base_url = options.base_url or "http://api.example.invalid"
  options.retries = options.retries or 0
  return minimax.new(options)
end

before_each(function()
  folder = temp.folder()
  path = folder:file("out.mp4")
end)

after_each(function()
  folder:close()
end)

describe("a download through a proxy", function()
  it("asks for an http link in absolute form, verbatim, without the key", function()
    local proxy <close> = wire.start { serve = TUNNEL }
    local client <close> = client_of { proxy = proxy.url, headers = { ["X-Mine"] = "1" } }
    assert(client:download(FAR, path))
    assert_file()
    local request = proxy:requests()[1]
    assert.equal(FAR, request.path)
    assert.equal("storage.example.invalid", request.headers.host)
    assert.is_nil(request.head:find(KEY, 1, true))
    assert.is_nil(request.headers["x-mine"])
  end)

  it("goes to an https link through a tunnel, which sees no more than its name", function()
    local proxy <close> = wire.start { serve = TUNNEL, tls = "later" }
    local client <close> = client_of { proxy = (proxy.url:gsub("https", "http")),
      base_url = "https://localhost:9", ca_file = proxy.ca_file }
    assert(client:download("https://localhost/a?Signature=s3cret", path))
    assert_file()
    local requests = proxy:requests()
    assert.equal("CONNECT", requests[1].method)
    assert.equal("localhost:443", requests[1].path)
    assert.is_nil(requests[1].head:find("s3cret", 1, true))
    assert.equal("/a?Signature=s3cret", requests[2].path)
  end)

  for _, status in ipairs { 403, 404, 407, 502 } do
    it("that refuses the tunnel with " .. status .. " is kind network, not an expired link",
      function()
        local proxy <close> = wire.start { serve = storage.script {
          [""] = { { status = status, body = "no" } } } }
        local client <close> = client_of { proxy = proxy.url,
          base_url = "https://api.example.invalid" }
        local err = assert_fault("network", tostring(status),
          client:download("https://storage.example.invalid/a", path))
        assert.is_nil(err.http_status)
        assert.same({}, folder:names())
      end)
  end

  it("that is reached over TLS is trusted as a host is", function()
    local proxy <close> = wire.start { serve = TUNNEL, tls = "good" }
    local client <close> = client_of { proxy = proxy.url, ca_file = proxy.ca_file }
    assert(client:download(FAR, path))
    assert_file()
    local wary <close> = client_of { proxy = proxy.url, ca_file = "/dev/null" }
    assert_fault("tls", "", wary:download(FAR, path))
    local blind <close> = client_of { proxy = proxy.url, insecure = true }
    assert(blind:download(FAR, path))
  end)

  it("that is not there is kind network", function()
    local refused <close> = wire.refused()
    local client <close> = client_of { proxy = refused.url }
    assert_fault("network", "connection", client:download(FAR, path))
  end)

  it("proves itself with the proxy's own name and password, which no error shows", function()
    local proxy <close> = wire.start { serve = TUNNEL }
    local client <close> = client_of { proxy = proxy.url:gsub("//", "//me:pa55word@") .. "" }
    assert(client:download(FAR, path))
    assert.equal("Basic bWU6cGE1NXdvcmQ=", proxy:requests()[1].headers["proxy-authorization"])
    local refused <close> = wire.refused()
    local other <close> = client_of { proxy = refused.url:gsub("//", "//me:pa55word@") .. "" }
    local _, err = other:download(FAR, path)
    assert.is_nil(tostring(err):find("pa55word", 1, true))
  end)

  it("is told to each hop of its own: a redirect may leave the proxy", function()
    local near <close> = wire.start { serve = storage.script { a = { { size = SIZE } } } }
    local proxy <close> = wire.start { serve = storage.script { a = {
      { status = 302, headers = { Location = near.url .. "/a" } } } } }
    local result = process.run {
      env = { http_proxy = proxy.url, no_proxy = "127.0.0.1", MINIMAX_API_KEY = KEY },
      script = ([[
        local client = require "minimax".new { base_url = "http://api.example.invalid" }
        local info = assert(client:download("http://storage.example.invalid/a", %q,
          { allow_private = true }))
        print(info.bytes)
      ]]):format(path),
    }
    assert.equal(SIZE .. "\n", result.out, result.err)
    assert.equal(1, #proxy:requests())
    assert.equal("/a", near:requests()[1].path)
    assert_file()
  end)
end)

describe("the environment", function()
  it("is read when a client is made, and counts for it from then on", function()
    local proxy <close> = wire.start { serve = TUNNEL }
    local other <close> = wire.start { serve = TUNNEL }
    local result = process.run {
      env = { http_proxy = proxy.url, MINIMAX_API_KEY = KEY },
      script = ([[
        local minimax = require "minimax"
        local uv = require "luv"
        local options = { base_url = "http://api.example.invalid", retries = 0 }
        local first = minimax.new(options)
        uv.os_setenv("http_proxy", %q)
        local second = minimax.new(options)
        uv.os_unsetenv("http_proxy")
        local third = minimax.new(options)
        print(first:download(%q, %q).bytes)
        print(second:download(%q, %q).bytes)
        print(select(2, third:download(%q, %q)).kind)
      ]]):format(other.url, FAR, path, FAR, path, FAR, path),
    }
    assert.equal(SIZE .. "\n" .. SIZE .. "\nnetwork\n", result.out, result.err)
    assert.equal(1, #proxy:requests())
    assert.equal(1, #other:requests())
  end)
end)

describe("an API call through a proxy", function()
  it("sends the key through the tunnel and not to the proxy", function()
    local proxy <close> = wire.start { tls = "later", serve = [[
      local connection = ...
      connection:read_request()
      connection:send "HTTP/1.1 200 OK\r\nRetry-After: 5\r\nTrace-Id: of-the-proxy\r\n\r\n"
      connection:starttls "good"
      connection:read_request()
      connection:reply(200, { ["Trace-Id"] = "of-the-api" },
        '{"task_id":"1","status":"Processing","base_resp":{"status_code":0}}')
    ]] }
    local client <close> = client_of { base_url = "https://localhost",
      proxy = (proxy.url:gsub("https", "http")), ca_file = proxy.ca_file }
    local status = assert(client:query("1"))
    assert.equal("of-the-api", status.trace_id)
    local requests = proxy:requests()
    assert.is_nil(requests[1].head:find(KEY, 1, true))
    assert.equal("Bearer " .. KEY, requests[2].headers.authorization)
  end)

  it("that the proxy does not connect was certainly not sent", function()
    local proxy <close> = wire.start { serve = storage.script {
      [""] = { { status = 503, body = "no" } } } }
    local client <close> = client_of { proxy = proxy.url,
      base_url = "https://api.example.invalid" }
    local _, err = client:submit { template_id = "1" }
    assert.equal("network", err.kind)
    assert.is_true(err.retryable)
    assert.is_nil(err.http_status)
  end)
end)

describe("no_proxy", function()
  local proxy, near

  setup(function()
    proxy = wire.start { serve = storage.script { [""] = { { status = 418 } } } }
    near = wire.start {
      serve = storage.script { [""] = { { status = 403 } } } }
  end)

  teardown(function()
    proxy:stop()
    near:stop()
  end)

  -- Where a download of this link went: "proxy" or "direct".
  local function way(list, host)
    local before = #proxy:requests()
    local result = process.run {
      env = { http_proxy = proxy.url, no_proxy = list, MINIMAX_API_KEY = KEY },
      script = ([[
        local client = require "minimax".new { base_url = "http://127.0.0.1:9", retries = 0 }
        print(select(2, client:download(%q, %q)))
      ]]):format("http://" .. host .. ":" .. near.port .. "/", path),
    }
    assert.equal(0, result.code, result.err)
    return #proxy:requests() > before and "proxy" or "direct"
  end

  for _, case in ipairs {
    { "127.0.0.1", "127.0.0.1", "direct" },
    { "example.com, localhost", "localhost", "direct" },
    { "LOCALHOST", "localhost", "direct" },
    { ".localhost", "localhost", "direct" },
    { "*", "127.0.0.1", "direct" },
    { "127.0.0.0/8", "127.0.0.1", "direct" },
    { "127.0.0.2/30", "127.0.0.1", "direct" },
    { "127.0.0.2/31", "127.0.0.1", "proxy" },
    { "10.0.0.0/8", "127.0.0.1", "proxy" },
    { "0.0.0.0/0", "127.0.0.1", "proxy" },
    { "::/0", "127.0.0.1", "proxy" },
    { "127.0.0.0/8", "localhost", "proxy" },
    { "10.0.0.1,::1", "[::1]", "direct" },
    { "fd00::/8", "[::1]", "proxy" },
    { "host", "localhost", "proxy" },
    { "x.localhost", "localhost", "proxy" },
    { "", "127.0.0.1", "proxy" },
  } do
    it(("%q sends a link of %s %s"):format(case[1], case[2], case[3]), function()
      assert.equal(case[3], way(case[1], case[2]))
    end)
  end
end)
