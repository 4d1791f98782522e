--- src/run/unknown.c: an answer that names a task is never sent again, and its id is
-- never dropped, whatever else the answer says and however much of it came.

local api = require "spec.support.api"
local batch = require "minimax.batch"
local minimax = require "minimax"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local ID = "401047179385389059"
local REQUEST = { template_id = "393769180141805569", text_inputs = { "Lion" } }
local VIDEO2 = { model = "MiniMax-H3", content = { { type = "text", text = "A lion." } } }

-- Codes of every kind, and one that nobody documented.
local CODES = { 1000, 1001, 1002, 1004, 1008, 1013, 1024, 1026, 1027, 1028, 1030, 1033, 1039, 1041,
  1042, 2013, 2038, 2045, 2049, 2056, 2061, 4711 }
local STATUSES = { 301, 400, 401, 402, 403, 404, 407, 408, 409, 413, 422, 429, 500, 502, 503, 504,
  529 }

describe("a submit whose answer names a task", function()
  local server

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  local function post(reply, request)
    server:answer(reply, '{"task_id":"second"}')
    local client <close> = server:client { retries = 4 }
    local task, err = client:submit(request or REQUEST)
    assert.equal(1, #server:asked())
    return task, err
  end

  local function assert_named(reply, request)
    local task, err = post(reply, request)
    assert.is_nil(task)
    assert.same({ "unknown", ID, 1, false, "submit" },
      { err.kind, err.task_id, err.attempts, err.retryable, err.stage }, tostring(err))
    assert.same({ task_id = ID, kind = request and "video2" or "template" },
      setmetatable(err.task, nil))
    assert.matches("names task " .. ID, err.message, 1, true)
    assert.matches("client:wait(err.task)", err.message, 1, true)
    return err
  end

  it("beside any code is unknown, with the id, and sent once", function()
    for _, code in ipairs(CODES) do
      local err = assert_named(('{"task_id":"%s","base_resp":{"status_code":%d,"status_msg":"no"}}')
        :format(ID, code))
      assert.equal(code, err.code)
      assert.matches("no", err.message, 1, true)
    end
  end)

  it("beside any HTTP status", function()
    for _, status in ipairs(STATUSES) do
      for _, body in ipairs { '{"task_id":"' .. ID .. '"}', '{"task":{"id":' .. ID .. "}}" } do
        assert.equal(status, assert_named({ status = status, body = body }).http_status)
      end
    end
  end)

  it("of the second generation", function()
    assert_named({ status = 429, body = '{"type":"error","error":{"type":"rate_limit_error",'
      .. '"message":"slow down (1002)","http_code":"429"},"task_id":"' .. ID .. '"}' }, VIDEO2)
  end)

  it("in an answer that is cut, of a wrong length, or without its last chunk", function()
    local text = '{"task_id":"' .. ID .. '","base_resp":{"status_code":0}}'
    local chunk = ("%x\r\n%s\r\n"):format(#text, text)
    local head = "HTTP/1.1 200 OK\r\n"
    for _, raw in ipairs {
      head .. "Content-Length: " .. #text .. "\r\n\r\n" .. text:sub(1, 40),
      head .. "Content-Length: 500\r\n\r\n" .. text,
      head .. "Content-Length: 40\r\n\r\n" .. text,
      head .. "\r\n" .. text:sub(1, 40),
      head .. "Transfer-Encoding: chunked\r\n\r\n" .. chunk,
      head .. "Transfer-Encoding: chunked\r\n\r\n" .. chunk .. "x\r\n",
      head .. "Transfer-Encoding: chunked\r\n\r\n" .. chunk:sub(1, 40),
    } do
      assert_named { raw = raw }
    end
  end)

  it("in what can't be decoded", function()
    for _, body in ipairs { '{"task_id":"' .. ID .. '"', '{"task_id":"' .. ID .. '"}}',
      '{"task_id":' .. ID .. ',"x":Nan}', '{"task_id":"' .. ID .. '"}\0x',
      '{"task_id":"' .. ID .. [[","prompt":"a lion ]], "ok: {\"task_id\":\"" .. ID .. '"}',
      ('{"task_id":"%s","x":"%s"}'):format(ID, ("x"):rep(9 << 20)) } do
      assert_named { body = body }
    end
  end)

  it("where the connection is silent from there on", function()
    local silent <close> = wire.start { steps = { { "read_request" },
      { "send", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" .. '{"task_id":"' .. ID .. '",' },
      { "hang" } } }
    for _, options in ipairs { {}, { timeout = 0.3 } } do
      local client <close> = server:client { base_url = silent.url, stall_timeout = 0.5 }
      local _, err = client:submit(REQUEST, options)
      assert.same({ "unknown", ID }, { err.kind, err.task_id })
    end
    assert.equal(2, #silent:requests())
  end)

  -- The request's own id is none to wait for.
  it("or by nothing, where its answer broke off before", function()
    local body = '{"id":"req_99","data":{"task_id":"' .. ID .. '"}}'
    for _, length in ipairs { body:find(",", 1, true), body:find("task_id", 1, true) + 3,
      body:find(ID, 1, true) - 2, body:find(ID, 1, true) + 5 } do
      server:answer { raw = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
        .. body:sub(1, length) }
      local client <close> = server:client()
      local _, err = client:submit(REQUEST)
      assert.same({ "unknown" }, { err.kind, err.task_id }, length)
    end
  end)

  it("is refused all the same where it names none", function()
    for _, body in ipairs { '{"task_id":"","base_resp":{"status_code":2013}}',
      '{"task_id":null,"id":"req_99","base_resp":{"status_code":2013}}',
      '{"id":"request-7","base_resp":{"status_code":2013}}',
      '{"trace_id":"17","base_resp":{"status_code":2013}}',
      [[{"base_resp":{"status_code":2013,"status_msg":"\"task_id\":\"17\""}}]] } do
      local _, err = post(body)
      assert.equal("invalid", err.kind)
      assert.is_nil(err.task)
    end
  end)

  it("that is accepted has exactly its digits, or is unknown", function()
    for written, id in pairs { ["4.01047179385389059E+17"] = ID, [ID .. ".0"] = ID,
      ["1e3"] = "1000" } do
      assert.equal(id, assert(post('{"task_id":' .. written .. "}")).task_id)
    end
    local _, err = post '{"task_id":401047179385389059.5}'
    assert.equal("unknown", err.kind)
    assert.is_nil(err.task_id)
  end)

  it("by what can be no id is unknown, and raises nothing, in generate, too", function()
    local folder <close> = temp.folder()
    for _, id in ipairs { "0", '"0"', "-1", '"-1"', '"."', '".."', '"a\\u0000b"', '"a b"',
      '"a\\nb"', '"\\u0085"', '""', "17.5" } do
      local _, err = post('{"task_id":' .. id .. ',"base_resp":{"status_code":0}}')
      assert.same({ "unknown" }, { err.kind, err.task_id }, id)
      server:answer('{"task_id":' .. id .. ',"base_resp":{"status_code":0}}')
      local client <close> = server:client()
      local info
      info, err = client:generate(REQUEST, folder:file "out.mp4")
      assert.is_nil(info)
      assert.equal("unknown", err.kind)
    end
  end)

  it("by its own id, not by the request's", function()
    local task = assert(post('{"id":"req_99","data":{"task_id":"' .. ID .. '"}}'))
    assert.equal(ID, task.task_id)
  end)

  it("reaches the caller of generate, and can be waited for", function()
    local folder <close> = temp.folder()
    server:answer('{"task_id":"' .. ID .. '","base_resp":{"status_code":1002}}',
      '{"task_id":"' .. ID .. '","status":"Fail"}')
    local client <close> = server:client()
    local _, err = client:generate(REQUEST, folder:file "out.mp4")
    assert.same({ "unknown", false }, { err.kind, err.retryable })
    local _, failure = client:wait(err.task)
    assert.equal("failed", failure.kind)
    assert.equal("/v1/query/video_template_generation?task_id=" .. ID, server:asked()[2].path)
  end)

  it("is adopted by the job of a batch: one POST", function()
    local folder <close> = temp.folder()
    server:answer('{"task_id":"' .. ID .. '","base_resp":{"status_code":1002}}',
      '{"task_id":"' .. ID .. '","status":"Fail"}')
    local client <close> = server:client()
    local b <close> = assert(batch.open(folder:file "ledger.db", client))
    assert(b:add { key = "a", request = REQUEST, output = folder:file "a.mp4" })
    assert.equal(1, b:run({ poll_interval = 0.01 }).failed)
    for job in b:jobs() do
      assert.equal(ID, job.task_id)
    end
    local methods = {}
    for _, request in ipairs(server:asked()) do
      methods[#methods + 1] = request.method
    end
    assert.same({ "POST", "GET" }, methods)
  end)

  it("to client:call has the kind of its path", function()
    for path, kind in pairs { ["/v2/video_regeneration"] = "video2",
      ["/v1/video_generation"] = "video", ["/v1/video_template_generation"] = "template" } do
      server:answer({ status = 429, body = '{"task_id":"' .. ID .. '"}' }, "{}")
      local client <close> = server:client()
      local _, err = client:call("POST", path, { body = {} })
      assert.same({ "unknown", ID, kind, false },
        { err.kind, err.task_id, err.task.kind, err.retryable })
      assert.equal(1, #server:asked())
    end
  end)

  it("is no matter of a DELETE, which makes none", function()
    server:answer { status = 400, body = '{"task_id":"' .. ID .. '"}' }
    local client <close> = server:client()
    local _, err = client:call("DELETE", "/v2/video_generation/" .. ID)
    assert.equal("invalid", err.kind)
  end)
end)

describe("a status line that refuses", function()
  local server

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  local KINDS = { [301] = "protocol", [400] = "invalid", [401] = "auth", [402] = "balance",
    [403] = "auth", [404] = "invalid", [407] = "invalid", [413] = "invalid", [422] = "content",
    [429] = "rate_limit" }

  -- The answers that begin so and are cut.
  local function cut(status)
    local line = "HTTP/1.1 " .. status .. " Whatever\r\n"
    local head = line .. "Content-Length: 500\r\n\r\n"
    return { line, head, head .. "<html>", head .. '{"error":{"message":"no',
      line .. "Transfer-Encoding: chunked\r\n\r\n20\r\n<html>" }
  end

  it("is a refusal of a submit, and not unknown, whatever became of its body", function()
    for status, kind in pairs(KINDS) do
      for _, raw in ipairs(cut(status)) do
        server:answer { raw = raw }
        local client <close> = server:client()
        local _, err = client:submit(REQUEST, { timeout = status == 429 and 0.3 or nil })
        assert.same({ kind, status, 1 }, { err.kind, err.http_status, #server:asked() }, raw)
      end
    end
  end)

  it("and stays unknown where it does not refuse", function()
    for _, status in ipairs { 200, 201, 408, 500, 502, 503 } do
      for _, raw in ipairs(cut(status)) do
        server:answer { raw = raw }
        local client <close> = server:client()
        local _, err = client:submit(REQUEST)
        assert.same({ "unknown", status, 1 }, { err.kind, err.http_status, #server:asked() }, raw)
      end
    end
  end)

  it("is one where the body stalls", function()
    local silent <close> = wire.start { steps = { { "read_request" },
      { "send", "HTTP/1.1 413 Too Large\r\nContent-Length: 500\r\n\r\n<html>" }, { "hang" } } }
    local client <close> = server:client { base_url = silent.url, stall_timeout = 0.3 }
    local _, err = client:submit(REQUEST)
    assert.same({ "invalid", 413 }, { err.kind, err.http_status })
  end)

  it("of a proxy or gateway is not called the key's", function()
    for _, reply in ipairs { { status = 407, body = "" },
      { status = 403, body = "<html>No</html>" },
      { status = 401, body = "<html>Sign in</html>" }, { status = 403, body = "" },
      { status = 403, body = '{"message":"Forbidden"}' },
      { raw = "HTTP/1.1 403 Forbidden\r\nContent-Length: 500\r\n\r\n<html>" } } do
      server:answer(reply)
      local client <close> = server:client()
      local _, err = client:submit(REQUEST)
      assert.is_nil(err.message:find("key was refused", 1, true), err.message)
      assert.is_false(err.retryable)
    end
    server:answer { status = 407, body = "" }
    local client <close> = server:client()
    local _, err = client:submit(REQUEST)
    assert.matches("the proxy wants credentials", err.message, 1, true)
  end)
end)

describe("a proxy that wants credentials", function()
  local function error_through(server, scheme, call)
    local events = {}
    local client <close> = minimax.new { base_url = "https://api.invalid", api_key = "sk-spec",
      proxy = scheme .. "://bob:s3cret@127.0.0.1:" .. server.port, retries = 4,
      poll_interval = 0.01, wait_timeout = 20, on_event = function(event)
        events[#events + 1] = event
      end }
    local result, err = call(client)
    assert.is_nil(result)
    assert.same({ "network", false, 1 }, { err.kind, err.retryable, err.attempts }, tostring(err))
    assert.matches("the proxy wants credentials", err.message, 1, true)
    assert.is_nil(err.message:find("key", 1, true))
    assert.is_nil(err.message:find("s3cret", 1, true))
    assert.equal(1, server:connections())
    return err
  end

  local CALLS = {
    submit = function(client) return client:submit(REQUEST) end,
    query = function(client) return client:query "17" end,
    wait = function(client) return client:wait "17" end,
  }

  -- Speaks SOCKS 5 as far as to the refusal of what it was told.
  local SOCKS = [[
    local connection = ...
    connection.socket:read(2)
    connection:send "\5\2"
    connection.socket:read(2)
    connection:send "\1\1"
    connection:hang()
  ]]

  for name, call in pairs(CALLS) do
    it("by 407 to CONNECT ends a " .. name .. " at once and says so", function()
      local server <close> = wire.start { steps = { { "read_head" }, { "send",
        "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n" }, { "close" } } }
      error_through(server, "http", call)
    end)

    it("by refusing those over SOCKS ends a " .. name .. " at once and says so", function()
      local server <close> = wire.start { serve = SOCKS }
      error_through(server, "socks5h", call)
    end)
  end

  it("stops a batch, which leaves its job as it is", function()
    local folder <close> = temp.folder()
    local server <close> = wire.start { steps = { { "read_head" }, { "send",
      "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n" }, { "close" } } }
    local client <close> = minimax.new { base_url = "https://api.invalid", api_key = "sk-spec",
      proxy = "http://127.0.0.1:" .. server.port }
    local b <close> = assert(batch.open(folder:file "ledger.db", client))
    assert(b:add { key = "a", request = REQUEST, output = folder:file "a.mp4" })
    local counts, reason = b:run({ poll_interval = 0.01, patience = 5 })
    assert.same({ 1, "network" }, { counts.added, reason })
    assert.equal(1, server:connections())
  end)
end)
