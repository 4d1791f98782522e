--- src/net/transfer.c: one HTTP exchange, how it ends and by which clock. Times are
-- the subject here: all bounds are far from what is measured.

local cqueues = require "cqueues"
local dump = require "spec.support.dump"
local host = require "spec.support.host"
local minimax = require "minimax"
local storage = require "spec.support.storage"
local temp = require "spec.support.temp"
local video = require "spec.support.video"
local wire = require "spec.support.wire"

local PENDING = '{"task_id":"1","status":"Processing"}'

local folder, path

local function assert_fault(kind, pattern, result, err)
  assert.is_nil(result)
  assert.equal(kind, err.kind, tostring(err))
  assert.matches(pattern, tostring(err))
  return err
end

local function client_of(server, options)
  local merged = { base_url = server.url, api_key = "sk-spec-key", retries = 0 }
  for name, value in pairs(options or {}) do
    merged[name] = value
  end
  return minimax.new(merged)
end

before_each(function()
  folder = temp.folder()
  path = folder:file("out.mp4")
end)

after_each(function()
  folder:close()
end)

describe("how a transfer ends:", function()
  local function query(script)
    local server <close> = wire.start { serve = "local connection = ...\n" .. script }
    local client <close> = client_of(server)
    return client:query("1")
  end

  it("nobody listens: kind network", function()
    local refused <close> = wire.refused()
    local client <close> = client_of(refused)
    assert_fault("network", "no connection", client:query("1"))
  end)

  it("an unknown host: kind network, and the error names base_url", function()
    local client <close> = client_of { url = "http://nobody.example.invalid" }
    assert_fault("network", "base_url", client:query("1"))
  end)

  for what, script in pairs {
    ["closed at once"] = "",
    ["reset at once"] = "connection:reset()",
    ["closed after the request"] = "connection:read_request()",
    ["reset after the request"] = "connection:read_request() connection:reset()",
    ["closed within the head"] = "connection:read_request() connection:send 'HTTP/1.1 200 O'",
    ["no HTTP"] = "connection:read_request() connection:send 'SSH-2.0-OpenSSH_9.2\\r\\n'",
    ["HTTP/0.9"] = "connection:read_request() connection:send '<html>hello</html>'",
    ["a header without an end"] = "connection:read_request() "
      .. "connection:send('HTTP/1.1 200 OK\\r\\nX: ' .. ('x'):rep(400000))",
    ["TLS where there is none"] = "connection:send '\\22\\3\\1\\0\\1x'",
  } do
    it(what .. ": kind network", function()
      -- A reset may come before the client has seen its connect succeed.
      local words = what == "reset at once" and "connection" or "broke"
      assert_fault("network", words, query(script))
    end)
  end

  for what, body in pairs {
    ["cut before its length"] = "Content-Length: 1000\r\n\r\n" .. PENDING,
    ["cut between chunks"] = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
  } do
    it("a body that is " .. what .. ": kind network, in the middle", function()
      assert_fault("network", "middle", query(("connection:read_request() connection:send(%q)")
        :format("HTTP/1.1 200 OK\r\n" .. body)))
    end)
  end

  it("TLS is spoken to a server that knows none: kind tls", function()
    local server <close> = wire.start { steps = {
      { "send", "HTTP/1.1 400 Bad Request\r\n\r\n" }, { "hang" } } }
    local client <close> = client_of { url = (server.url:gsub("http", "https")) }
    assert_fault("tls", "handshake", client:query("1"))
  end)
end)

describe("request_timeout", function()
  it("ends an attempt whose answer does not come", function()
    local server <close> = wire.start { steps = { { "read_request" }, { "hang" } } }
    local client <close> = client_of(server, { request_timeout = 0.1 })
    assert_fault("timeout", "in time", client:query("1"))
    assert_fault("timeout", "in time", client:download(server.url .. "/a", path))
  end)

  it("ends an attempt that is not even accepted", function()
    local server <close> = wire.start { accept = false, steps = { {} } }
    local client <close> = client_of(server, { request_timeout = 0.1 })
    assert_fault("timeout", "in time", client:query("1"))
  end)

  it("does not bound a body that moves #timing", function()
    local server <close> = wire.start { serve = [[
      local connection = ...
      local bytes = require "spec.support.video".make(60000)
      while true do
        local request = connection:read_request()
        if not request then
          return
        end
        local body = request.path == "/a" and bytes
          or '{"task_id":"1","status":"Processing","x":"' .. ("x"):rep(60000) .. '"}'
        connection:send("HTTP/1.1 200 OK\r\nContent-Length: " .. #body .. "\r\n\r\n")
        connection:send(body, 10000, 0.1)
      end
    ]] }
    local client <close> = client_of(server, { request_timeout = 0.25, stall_timeout = 5 })
    local from = cqueues.monotime()
    assert(client:query("1"))
    assert.is_true(cqueues.monotime() - from > 0.25)
    assert(client:download(server.url .. "/a", path))
  end)
end)

describe("stall_timeout", function()
  local function stalling(path_of_body, announced, sent)
    return wire.start { serve = ([[
      local connection = ...
      local request = connection:read_request()
      connection:send("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n")
      connection:send(%s)
      connection:hang()
    ]]):format(announced, path_of_body or sent) }
  end

  it("ends a reply that stops in the middle", function()
    local server <close> = stalling(nil, 100, "'{'")
    local client <close> = client_of(server, { stall_timeout = 0.1 })
    local from = cqueues.monotime()
    assert_fault("timeout", "", client:query("1"))
    assert.is_true(cqueues.monotime() - from < 20)
  end)

  it("ends a download that stops in the middle", function()
    local server <close> = stalling('require "spec.support.video".make(60000):sub(1, 5000)', 60000)
    local client <close> = client_of(server, { stall_timeout = 0.1 })
    local from = cqueues.monotime()
    assert_fault("timeout", "", client:download(server.url .. "/a", path))
    assert.is_true(cqueues.monotime() - from < 20)
  end)

  it("ends a download that creeps", function()
    local server <close> = wire.start { serve = storage.script {
      a = { { size = 100000, piece = 10, pause = 0.05 } } } }
    local client <close> = client_of(server, { stall_timeout = 0.4 })
    assert_fault("timeout", "", client:download(server.url .. "/a", path))
  end)

  it("ends an upload that the server does not read", function()
    local server <close> = wire.start { steps = { { "read_head" }, { "await", "never" } } }
    local client <close> = client_of(server, { stall_timeout = 0.2 })
    local from = cqueues.monotime()
    assert_fault("timeout", "", client:upload(folder:write("big", ("x"):rep(30000000)), "other"))
    assert.is_true(cqueues.monotime() - from < 20)
    assert.same({}, server:requests())
  end)

  it("counts while a body moves, not while the answer is awaited #timing", function()
    local server <close> = wire.start { serve = [[
      local connection = ...
      connection:read_request()
      connection:pause(0.5)
      connection:reply(200, {}, '{"task_id":"1","status":"Processing"}')
    ]] }
    local client <close> = client_of(server, { stall_timeout = 0.1 })
    assert(client:query("1"))
    local second <close> = wire.start { serve = [[
      local connection = ...
      connection:read_request()
      connection:pause(0.5)
      connection:reply(200, {}, '{"file":{"file_id":1}}')
    ]] }
    local other <close> = client_of(second, { stall_timeout = 0.1 })
    assert(other:upload(folder:write("small", ("x"):rep(100000)), "other"))
  end)

  it("does not count while the reader of the bytes is slow #timing", function()
    local server <close> = wire.start { serve = storage.script { a = { { size = 3000000 } } } }
    local client <close> = client_of(server, { stall_timeout = 0.2 })
    local chunks = {}
    local thread = coroutine.create(function()
      return assert(client:download(server.url .. "/a", function(chunk)
        chunks[#chunks + 1] = chunk
        local deadline = cqueues.monotime() + (#chunks <= 3 and 0.3 or 0)
        while cqueues.monotime() < deadline do
          coroutine.yield()
        end
      end))
    end)
    repeat
      assert(coroutine.resume(thread))
      host.sleep(0.05)
    until coroutine.status(thread) == "dead"
    assert.is_true(table.concat(chunks) == video.make(3000000))
    assert.equal(1, #server:requests())
  end)
end)

describe("a reply", function()
  it("that says the key back brings it to nobody", function()
    local KEY = "sk-spec-key-that-is-said-back"
    local folder_of <close> = temp.folder()
    local server <close> = wire.start { serve = [[
      local connection = ...
      for request in connection.read_request, connection do
        local said = request.headers.authorization
        connection:reply(200, {}, ('{"task_id":"1","status":"%s","note":["%s"],'
          .. '"base_resp":{"status_code":%d,"status_msg":"%s %s"}}'):format(
          request.method == "GET" and "Fail" or "", said, request.method == "GET" and 1026 or 0,
          said, said))
      end
    ]] }
    local client <close> = client_of(server, { api_key = KEY, poll_interval = 0.01 })
    local task = assert(client:submit { template_id = "1" })
    local status = assert(client:query(task))
    local _, err = client:wait(task)
    local _, lost = client:generate({ template_id = "1" }, folder_of:file("out.mp4"))
    assert.equal("failed", err.kind)
    assert.equal("failed", lost.kind)
    for _, value in ipairs { task, status, err, lost } do
      assert.is_nil(dump(value):find(KEY, 1, true), dump(value))
    end
    assert.equal("Bearer [key]", status.note[1])
  end)
end)
