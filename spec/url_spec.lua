--- src/url.c: what becomes of a base URL, and of ids in URLs.

local api = require "spec.support.api"
local minimax = require "minimax"

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
    assert.equal("https://gate.example/v2", base "https://gate.example/v2")
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
end)
