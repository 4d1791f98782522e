--- A TLS handshake that breaks is an outage like any other: only a certificate's
-- own fault ends things at once. And how often libcurl may send by itself.

local batch = require "minimax.batch"
local minimax = require "minimax"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local REQUEST = { template_id = "393769180141805569", text_inputs = { "Lion" } }

-- What a server does instead of a handshake.
local BREAKS = {
  ["a reset after the ClientHello"] = "connection.socket:read(5) connection:reset()",
  ["an end after the ClientHello"] = "connection.socket:read(5) connection:close()",
  ["alert 80"] = [[connection.socket:read(5)
    connection:send "\x15\3\3\0\2\2\x50" connection:hang()]],
  ["plain HTTP"] = [[connection.socket:read(5)
    connection:send "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n" connection:hang()]],
}

-- Breaks so many handshakes, then plays an API whose tasks fail.
local function api(break_, count)
  return ([[
    local connection = ...
    if connection.number <= %d then
      %s
      return
    elseif connection:starttls "good" then
      for request in connection.read_request, connection do
        connection:reply(200, {}, request.method == "POST" and '{"task_id":"17"}'
          or '{"task_id":"17","status":"Fail"}')
      end
    end
  ]]):format(count, break_)
end

local function posts(server)
  local count = 0
  for _, request in ipairs(server:requests()) do
    count = count + (request.method == "POST" and 1 or 0)
  end
  return count
end

local function new_client(server, options)
  local all = { base_url = server.url:gsub("^http:", "https:"), api_key = "sk-spec",
    ca_file = server.ca_file, poll_interval = 0.01 }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  return minimax.new(all)
end

for name, break_ in pairs(BREAKS) do
  describe("a handshake that ends with " .. name, function()
    it("is kind tls, tried again and retryable, and no certificate's fault", function()
      local server <close> = wire.start { tls = "later", serve = api(break_, math.maxinteger) }
      local client <close> = new_client(server, { retries = 1 })
      for _, method in ipairs { "submit", "query" } do
        local _, err = client[method](client, method == "submit" and REQUEST or "17")
        assert.same({ "tls", true, 2 }, { err.kind, err.retryable, err.attempts }, tostring(err))
        assert.matches("handshake failed", err.message, 1, true)
        assert.is_nil(err.message:find("certificate", 1, true))
      end
      assert.equal(0, posts(server))
    end)

    it("ends no wait", function()
      local server <close> = wire.start { tls = "later", serve = api(break_, 1) }
      local client <close> = new_client(server)
      local _, err = client:wait("17", { timeout = 20 })
      assert.equal("failed", err.kind)
      assert.is_true(server:connections() >= 2)
    end)

    it("is waited out by a batch, which pays once", function()
      local folder <close> = temp.folder()
      local server <close> = wire.start { tls = "later", serve = api(break_, 3) }
      local client <close> = new_client(server, { retries = 0 })
      local b <close> = assert(batch.open(folder:file "ledger.db", client))
      assert(b:add { key = "a", request = REQUEST, output = folder:file "a.mp4" })
      local counts, reason = b:run({ poll_interval = 0.05 })
      assert.same({ 1, "done" }, { counts.failed, reason })
      assert.equal(1, posts(server))
    end)
  end)
end

describe("a handshake that breaks before a rate limit is answered", function()
  local LIMITED = ([[
    local connection = ...
    if connection.number == 1 then
      %s
    elseif connection:starttls "good" then
      for _ in connection.read_request, connection do
        connection:reply(429, {}, '{"base_resp":{"status_code":1002}}')
      end
    end
  ]]):format(BREAKS["alert 80"])

  -- At the deadline nothing is under way: it is not that no answer came.
  it("leaves a call whose deadline then comes with the limit", function()
    local function check(method, what)
      local server <close> = wire.start { tls = "later", serve = LIMITED }
      local client <close> = new_client(server, { retries = 2 })
      local _, err = client[method](client, what, { timeout = 2 })
      assert.same({ "rate_limit", 1002, 429, true, 2 }, { err.kind, err.code, err.http_status,
        err.retryable, err.attempts }, method .. ": " .. tostring(err))
      assert.equal(1, #server:requests())
    end
    minimax.run(function()
      for method, what in pairs { submit = REQUEST, query = "17", cancel = "17" } do
        minimax.spawn(check, method, what)
      end
    end)
  end)
end)

describe("a certificate that is not to be trusted", function()
  it("stops a batch at once", function()
    local folder <close> = temp.folder()
    for _, kind in ipairs { "unknown_authority", "expired", "wrong_host" } do
      local server <close> = wire.start { tls = kind, steps = { { "read_request" } } }
      local client <close> = new_client(server, { retries = 4 })
      local b <close> = assert(batch.open(folder:file(kind .. ".db"), client))
      assert(b:add { key = "a", request = REQUEST, output = folder:file "a.mp4" })
      local counts, reason, err = b:run({ poll_interval = 0.05 })
      assert.same({ 1, "tls", "tls" }, { counts.added, reason, err.kind })
      assert.is_false(err.retryable)
      assert.equal(1, server:connections())
    end
  end)
end)

describe("a stream that HTTP/2 refuses", function()
  local SERVE = [[
    local connection = ...
    local h2 = require "spec.support.h2"
    local session, first = h2.accept(connection)
    if first then -- over HTTP/1.1
      connection.server.report { type = "request", method = first:match "^%%u+" }
      return
    end
    for request in session and session.read_request or function() end, session do
      if request.method == "GET" and %s then
        session:reply(request, 200, '{"task":{"id":"17","status":"queued"}}')
      else
        session:refuse(request, h2.%s)
      end
    end
  ]]

  local function start(code, answers_get)
    return wire.start { tls = "h2", serve = SERVE:format(tostring(answers_get or false), code) }
  end

  local function count(server, method)
    local found = 0
    for _, request in ipairs(server:requests()) do
      found = found + (request.method == method and 1 or 0)
    end
    return found
  end

  local CALLS = {
    ["a submit"] = { "POST", function(client) return client:submit(REQUEST) end },
    ["a POST without a body"] = { "POST", function(client)
      return client:call("POST", "/v2/anything")
    end },
    ["a POST with a body"] = { "POST", function(client)
      return client:call("POST", "/v2/anything", { body = { a = 1 } })
    end },
    ["a DELETE"] = { "DELETE", function(client)
      return client:call("DELETE", "/v2/video_generation/17")
    end },
  }

  for _, code in ipairs { "REFUSED_STREAM", "HTTP_1_1_REQUIRED" } do
    for name, case in pairs(CALLS) do
      it(("with %s: %s is sent once"):format(code, name), function()
        local method, call = table.unpack(case)
        local server <close> = start(code)
        local client <close> = new_client(server, { retries = 4 })
        local _, err = call(client)
        assert.same({ "unknown", false, 1 }, { err.kind, err.retryable, err.attempts })
        client:close()
        assert.equal(1, count(server, method))
      end)
    end

    it("with " .. code .. ": the DELETE of a cancel is sent once", function()
      local server <close> = start(code, true)
      local client <close> = new_client(server, { retries = 4 })
      local _, err = client:cancel "17"
      assert.equal("invalid", err.kind)
      client:close()
      assert.equal(1, count(server, "DELETE"))
    end)

    it("with " .. code .. ": a GET is sent as often as `attempts` says", function()
      local server <close> = start(code)
      local client <close> = new_client(server, { retries = 1 })
      local _, err = client:query "17"
      assert.equal("network", err.kind)
      client:close()
      assert.equal(count(server, "GET"), err.attempts)
      assert.is_true(err.attempts <= 4)
    end)
  end
end)
