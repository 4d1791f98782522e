-- `minimax doctor`: each line, well and not.

local api = require "spec.support.api"
local command = require "spec.support.command"
local probe = require "minimax.cli.probe"
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
    assert.same({ "versions", "optional", "key", "proxy", "dns", "connection", "tls", "clock",
      "region" }, names)
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
    assert.equal(9, select(2, result.out:gsub("\nok    ", "\n")) + 1)
    assert.equal(9, select(2, result.out:gsub("\n", "")))
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
    checks = examine { "--base-url", "https://example.invalid", "--proxy", proxy }
    assert.matches("(--proxy)", checks.proxy.found, 1, true)
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
      assert.equal(seconds, probe.seconds(date))
    end)
  end

  it("that is none gives nil", function()
    assert.is_nil(probe.seconds "yesterday")
    assert.is_nil(probe.seconds "Sun, 22 Nux 2026 04:00:00 GMT")
  end)
end)
