--- src/base/nearest.c: the known word nearest to a misspelt one.

local pure = require "pure"

local OPTIONS = {
  "api_key", "base_url", "auth", "headers", "query", "connect_timeout", "request_timeout",
  "stall_timeout", "retries", "poll_interval", "wait_timeout", "submit_rate", "query_rate",
  "max_connections", "proxy", "ca_file", "ca_path", "block", "insecure",
  "max_response_bytes", "on_event",
}

describe("nearest", function()
  it("finds the option that was meant", function()
    local slips = {
      apikey = "api_key", api_keys = "api_key", API_KEY = "api_key", ["api-key"] = "api_key",
      basee_url = "base_url", baseurl = "base_url", header = "headers",
      connection_timeout = "connect_timeout", requset_timeout = "request_timeout",
      retrys = "retries", pollinterval = "poll_interval",
      wait_timout = "wait_timeout", max_connection = "max_connections",
      porxy = "proxy", cafile = "ca_file", blok = "block", on_evnet = "on_event",
    }
    for slip, meant in pairs(slips) do
      assert.equal(meant, pure.nearest(slip, OPTIONS), slip)
    end
  end)

  it("names nothing where nothing is near", function()
    for _, word in ipairs { "", "x", "frequency", "colour", "timeout_of_everything", "zzzzz" } do
      assert.is_nil(pure.nearest(word, OPTIONS), word)
    end
    assert.is_nil(pure.nearest("word", {}))
  end)

  it("lets letter case count for nothing", function()
    assert.equal("Block", pure.nearest("bLOCK", { "clock", "Block" }))
  end)

  it("counts two swapped neighbours as one slip", function()
    assert.equal("form", pure.nearest("from", { "frost", "form" }))
  end)

  it("takes the nearer of two, and the first of two equally near", function()
    assert.equal("query_rate", pure.nearest("query_rat", { "query", "query_rate" }))
    assert.equal("ca_file", pure.nearest("ca_fith", { "ca_file", "ca_path" }))
    assert.equal("abcdx", pure.nearest("abcde", { "abcdx", "abcdy" }))
  end)

  it("allows a third of the longer word, and two slips in a short one", function()
    assert.equal("abcdefghi", pure.nearest("abcdefxyz", { "abcdefghi" }))
    assert.is_nil(pure.nearest("abcdewxyz", { "abcdefghi" }))
    assert.equal("abcd", pure.nearest("abxy", { "abcd" }))
    assert.is_nil(pure.nearest("axyz", { "abcd" }))
  end)

  it("does not take one short word for another", function()
    assert.is_nil(pure.nearest("ab", { "xy" }))
    assert.is_nil(pure.nearest("a", { "x" }))
    assert.equal("id", pure.nearest("ids", { "id" }))
  end)

  it("leaves words of absurd length alone", function()
    assert.is_nil(pure.nearest(("a"):rep(65), { ("a"):rep(65) }))
    assert.equal(("a"):rep(64), pure.nearest(("a"):rep(63), { ("a"):rep(64), ("a"):rep(70) }))
    assert.is_nil(pure.nearest(("a"):rep(100000), OPTIONS))
  end)
end)
