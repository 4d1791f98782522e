-- `minimax doctor`: each line, well and not.

local api = require "spec.support.api"
local command = require "spec.support.command"
local minimax = require "minimax"
local temp = require "spec.support.temp"

local REFUSED = '{"base_resp":{"status_code":2049,"status_msg":"invalid api key"}}'
local NO_TASK = '{"base_resp":{"status_code":2013,"status_msg":"task id invalid"}}'

-- The checks of a run by name, and its exit code.
local function examine(options)
  local words = table.move(options, 1, #options, 2, { "doctor" })
  local result = command.run(table.move({ "--json", "--retries", "0" }, 1, 3, #words + 1, words),
    { env = options.env })
  assert.equal("", result.err)
  local checks = {}
  for _, line in ipairs(result.lines) do
    checks[line.check.name] = line.check
  end
  return checks, result.code, result
end

local function http_date(seconds)
  return os.date("!%a, %d %b %Y %H:%M:%S GMT", seconds)
end

describe("the doctor", function()
  local server

  before_each(function()
    server = api.start()
  end)

  after_each(function()
    server:close()
  end)

  local function answer(...)
    local replies = { ... }
    for index, body in ipairs(replies) do
      replies[index] = { body = body, headers = { Date = http_date(os.time()) } }
    end
    server:answer(table.unpack(replies))
  end

  it("finds nothing where all is well, costs nothing, and shows no key", function()
    answer(REFUSED, NO_TASK)
    local checks, code, result = examine { env = { MINIMAX_API_KEY = api.KEY,
      MINIMAX_BASE_URL = server.url } }
    assert.equal(0, code)
    for name, check in pairs(checks) do
      assert.equal("ok", check.state, name .. ": " .. check.found)
    end
    local names = {}
    for index, line in ipairs(result.lines) do
      names[index] = line.check.name
    end
    assert.same({ "versions", "optional", "address", "key", "proxy", "dns", "connection", "tls",
      "clock", "region" }, names)
    assert.matches("libcurl/%d", checks.versions.found)
    assert.is_nil(result.out:find(api.KEY, 1, true))
    local asked = server:asked()
    assert.same({ 2, "GET", "GET" }, { #asked, asked[1].method, asked[2].method })
    assert.is_nil(asked[1].headers.authorization)
    assert.equal("Bearer " .. api.KEY, asked[2].headers.authorization)
  end)

  it("prints one line for each check, for people", function()
    answer(REFUSED, NO_TASK)
    local result = command.run({ "doctor" }, { env = { MINIMAX_API_KEY = api.KEY,
      MINIMAX_BASE_URL = server.url } })
    assert.equal(10, select(2, result.out:gsub("\nok    ", "\n")) + 1)
    assert.equal(10, select(2, result.out:gsub("\n", "")))
    assert.is_nil(result.out:find(api.KEY, 1, true))
  end)

  it("says which key is missing, refused or open to others", function()
    answer(REFUSED)
    local checks, code = examine { "--base-url", server.url }
    assert.same({ "fail", "auth", 3 }, { checks.key.state, checks.key.kind, code })
    assert.matches("MINIMAX_API_KEY", checks.key.advice, 1, true)
    assert.equal("warn", checks.region.state)
    checks, code = examine { "--base-url", server.url, env = { MINIMAX_API_KEY = "sk-cp-x" } }
    assert.matches("a subscription's", checks.key.found, 1, true)
    assert.same({ "fail", "auth", 3 }, { checks.region.state, checks.region.kind, code })
    local folder <close> = temp.folder()
    assert(os.execute("chmod 644 " .. folder:write("key", "sk-x")))
    checks, code = examine { "--base-url", server.url, "--key-file", folder:file "key" }
    assert.matches("chmod 600", checks.key.found, 1, true)
    assert.equal(3, code)
  end)

  it("tells a clock that is wrong, by the server's", function()
    for ahead, words in pairs { [4000] = "ahead of", [-4000] = "behind" } do
      server:answer { body = REFUSED, headers = { Date = http_date(os.time() - ahead) } }
      local checks = examine { "--base-url", server.url, env = { MINIMAX_API_KEY = "sk-spec" } }
      assert.equal("warn", checks.clock.state)
      assert.matches("^%d+ s " .. words, checks.clock.found)
      local off = tonumber(checks.clock.found:match("%d+"))
      assert.is_true(off >= 3990 and off <= 4010, checks.clock.found)
    end
    server:answer(REFUSED)
    assert.equal("warn", (examine { "--base-url", server.url }).clock.state)
  end)

  it("tells a name, a connection and a certificate apart", function()
    local env = { MINIMAX_API_KEY = "sk-spec" }
    local checks, code = examine { "--base-url", "https://no-such-host.invalid", env = env }
    assert.same({ "fail", 11 }, { checks.dns.state, code })
    assert.matches("no-such-host.invalid", checks.dns.found, 1, true)
    assert.equal("warn", checks.connection.state)
    checks, code = examine { "--base-url", "http://127.0.0.1:1", env = env }
    assert.same({ "ok", "fail", 11 }, { checks.dns.state, checks.connection.state, code })
    local secure <close> = api.start { tls = "good" }
    secure:answer(NO_TASK)
    checks, code = examine { "--base-url", secure.url, env = env }
    assert.same({ "ok", "fail", 12 }, { checks.connection.state, checks.tls.state, code })
    assert.matches("--ca-file", checks.tls.advice, 1, true)
    checks, code = examine { "--base-url", secure.url, "--ca-file", secure.ca_file, env = env }
    assert.same({ "ok", 0 }, { checks.tls.state, code })
  end)

  it("names the proxy that is used, without its password", function()
    local proxy = "http://user:secret@127.0.0.1:1"
    local checks, _, result = examine { "--base-url", "https://example.invalid",
      env = { MINIMAX_API_KEY = "sk-spec", https_proxy = proxy, no_proxy = "localhost" } }
    assert.matches("//…@127.0.0.1:1 (https_proxy), but not for localhost", checks.proxy.found, 1,
      true)
    assert.is_nil(result.out:find("secret", 1, true))
    for _, secret in ipairs { "user:secret@127.0.0.1:1", "socks5h://user:se/c@ret@127.0.0.1:1",
      "http://user:secret@127.0.0.1:1/x@y" } do
      checks = examine { "--base-url", "https://example.invalid", "--proxy", secret }
      assert.matches("…@", checks.proxy.found, 1, true)
      assert.is_nil(checks.proxy.found:find("se[c/]"))
    end
    checks = examine { "--base-url", "https://example.invalid", "--proxy", proxy }
    assert.matches("(--proxy)", checks.proxy.found, 1, true)
  end)

  it("says that a key is accepted where the API itself does, and else what answered", function()
    local PAGE = "<html>Welcome</html>"
    local cases = {
      { "ok", 0, NO_TASK },
      { "ok", 0, '{"base_resp":{"status_code":0},"status":"Success","task_id":"100000000000000000",'
        .. '"video_url":"https://x/y"}' },
      { "warn", 0, '{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}',
        "accepts the key, but: insufficient balance" },
      { "fail", 3, REFUSED, "refuses the key" },
      { "fail", 9, '{"base_resp":{"status_code":1000,"status_msg":"unknown error"}}',
        "unknown error" },
      { "fail", 13, PAGE, "HTTP 200" },
      { "fail", 13, '{"hello":1}', "HTTP 200" },
      { "fail", 8, { status = 404, body = PAGE }, "HTTP 404" },
      { "fail", 8, { status = 404, body = '{"hello":1}' }, "HTTP 404" },
      { "fail", 3, { status = 401, body = PAGE }, "HTTP 401" },
      { "fail", 3, { status = 403, body = PAGE }, "HTTP 403" },
      { "fail", 9, { status = 500, body = PAGE }, "HTTP 500" },
      { "fail", 9, { status = 503, body = PAGE }, "HTTP 503" },
      { "fail", 13, { status = 302, headers = { Location = "https://x/y" }, body = PAGE },
        "HTTP 302" },
    }
    for _, case in ipairs(cases) do
      server:answer(REFUSED, case[3])
      local checks, code, result = examine { "--base-url", server.url,
        env = { MINIMAX_API_KEY = "sk-spec" } }
      assert.same({ case[1], case[2] }, { checks.region.state, code }, result.out)
      assert.equal(case[1] == "ok", checks.region.found:find("accepts the key$") ~= nil)
      assert.matches(case[4] or "", checks.region.found, 1, true)
      assert.equal(case[3] == REFUSED, checks.region.found:find("refuses the key", 1, true) ~= nil)
    end
  end)

  it("waits no longer than its own time for a server that limits it", function()
    server:answer(REFUSED, { body = '{"base_resp":{"status_code":1002,"status_msg":"rate limit"}}',
      headers = { ["Retry-After"] = "3000" } })
    local checks, code = examine { "--base-url", server.url, env = { MINIMAX_API_KEY = "sk-spec" } }
    assert.same({ "warn", 0 }, { checks.region.state, code })
    assert.matches("limits requests", checks.region.found, 1, true)
  end)

  it("tells a proxy that refuses from a key that is refused", function()
    local refusal = { status = 407, headers = { ["Proxy-Authenticate"] = "Basic" }, body = "no" }
    for _, base in ipairs { "http://example.invalid", "https://example.invalid" } do
      server:answer(refusal)
      local checks, code = examine { "--base-url", base,
        "--proxy", server.url:gsub("//", "//bob:wrong@"), env = { MINIMAX_API_KEY = "sk-spec" } }
      assert.same({ "fail", "warn", "warn", 11 },
        { checks.connection.state, checks.clock.state, checks.region.state, code })
      assert.matches("the proxy wants a user and a password", checks.connection.found, 1, true)
      assert.equal("see connection", checks.region.advice)
    end
  end)

  it("does not read a check that could not run as the result of a later one", function()
    local folder <close> = temp.folder()
    assert(os.execute("chmod 644 " .. folder:write("key", "sk-x")))
    server:answer { body = REFUSED, headers = { Date = http_date(os.time()) } }
    local checks, code = examine { "--base-url", server.url, "--key-file", folder:file "key" }
    assert.same({ "fail", "ok", "ok", "warn", 3 }, { checks.key.state, checks.connection.state,
      checks.clock.state, checks.region.state, code })
    assert.equal("see key", checks.region.advice)
  end)

  it("finds a key that can't be one", function()
    server:answer(REFUSED)
    for key, words in pairs { ["sk-a\nsk-b"] = "control character", ["'sk-a'"] = "quotes",
      ["Bearer sk-a"] = "Bearer" } do
      local checks, code = examine { "--base-url", server.url, env = { MINIMAX_API_KEY = key } }
      assert.same({ "fail", "warn", "ok", 3 }, { checks.key.state, checks.region.state,
        checks.connection.state, code })
      assert.matches(words, checks.key.found, 1, true)
    end
  end)

  it("gives the whole table where no server can be asked", function()
    for _, base in ipairs { "api.minimax.io", "https://x:70000" } do
      local checks, code, result = examine { "--base-url", base,
        env = { MINIMAX_API_KEY = "sk-spec" } }
      assert.same({ 10, 8 }, { #result.lines, code })
      assert.same({ "fail", "ok" }, { checks.address.state, checks.key.state })
      assert.matches("https://", checks.address.found, 1, true)
      for _, name in ipairs { "dns", "connection", "tls", "clock", "region" } do
        assert.same({ "warn", "not tried", "see address" },
          { checks[name].state, checks[name].found, checks[name].advice })
      end
    end
  end)
end)

describe("a date of HTTP", function()
  for date, seconds in pairs {
    ["Thu, 01 Jan 1970 00:00:00 GMT"] = 0,
    ["Thu, 29 Feb 2024 12:34:56 GMT"] = 1709210096,
    ["Sun, 22 Nov 2026 04:00:00 GMT"] = 1795320000,
    ["Tue, 01 Mar 2033 00:00:00 GMT"] = 1993248000,
  } do
    it(date .. " is read in any time zone", function()
      assert.equal(seconds, minimax._date(date))
    end)
  end

  it("that is none gives nil", function()
    assert.is_nil(minimax._date "yesterday")
    assert.is_nil(minimax._date "Sun, 22 Nux 2026 04:00:00 GMT")
  end)
end)
