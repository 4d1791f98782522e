--- src/net/url.c: what becomes of a base URL, of ids in URLs, and of links.

local api = require "spec.support.api"
local emulator = require "minimax.emulator"
local minimax = require "minimax"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

-- The base URL as the client uses it.
local function base(url)
  local client <close> = minimax.new { base_url = url, api_key = "sk-api-example" }
  return tostring(client):match("^minimax%.client: (.*)$")
end

local function problem(url)
  local ok, message = pcall(minimax.new, { base_url = url })
  assert.is_false(ok, url)
  return message
end

describe("a base URL", function()
  it("keeps its path prefix", function()
    assert.equal("https://models.phanedge.cloud/minimaxi",
      base "https://models.phanedge.cloud/minimaxi")
    assert.equal("https://api.302.ai/minimaxi", base "https://api.302.ai/minimaxi/")
    assert.equal("http://127.0.0.1:8080/a/b", base "http://127.0.0.1:8080/a/b")
  end)

  it("loses a trailing / and /v1, also where both are doubled", function()
    for _, tail in ipairs { "", "/", "/v1", "/v1/", "//", "/v1/v1/", "/v1//" } do
      assert.equal("https://api.minimax.io", base("https://api.minimax.io" .. tail))
      assert.equal("https://gate.example/minimaxi", base("https://gate.example/minimaxi" .. tail))
    end
  end)

  it("keeps what only looks like /v1", function()
    assert.equal("https://v1", base "https://v1")
    assert.equal("https://v1", base "https://v1/v1")
    assert.equal("https://gate.example/apiv1", base "https://gate.example/apiv1")
    assert.equal("https://gate.example/v1/minimax", base "https://gate.example/v1/minimax")
  end)

  it("may be http:// because it was written", function()
    assert.equal("http://api.example", base "http://api.example")
    assert.equal("http://api.example", base "HTTP://api.example")
  end)

  it("that can't be one raises and says why", function()
    assert.is_truthy(problem("ftp://api.example"):find("https:// or http://", 1, true))
    assert.is_truthy(problem("api.minimax.io"):find("https:// or http://", 1, true))
    assert.is_truthy(problem("https://"):find("https:// or http://", 1, true))
    assert.is_truthy(problem("https://api.example/?a=b"):find("use the option query", 1, true))
    assert.is_truthy(problem("https://api.example/#x"):find("fragment", 1, true))
    assert.is_truthy(problem("https://a b.example"):find("https:// or http://", 1, true))
  end)

  it("with a password raises without showing it", function()
    local message = problem "https://me:hunter2@api.example"
    assert.is_truthy(message:find("user name or password", 1, true))
    assert.is_nil(message:find("hunter2", 1, true))
  end)
end)

describe("an id in a URL", function()
  local server

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  it("is percent-encoded, as a parameter and in a path", function()
    local client <close> = server:client()
    server:answer('{"status":"Processing"}')
    assert(client:query("a/b?c&d=e f#g%\u{e9}", { kind = "video" }))
    assert(client:query("a/b?c&d", { kind = "video2" }))
    local asked = server:asked()
    assert.equal("/v1/query/video_generation?task_id=a%2Fb%3Fc%26d%3De%20f%23g%25%C3%A9",
      asked[1].path)
    assert.equal("/v2/query/video_generation/a%2Fb%3Fc%26d", asked[2].path)
  end)

  it("never leads to another path", function()
    local client <close> = server:client()
    for _, id in ipairs { ".", "..", "" } do
      assert.is_false(pcall(client.query, client, id, { kind = "video2" }))
      assert.is_false(pcall(client.cancel, client, id))
    end
  end)

  it("is not cut at a NUL byte: that raises", function()
    local client <close> = server:client()
    assert.is_false(pcall(client.query, client, "1\0002"))
    assert.is_false(pcall(client.retrieve, client, "1\0002"))
  end)

  it("follows the client's path prefix and stands beside its extra parameters", function()
    local client <close> = server:client {
      base_url = server.url .. "/minimaxi/v1", query = { GroupId = "a b" },
    }
    server:answer('{"status":"Processing"}')
    assert(client:query "1")
    assert(client:query("1", { kind = "video2" }))
    local asked = server:asked()
    assert.equal("/minimaxi/v1/query/video_template_generation?task_id=1&GroupId=a%20b",
      asked[1].path)
    assert.equal("/minimaxi/v2/query/video_generation/1?GroupId=a%20b", asked[2].path)
  end)

  for _, prefix in ipairs { "/a%2fb", "/a//b", "/./a", "/a/..", "/..", "/a/%2e%2e/%7e~",
    "/a;b=c:d@e", "/v1/v1/x", "/%c3%a9", "//" } do
    it("follows the path prefix " .. prefix .. " as it was written", function()
      local client <close> = server:client { base_url = server.url .. prefix .. "/v1/" }
      server:answer('{"status":"Processing"}')
      assert(client:query("a/b", { kind = "video2" }))
      assert(client:query("a/b", { kind = "video" }))
      local asked = server:asked()
      local kept = prefix:gsub("/+$", "")
      assert.equal("GET " .. kept .. "/v2/query/video_generation/a%2Fb HTTP/1.1",
        asked[1].head:match "^[^\r]*")
      assert.equal("GET " .. kept .. "/v1/query/video_generation?task_id=a%2Fb HTTP/1.1",
        asked[2].head:match "^[^\r]*")
    end)
  end
end)

describe("over HTTP/2, an id and a path prefix", function()
  it("are asked for as they were written", function()
    local emu <close> = assert(emulator.start { tls = true, path_prefix = "/a%2fb//c/./d/.." })
    local client <close> = minimax.new { base_url = emu.base_url, api_key = emu.api_key,
      ca_file = emu.ca_file, retries = 0 }
    local task = assert(client:submit { model = "MiniMax-Hailuo-2.3", prompt = "A lion" })
    assert(task:query())
    client:query("a/b", { kind = "video2" })
    local requests = emu:requests()
    assert.equal(3, #requests)
    for _, request in ipairs(requests) do
      assert.equal("2", request.http)
    end
    assert.equal("/a%2fb//c/./d/../v2/query/video_generation/a%2Fb", requests[3].path)
  end)
end)

-- A link is signed as it stands, so it is asked for as it stands, whatever a
-- version of libcurl thinks of it.
describe("a link", function()
  local PATHS = { "/", "/a.mp4", "/a%2fb%2Fc", "/%7e~%41", "/a//b/./c.mp4", "/a/../b", "/..//../x",
    "/./a/.", "/a/..", "//a", "/a%2e%2e/%2E/b", "/a;b,c:d@e!$&'()*+=", "/a|b{c}[d]\\e^f`g\"h<i>",
    "/\u{e9}%c3%A9", "/%", "/%zz", "/a?", "/a??b", "/a?b=%2f/./../%7e&c=d%3d+e//f", "/a?b=/../c",
    "/a?b#c", "/a#/../b?c", "?a=b", "" }

  -- Answers with a video, or with a redirect to what a header of this request's
  -- file says; so does a proxy, and it ends tunnels itself.
  local SERVE = [[
    local connection = ...
    local path, certificate = %q, %q
    local video = require "spec.support.video"
    while true do
      local request = connection:read_request()
      if not request then
        return
      end
      local file = io.open(path)
      local target = file and file:read "a" or ""
      if file then
        file:close()
      end
      if request.method == "CONNECT" then
        connection:send "HTTP/1.1 200 OK\r\n\r\n"
        if not connection:starttls(certificate) then
          return
        end
      elseif target ~= "" and request.path:find "/begin$" then
        connection:reply(302, { Location = target })
      else
        connection:reply(200, { ["Content-Type"] = "video/mp4" }, video.make(1000))
      end
    end
  ]]

  local folder, plain, secure, proxy

  setup(function()
    folder = temp.folder()
    local serve = SERVE:format(folder:file "target", "good")
    plain = wire.start { serve = serve }
    secure = wire.start { serve = serve, tls = "good" }
    proxy = wire.start { serve = serve, tls = "later" }
    proxy.url = proxy.url:gsub("https", "http")
  end)

  teardown(function()
    plain:stop()
    secure:stop()
    proxy:stop()
    folder:close()
  end)

  -- What a request asks for: no fragment, a slash at least, ASCII.
  local function target_of(path)
    path = path:gsub("#.*$", ""):gsub("\u{e9}", "%%C3%%A9")
    return path:find "^/" and path or "/" .. path
  end

  -- The first line that came to the server for a download of the link.
  local function line_of(server, options, link)
    options.api_key, options.retries = "sk-spec-key", 0
    local client <close> = minimax.new(options)
    assert(client:download(link, folder:file "out.mp4"))
    local requests = server:requests()
    return (requests[#requests].head:match "^[^\r]*")
  end

  local function redirect_to(location)
    folder:write("target", location)
  end

  local ways = {
    ["of http"] = function(path)
      return line_of(plain, { base_url = plain.url }, plain.url .. path)
    end,
    ["of https"] = function(path)
      return line_of(secure, { base_url = secure.url, ca_file = secure.ca_file },
        secure.url .. path)
    end,
    ["with a name and a password"] = function(path)
      local link = plain.url:gsub("//", "//me:p%%40ss@") .. path
      return line_of(plain, { base_url = plain.url }, link)
    end,
    ["that was redirected to"] = function(path)
      redirect_to(plain.url .. path)
      return line_of(plain, { base_url = plain.url }, plain.url .. "/x/./begin")
    end,
    ["that was redirected to without a scheme"] = function(path)
      redirect_to((plain.url:gsub("^http:", "")) .. path)
      return line_of(plain, { base_url = plain.url }, plain.url .. "/x/./begin")
    end,
    ["that a tunnel leads to"] = function(path)
      return line_of(proxy, { base_url = "https://localhost:9", proxy = proxy.url,
        ca_file = proxy.ca_file }, "https://localhost" .. path)
    end,
  }

  for way, send in pairs(ways) do
    for _, path in ipairs(PATHS) do
      it(way .. " is asked for as it stands: " .. path, function()
        redirect_to ""
        assert.equal("GET " .. target_of(path) .. " HTTP/1.1", send(path))
      end)
    end
  end

  for _, path in ipairs(PATHS) do
    it("is asked of a proxy as it stands, with its host: " .. path, function()
      redirect_to ""
      for host, sent in pairs { ["far.invalid"] = "far.invalid",
        ["far.invalid:80"] = "far.invalid:80",
        ["me:p%40ss@FAR.invalid:8080"] = "FAR.invalid:8080" } do
        local line = line_of(proxy, { base_url = "http://api.invalid", proxy = proxy.url },
          "http://" .. host .. path)
        assert.equal("GET http://" .. sent .. target_of(path) .. " HTTP/1.1", line)
      end
    end)
  end

  -- RFC 3986, 5.4, but for what names another host, which is a link.
  for reference, expected in pairs {
    ["g"] = "/b/c/g", ["./g"] = "/b/c/g", ["g/"] = "/b/c/g/", ["/g"] = "/g", ["?y"] = "/b/c/d;p?y",
    ["g?y"] = "/b/c/g?y", ["#s"] = "/b/c/d;p?q", ["g#s"] = "/b/c/g", [";x"] = "/b/c/;x",
    ["."] = "/b/c/", ["./"] = "/b/c/", [".."] = "/b/", ["../"] = "/b/", ["../g"] = "/b/g",
    ["../.."] = "/", ["../../g"] = "/g", ["../../../../g"] = "/g", ["/./g"] = "/g",
    ["/../g"] = "/g", ["g."] = "/b/c/g.", ["..g"] = "/b/c/..g", ["./../g"] = "/b/g",
    ["./g/."] = "/b/c/g/", ["g/./h"] = "/b/c/g/h", ["g/../h"] = "/b/c/h", ["g;x=1/../y"] = "/b/c/y",
    ["g?y/../x"] = "/b/c/g?y/../x", ["g?y/./x#/../z"] = "/b/c/g?y/./x", ["/a%2fb//c"] = "/a%2fb//c",
    ["/a b?c d"] = "/a%20b?c%20d", ["..?y"] = "/b/?y", ["g/.."] = "/b/c/",
  } do
    it("redirects to " .. reference .. ", which is " .. expected, function()
      local server <close> = wire.start { serve = ([[
        local connection = ...
        connection:read_request()
        connection:reply(302, { Location = %q })
        connection:read_request()
        connection:reply(200, {}, require "spec.support.video".make(1000))
      ]]):format(reference) }
      assert.equal("GET " .. expected .. " HTTP/1.1",
        line_of(server, { base_url = server.url }, server.url .. "/b/c/d;p?q"))
    end)
  end

  it("redirects from a host alone to a name beside it", function()
    redirect_to "" -- only of /begin
    local server <close> = wire.start { serve = [[
      local connection = ...
      connection:read_request()
      connection:reply(302, { Location = "g" })
      connection:read_request()
      connection:reply(200, {}, require "spec.support.video".make(1000))
    ]] }
    assert.equal("GET /g HTTP/1.1", line_of(server, { base_url = server.url }, server.url))
  end)
end)
