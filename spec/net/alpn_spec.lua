--- src/net/alpn.c: how many connections calls to a host over TLS need, and that none
-- waits there for another one's answer.

local host = require "spec.support.host"
local minimax = require "minimax"
local native = require "spec.support.native"
local process = require "spec.support.process"
local wire = require "spec.support.wire"

local ANSWER = '{"status":"Processing","base_resp":{"status_code":0}}'

-- Answers what asks for task 1 when the spec says so, all else at once.
local HTTP1 = ([[
  local connection = ...
  local request = connection:read_request()
  while request do
    if request.path:find "task_id=1$" then
      connection:await "first"
    end
    connection:reply(200, {}, %q)
    request = connection:read_request()
  end
]]):format(ANSWER)

-- Answers once so many requests stand open on the connection, and says that it
-- takes no more: first, so that this has arrived with the answers.
local HTTP2 = [[
  local connection = ...
  local session = require "spec.support.h2".accept(connection)
  local open = {}
  local request = session and session:read_request()
  while request do
    open[#open + 1] = request
    if #open == %d then
      session:goaway(0x7fffffff)
      for _, each in ipairs(open) do
        session:reply(each, 200, %q)
      end
      open = {}
    end
    request = session:read_request()
  end
]]

local function client_of(server, options)
  options = options or {}
  options.base_url, options.api_key, options.ca_file = server.url, "sk-spec-key", server.ca_file
  options.retries = options.retries or 0
  options.request_timeout = options.request_timeout or 10
  return minimax.new(options)
end

-- Asks for tasks 1 to `count` side by side; `ended(id, status, err)` hears of
-- each answer as it comes.
local function ask(client, count, ended)
  minimax.run(function()
    for id = 1, count do
      minimax.spawn(function()
        ended(id, client:query(tostring(id)))
      end)
    end
  end)
end

for _, kind in ipairs { "good", "http/1.1" } do
  describe("a host that speaks HTTP/1.1 only (its certificate: " .. kind .. ")", function()
    it("is asked a second time while the first answer is awaited", function()
      local server <close> = wire.start { tls = kind, serve = HTTP1 }
      local client <close> = client_of(server)
      local order = {}
      ask(client, 4, function(id, status, err)
        assert(status, err)
        order[#order + 1] = id
        if #order == 3 then
          server:tell "first"
        end
      end)
      assert.equal(1, order[4])
      assert.equal(4, server:connections())
    end)

    it("is asked so whatever libcurl takes CURLOPT_PIPEWAIT for", function()
      local server <close> = wire.start { tls = kind, serve = HTTP1 }
      local child <close> = process.start { script = [[
        local minimax = require "minimax"
        minimax.configure { retries = 0, request_timeout = 10 }
        local function ask(id)
          assert(minimax.query(id))
          io.write(id, "\n")
          io.flush()
        end
        minimax.run(function()
          for id = 1, 4 do
            minimax.spawn(ask, tostring(id))
          end
        end)
      ]], env = { LD_PRELOAD = native.library "awkward", AWKWARD_PIPEWAIT = "1",
        MINIMAX_API_KEY = "sk-spec-key", MINIMAX_BASE_URL = server.url,
        CURL_CA_BUNDLE = server.ca_file } }
      for _ = 1, 3 do
        assert.matches("^[234]$", child:read "l" or child:errors())
      end
      server:tell "first"
      assert.equal("1", child:read "l")
    end)

    it("is asked so also later, when its connections are gone", function()
      local server <close> = wire.start { tls = kind, serve = ([[
        local connection = ...
        connection:read_request()
        connection:await(connection.number == 2 and "first" or "all")
        connection:reply(200, { Connection = "close" }, %q)
      ]]):format(ANSWER) }
      local client <close> = client_of(server)
      server:tell "all"
      assert(client:query "9")
      local ends = 0
      ask(client, 3, function(_, status, err)
        assert(status, err)
        ends = ends + 1
        if ends == 2 then
          server:tell "first"
        end
      end)
      assert.equal(3, ends)
    end)
  end)
end

describe("a host that speaks HTTP/2", function()
  it("gets one connection for calls that begin at once, and one more when that is gone", function()
    local server <close> = wire.start { tls = "h2", serve = HTTP2:format(20, ANSWER) }
    local client <close> = client_of(server, { max_connections = 20 })
    for round = 1, 2 do
      local ends = 0
      ask(client, 20, function(_, status, err)
        assert(status, err)
        ends = ends + 1
      end)
      assert.equal(20, ends)
      assert.equal(round, server:connections())
    end
  end)
end)

describe("a call that waits for another one's handshake", function()
  -- It goes on on all connections but the first, and each serves one request.
  local SLOW = ([[
    local connection = ...
    if connection.number == 1 then
      connection:await "never"
    end
    if connection:starttls "good" then
      connection:read_request()
      connection:reply(200, { connection = "close" }, %q)
      connection:hang()
    end
  ]]):format(ANSWER)

  -- Begins a query that stays in the middle of its handshake, and two behind it.
  local function start(client, server)
    local threads = {}
    for id = 1, 3 do
      threads[id] = coroutine.create(client.query)
      assert(coroutine.resume(threads[id], client, tostring(id)))
    end
    while server:connections() == 0 do
      host.sleep(0.01)
      assert(coroutine.resume(threads[1]))
    end
    return threads
  end

  it("goes on when that one is cancelled", function()
    local server <close> = wire.start { tls = "later", serve = SLOW }
    local client <close> = client_of(server)
    local threads = start(client, server)
    assert.is_true(coroutine.close(threads[1]))
    assert(host.drive(threads[2]))
    assert(host.drive(threads[3]))
    assert.equal(3, server:connections())
  end)

  it("goes on when that one does not succeed", function()
    local server <close> = wire.start { tls = "later", serve = SLOW }
    local client <close> = client_of(server, { connect_timeout = 0.3 })
    local threads = start(client, server)
    local status, err = host.drive(threads[1])
    assert.is_nil(status)
    assert.is_true(err.retryable)
    assert(host.drive(threads[2]))
    assert(host.drive(threads[3]))
  end)

  it("ends with its own timeout, or with its client", function()
    local server <close> = wire.start { tls = "later", serve = SLOW }
    local client <close> = client_of(server)
    local threads = start(client, server)
    local status, err = client:query("4", { timeout = 0.05, block = true })
    assert.is_nil(status)
    assert.equal("timeout", err.kind)
    local thread = coroutine.create(client.query)
    assert(coroutine.resume(thread, client, "5"))
    client:close()
    status, err = host.drive(thread)
    assert.is_nil(status)
    assert.equal("cancelled", err.kind)
    assert.equal("suspended", coroutine.status(threads[1])) -- nobody collected it
    assert.equal(1, server:connections())
  end)
end)
