--- src/calls/submit.c: accepted, refused, or unknown; never paid for twice.

local api = require "spec.support.api"
local minimax = require "minimax"
local picture = require "spec.support.picture"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local REQUEST = { template_id = "393769180141805569", text_inputs = { "Lion" } }
local VIDEO2 = { model = "MiniMax-H3", content = { { type = "text", text = "A lion." } } }

local function code_reply(code)
  return ('{"task_id":"","base_resp":{"status_code":%d,"status_msg":"no"}}'):format(code)
end

describe("submit", function()
  local server

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  -- Submits to a server that answers so; whatever comes of it, one POST left.
  local function submit(reply, options)
    server:answer(reply, '{"task_id":"second"}')
    local client <close> = server:client { retries = 4, request_timeout = 5,
      table.unpack(options or {}) }
    local task, err = client:submit(REQUEST)
    assert.equal(1, #server:asked())
    assert.equal("POST", server:asked()[1].method)
    if err then
      assert.equal("submit", err.stage)
      assert.equal(1, err.attempts)
      assert.is_nil(tostring(err):find("%c"))
      assert.is_nil(tostring(err):find(api.KEY, 1, true))
    end
    return task, err
  end

  local function assert_unknown(reply, options)
    local task, err = submit(reply, options)
    assert.is_nil(task)
    assert.equal("unknown", err.kind)
    assert.is_false(err.retryable)
    assert.is_truthy(err.message:find("may have arrived", 1, true))
    return err
  end

  local function assert_refused(kind, reply, options)
    local task, err = submit(reply, options)
    assert.is_nil(task)
    assert.equal(kind, err.kind)
    return err
  end

  describe("is accepted", function()
    it("with a task that has the id, the kind, the trace id and base_resp", function()
      local task = assert(submit { headers = { ["Trace-Id"] = "a17" },
        body = '{"task_id":"401047179385389059","base_resp":{"status_code":0,"status_msg":"ok"}}' })
      assert.same({ task_id = "401047179385389059", kind = "template", trace_id = "a17",
        base_resp = { status_code = 0, status_msg = "ok" } }, setmetatable(task, nil))
    end)

    it("also where a gateway wraps the answer or sends 201", function()
      for _, body in ipairs { '{"code":"success","data":{"task_id":"17"}}', '{"id":"17"}',
        '{"task":{"id":"17"}}', '{"data":{"task":{"id":17}}}', '{"data":{"data":{"task_id":17}}}' }
      do
        assert.equal("17", assert(submit(body)).task_id)
      end
      assert.equal("video_01J8", assert(submit { status = 201,
        body = '{"task_id":"video_01J8"}' }).task_id)
    end)

    it("by one POST on a fresh connection, as plain JSON, without Expect", function()
      server:answer('{"status":"Processing"}', '{"task_id":"17"}')
      local client <close> = server:client()
      assert(client:query "1")
      assert(client:submit(REQUEST))
      local asked = server:asked()
      assert.equal(asked[1].connection + 1, asked[2].connection)
      assert.equal("application/json", asked[2].headers["content-type"])
      assert.is_nil(asked[2].headers.expect)
      assert.is_nil(asked[2].headers["transfer-encoding"])
      assert.equal(tostring(#asked[2].body), asked[2].headers["content-length"])
    end)
  end)

  describe("is refused, and not repeated", function()
    it("by an answered auth, balance, quota, content or parameter error", function()
      for kind, codes in pairs {
        auth = { 1004, 2049, 2038 }, balance = { 1008 }, quota = { 1028, 1030, 2056, 2061 },
        content = { 1026, 1027 }, invalid = { 2013, 1042 },
      } do
        for _, code in ipairs(codes) do
          local err = assert_refused(kind, code_reply(code))
          assert.equal(code, err.code)
          assert.is_false(err.retryable)
        end
      end
    end)

    it("by any 4xx but 408, whatever its body", function()
      for status, kind in pairs { [400] = "invalid", [401] = "auth", [402] = "balance",
        [403] = "auth", [404] = "invalid", [405] = "invalid", [409] = "invalid",
        [413] = "invalid", [422] = "content", [451] = "invalid", [499] = "invalid" } do
        for _, body in ipairs { "{}", "", "<html>", '{"error":{"message":"no (4711)"}}' } do
          assert.equal(status, assert_refused(kind, { status = status, body = body }).http_status)
        end
      end
    end)

    it("by a redirect, which is not followed", function()
      for _, status in ipairs { 301, 302, 303, 307, 308 } do
        assert_refused("protocol", { status = status, headers = { Location = server.url } })
      end
    end)

    it("by a host that is unknown", function()
      local client <close> = server:client { base_url = "http://nowhere.invalid", retries = 0 }
      local _, err = client:submit(REQUEST)
      assert.equal("network", err.kind)
      assert.is_true(err.retryable)
    end)

    it("by a certificate that is not to be trusted, at the first try", function()
      local strange <close> = api.start { tls = "unknown_authority" }
      local client <close> = strange:client { retries = 4 }
      local _, err = client:submit(REQUEST)
      assert.equal("tls", err.kind)
      assert.equal(1, err.attempts)
      assert.equal(1, strange.wire:connections())
      assert.same({}, strange:asked())
    end)

    it("by a handshake that fails, or a proxy that opens no tunnel: nothing left", function()
      local deaf <close> = wire.start { steps = {
        { "send", "HTTP/1.1 400 Bad Request\r\n\r\n" }, { "close" },
      } }
      local client <close> = server:client { base_url = "https" .. deaf.url:sub(5), retries = 0 }
      local _, err = client:submit(REQUEST)
      assert.equal("tls", err.kind)
      server:answer { status = 503 }
      local far <close> = server:client { base_url = "https://api.example.invalid",
        proxy = server.url, retries = 0 }
      _, err = far:submit(REQUEST)
      assert.equal("network", err.kind)
      assert.equal("CONNECT", server:asked()[1].method)
      assert.equal(1, #server:asked())
    end)

    it("without a key", function()
      server:answer '{"task_id":"17"}'
      local client <close> = server:client { api_key = "" }
      local _, err = client:submit(REQUEST)
      assert.equal("auth", err.kind)
      assert.same({}, server:asked())
    end)

  end)

  it("repeats a connection that failed before the first byte", function()
    local port <close> = wire.refused()
    local client <close> = server:client { base_url = port.url, retries = 2 }
    local _, err = client:submit(REQUEST)
    assert.equal("network", err.kind)
    assert.equal(3, err.attempts)
    assert.is_true(err.retryable)
  end)

  describe("is unknown, and never sent again", function()
    it("after 408, 5xx, and statuses that are none", function()
      for _, status in ipairs { 408, 500, 502, 503, 504, 529, 599, 999 } do
        for _, body in ipairs { "{}", "", "<html>Bad Gateway</html>", '{"task_id":"17"}' } do
          assert.equal(status, assert_unknown({ status = status, body = body }).http_status)
        end
      end
    end)

    it("after a server error code, and codes that nobody documented", function()
      for _, code in ipairs { 1000, 1001, 1013, 1024, 1033, 1, 999, 1003, 4711, 123456789 } do
        local err = assert_unknown { headers = { ["Trace-Id"] = "a17" }, body = code_reply(code) }
        assert.equal(code, err.code)
        assert.equal(200, err.http_status)
        assert.equal("a17", err.trace_id)
      end
      assert.equal(1000, assert_unknown({ status = 500,
        body = '{"error":{"message":"unknown error (1000)"}}' }).code)
    end)

    it("after a reply that can't be read", function()
      for _, body in ipairs { "", "<html>", "OK", '{"task_id":"17"', '{"task_id":', "null", "17",
        '{"task_id":"17"}}', "{}\0", '"17"' } do
        assert_unknown { body = body }
      end
      assert_unknown { body = ('{"task_id":"17","x":"%s"}'):format(("x"):rep(9 << 20)) }
    end)

    it("after success without a task id", function()
      for _, body in ipairs { "{}", '{"task_id":""}', '{"task_id":null}', '{"data":{}}',
        '{"base_resp":{"status_code":0,"status_msg":"success"}}', '{"task_id":{"a":1}}',
        ('{"data":'):rep(60) .. "{}" .. ("}"):rep(60) } do
        local err = assert_unknown { body = body }
        assert.is_truthy(err.message:find("without naming a task id", 1, true))
      end
    end)

    it("after a connection that broke once the request was out", function()
      for _, reply in ipairs { { reset = true }, { close = true }, { raw = "HTTP/1.1 200 OK\r\n" },
        { raw = "HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{\"task_id\":\"17\"}" },
        { raw = "SSH-2.0-x\r\n" }, { raw = "HTTP/1.1 100 Continue\r\n\r\n" } } do
        assert_unknown(reply)
      end
    end)

    it("after a connection that broke before the last byte of the body left", function()
      local folder <close> = temp.folder()
      local path = folder:write("pet.png", picture.png() .. ("x"):rep(15 << 20))
      local early <close> = wire.start { steps = { { "read_head" }, { "reset" } } }
      local client <close> = server:client { base_url = early.url, retries = 4 }
      local _, err = client:submit { model = "m", first_frame_image = minimax.file(path) }
      assert.equal("unknown", err.kind)
      assert.is_false(err.retryable)
      assert.equal(1, early:connections())
    end)

    it("after a connection over TLS that broke once the request was out", function()
      local strange <close> = api.start { tls = "good" }
      for _, reply in ipairs { { reset = true }, { close = true } } do
        strange:answer(reply)
        local client <close> = strange:client { retries = 4 }
        local _, err = client:submit(REQUEST)
        assert.equal("unknown", err.kind)
        assert.equal(1, #strange:asked())
      end
    end)

    it("after silence, ended by request_timeout or by the call's own", function()
      server:answer { hang = true }
      local client <close> = server:client { retries = 4, request_timeout = 0.1 }
      local _, err = client:submit(REQUEST)
      assert.equal("unknown", err.kind)
      _, err = client:submit(REQUEST, { timeout = 0.05 })
      assert.equal("unknown", err.kind)
      assert.equal(2, #server:asked())
    end)

    it("after silence that follows a long body, in the same time", function()
      local folder <close> = temp.folder()
      local path = folder:write("pet.png", picture.png() .. ("x"):rep(15 << 20))
      server:answer { hang = true }
      local client <close> = server:client { request_timeout = 0.3, stall_timeout = 60 }
      local before = os.time()
      local _, err = client:submit { model = "m", first_frame_image = minimax.file(path) }
      assert.equal("unknown", err.kind)
      assert.is_true(os.time() - before < 30)
    end)

    it("and says where to look", function()
      assert.is_truthy(assert_unknown({ reset = true }).message
        :find("look into the account's usage", 1, true))
      server:answer { reset = true }
      local before = os.time()
      local client <close> = server:client()
      local _, err = client:submit(VIDEO2)
      assert.equal("unknown", err.kind)
      local from, to = err.message:match("client:list shows.* between (%d+) and (%d+)")
      assert.is_true(math.abs(from - before) <= 1)
      assert.is_true(math.tointeger(to) >= os.time())
    end)
  end)

  describe("under a rate budget", function()
    it("waits its turn, which `timeout` ends with kind rate_limit, certainly unsent", function()
      server:answer '{"task_id":"17"}'
      local client <close> = server:client { submit_rate = { 1, 3600 } }
      assert(client:submit(REQUEST))
      local task, err = client:submit(REQUEST, { timeout = 0.05 })
      assert.is_nil(task)
      assert.equal("rate_limit", err.kind)
      assert.equal("submit", err.stage)
      assert.is_true(err.retryable)
      assert.equal(0, err.attempts)
      assert.equal(1, #server:asked())
      task, err = client:submit(VIDEO2, { timeout = 0.05 })
      assert.is_nil(task)
      assert.equal("rate_limit", err.kind)
    end)

    it("learns nothing from a stray limit that names a short time: it costs that", function()
      for _, limit in ipairs { '{"base_resp":{"status_code":1002}}', "{}" } do
        local own <close> = server:client()
        local accepted = '{"task_id":"17","base_resp":{"status_code":0}}'
        server:answer(accepted, { status = limit == "{}" and 429 or 200, body = limit,
          headers = { ["Retry-After"] = "1" } }, accepted)
        for _ = 1, 6 do
          assert(own:submit({ template_id = "1" }, { timeout = 10 }))
        end
        local asked = server:asked()
        assert.equal(7, #asked)
        local seconds = asked[7].time - asked[1].time
        assert.is_true(seconds >= 0.99 and seconds < 4, seconds)
      end
    end)

    it("takes an answered rate limit as one, and not as unknown", function()
      for _, reply in ipairs { code_reply(1002), code_reply(1039), code_reply(1041),
        code_reply(2045), { status = 429, body = "{}" } } do
        server:answer(reply)
        local client <close> = server:client { retries = 4 }
        local _, err = client:submit(REQUEST, { timeout = 0.05 })
        assert.equal("rate_limit", err.kind)
        assert.is_true(err.retryable)
        assert.equal(1, #server:asked())
      end
    end)
  end)
end)
