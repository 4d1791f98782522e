--- src/net/response.c: heads as servers may send them, on a handle that serves
-- again and again, or without an end.

local minimax = require "minimax"
local native = require "spec.support.native"
local process = require "spec.support.process"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local PENDING = '{"task_id":"1","status":"Processing"}'
local OK = "HTTP/1.1 200 OK\r\n"
local REST = ("Content-Length: %d\r\n\r\n%s"):format(#PENDING, PENDING)

-- libcurl gives no callback more at once.
local PIECE = 16384

-- Sends a plain answer and this one by turns.
local function by_turns(answer)
  return ([[
    local connection, shared = ...
    while connection:read_request() do
      shared.is_odd = not shared.is_odd
      connection:send(shared.is_odd and %q or %q)
    end
  ]]):format(OK .. "A: b\r\n" .. REST, answer)
end

-- What a child reads with one client. What is freed is overwritten there, so that
-- nobody can miss who uses it.
local function read(server, script)
  local result = process.run { args = { server.url, server.ca_file or "" },
    env = { MALLOC_PERTURB_ = "165", LD_PRELOAD = native.library "handles" },
    script = [[
      local minimax = require "minimax"
      local function query(options, is_lax)
        options.api_key, options.retries = "sk-spec-key", 0
        local client = minimax.new(options)
        for i = 1, 20 do
          local status, err = client:query("1")
          assert(status and status.state == "running" or is_lax and i % 2 == 0, err)
          if err then
            print(err.kind)
          end
        end
      end
    ]] .. script }
  local rest, count = result.out:match "^(.-)(%d+) handles\n$"
  result.out = rest or result.out
  return result, tonumber(count)
end

-- Or read: that is libcurl's affair.
local function assert_refused(result)
  result.out = result.out:gsub("network\n", "")
  assert.same({ code = 0, out = "", err = "", timed_out = false }, result)
end

local function assert_read(server)
  local result, count = read(server, "query { base_url = ... }")
  assert.same({ code = 0, out = "", err = "", timed_out = false }, result)
  assert.is_true(count <= 3, count) -- libcurl makes two for itself
end

describe("a first header line that is folded", function()
  -- Old libcurls appended it to the last header of the reply before, which was
  -- gone. Some refuse it.
  local FOLDED = OK .. " folded: x\r\n" .. REST
  for name, answer in pairs {
    ["behind the status line"] = FOLDED,
    ["by a tab"] = OK .. "\tfolded: x\r\n" .. REST,
    ["behind a status line in pieces"] = "HTTP/1.1 200 " .. ("x"):rep(2 * PIECE)
      .. "\r\n folded: x\r\n" .. REST,
    ["behind an interim head"] = "HTTP/1.1 100 Continue\r\n\r\n" .. FOLDED,
    ["behind an interim head whose end is in pieces"] = "HTTP/1.1 100 Continue\r\n\r:"
      .. ("x"):rep(2 * PIECE) .. "\n" .. FOLDED,
  } do
    it(name .. " reaches no other reply", function()
      local server <close> = wire.start { serve = by_turns(answer) }
      assert_refused(read(server, "query({ base_url = ... }, true)"))
    end)
  end

  for name, heads in pairs {
    ["of a proxy's answer to CONNECT"] = { OK .. " folded: x\r\n\r\n", OK },
    ["behind a proxy's answer to CONNECT without a header"] = { OK .. "\r\n",
      OK .. " folded: x\r\n" },
  } do
    it(name .. " reaches no other reply", function()
      local server <close> = wire.start { tls = "later", serve = ([[
        local connection, shared = ...
        local connect, head = %q, %q
        shared.is_odd = not shared.is_odd
        if shared.is_odd then
          connect, head = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n"
        end
        connection:read_request()
        connection:send(connect)
        if connection:starttls "good" and connection:read_request() then
          connection:send(head .. "Connection: close\r\n" .. %q)
        end
      ]]):format(heads[1], heads[2], REST) }
      assert_refused(read(server, [[
        local url, ca_file = ...
        query({ base_url = "https://localhost:9", ca_file = ca_file,
          proxy = url:gsub("https", "http") }, true)
      ]]))
    end)
  end
end)

describe("the handle that there is reads", function()
  for name, answer in pairs {
    ["a first header in pieces"] = OK .. "A: " .. ("x"):rep(2 * PIECE) .. "\r\n" .. REST,
    ["a first header of one whole piece"] = OK .. "A: " .. ("x"):rep(PIECE - 5) .. "\r\n" .. REST,
    ["a later header that is folded"] = OK .. "A: b\r\n folded: x\r\n" .. REST,
    ["an interim head"] = "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" .. OK .. REST,
    ["an interim head without a header"] = "HTTP/1.1 100 Continue\r\n\r\n" .. OK .. REST,
    ["lines that end with a bare line feed"] = (OK .. REST):gsub("\r", ""),
    ["a trailer"] = OK .. "Transfer-Encoding: chunked\r\n\r\n"
      .. ("%x\r\n%s\r\n0\r\nA: b\r\n\r\n"):format(#PENDING, PENDING),
  } do
    it(name .. ", all twenty times", function()
      local server <close> = wire.start { serve = by_turns(answer) }
      assert_read(server)
    end)
  end

  it("a body without any header, all twenty times", function()
    local server <close> = wire.start { serve = ([[
      local connection = ...
      connection:read_request()
      connection:send(%q)
    ]]):format("HTTP/1.1 200 OK\r\n\r\n" .. PENDING) }
    assert_read(server)
  end)
end)

describe("a line that looks like a status line", function()
  local BODY = '{"task_id":"17"}'
  local LENGTH = ("Content-Length: %d\r\n"):format(#BODY)
  local CHUNK = ("%x\r\n%s\r\n"):format(#BODY, BODY)
  for name, answer in pairs {
    ["within a head"] = OK .. "HTTP/1.1 503: Later\r\n" .. LENGTH .. "\r\n" .. BODY,
    ["within an interim head"] = "HTTP/1.1 103 Early\r\nHTTP/1.1 503: Later\r\n\r\n" .. OK
      .. LENGTH .. "\r\n" .. BODY,
    ["among trailers"] = OK .. "Transfer-Encoding: chunked\r\n\r\n" .. CHUNK
      .. "0\r\nHTTP/1.1 503: Later\r\nContent-Length: 3\r\n\r\n",
  } do
    it("is none " .. name, function()
      local server <close> = wire.start { steps = { { "read_request" }, { "send", answer },
        { "close" } } }
      local client <close> = minimax.new { base_url = server.url, api_key = "sk-spec" }
      assert.equal("17", assert(client:submit { template_id = "1" }).task_id)
    end)
  end
end)

-- Says header lines for as long as somebody listens.
local FLOODS = {
  ["trailers"] = { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X: %s\r\n" },
  ["heads of responses that follow"] = { "", "HTTP/1.1 103 Early\r\nX: %s\r\n\r\n" },
  ["lines of one head"] = { "HTTP/1.1 200 OK\r\n", "X: %s\r\n" },
}

describe("a response without an end to its header lines", function()
  local folder

  setup(function()
    folder = temp.folder()
  end)

  teardown(function()
    folder:close()
  end)

  -- libcurl keeps each line, so that memory would end before the call's time.
  for name, flood in pairs(FLOODS) do
    it("ends the call, not the memory: " .. name, function()
      local server <close> = wire.start { serve = ([[
        local connection = ...
        connection:read_request()
        connection:send(%q)
        local lines = (%q):format(("x"):rep(1000)):rep(100)
        while connection:send(lines) do end
      ]]):format(flood[1], flood[2]) }
      local client <close> = minimax.new { base_url = server.url, api_key = "sk-spec", retries = 0 }
      local calls = {
        submit = function() return client:submit({ template_id = "1" }, { timeout = 10 }) end,
        query = function() return client:query("17", { timeout = 10 }) end,
        download = function()
          return client:download(server.url .. "/v.mp4", folder:file "v.mp4", { timeout = 10 })
        end,
      }
      for call, ask in pairs(calls) do
        local value, err = ask()
        assert.is_nil(value)
        local kinds = call == "submit" and { unknown = true } or { protocol = true, network = true }
        assert.is_truthy(kinds[err.kind], call .. ": " .. tostring(err))
        assert.matches("header", err.message)
      end
    end)
  end
end)
