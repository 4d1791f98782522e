--- src/api/reply.c: which kind of error an answer is, and what it says.

local api = require "spec.support.api"
local error_codes = require "spec.support.error_codes"

-- Contract section 7.
local KINDS = {
  auth = { codes = { 1004, 2049, 2038 }, statuses = { 401, 403 } },
  balance = { codes = { 1008 }, statuses = { 402 } },
  quota = { codes = { 1028, 1030, 2056, 2061 }, statuses = {} },
  content = { codes = { 1026, 1027 }, statuses = { 422 } },
  invalid = { codes = { 2013, 1042 }, statuses = { 400, 404, 405, 409, 410, 413, 451 } },
  server = { codes = { 1000, 1001, 1013, 1024, 1033, 1, 999, 1003, 4711, 123456789 },
    statuses = { 500, 502, 503, 504, 529, 599 } },
  rate_limit = { codes = { 1002, 1039, 1041, 2045 }, statuses = { 429 } },
}

describe("an answer", function()
  local server

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  -- The error of a query that is answered so. A rate limit is waited for, so
  -- the call's own end comes first.
  local function error_of(reply, options)
    server:answer(reply)
    local client <close> = server:client(options)
    local status, err = client:query("17", { timeout = 5 })
    assert.is_nil(status)
    assert.equal("query", err.stage)
    assert.equal(1, err.attempts)
    assert.equal(1, #server:asked())
    return err
  end

  local function limited(reply)
    server:answer(reply)
    local client <close> = server:client()
    local _, err = client:query("17", { timeout = 0.05 })
    assert.equal(1, #server:asked())
    return err
  end

  it("has a kind here for each code that the module knows", function()
    for code, kind in pairs(error_codes.known()) do
      local expected = {}
      for _, listed in ipairs(KINDS[kind].codes) do
        expected[listed] = true
      end
      assert.is_true(expected[code], code .. " is " .. kind)
    end
  end)

  it("has the kind of its code, which stands in the error", function()
    for kind, case in pairs(KINDS) do
      for _, code in ipairs(case.codes) do
        local reply = ('{"base_resp":{"status_code":%d,"status_msg":"no"}}'):format(code)
        local err = (kind == "rate_limit" and limited or error_of)(reply)
        assert.equal(kind, err.kind, code)
        assert.equal(code, err.code)
        assert.equal(200, err.http_status)
      end
    end
  end)

  it("has the kind of its HTTP status where there is no code", function()
    for kind, case in pairs(KINDS) do
      for _, status in ipairs(case.statuses) do
        for _, body in ipairs { "{}", "", "404 page not found", '"404 page not found"',
          '{"error":{"message":"no","type":"t","http_code":"400"},"request_id":"r"}' } do
          local reply = { status = status, body = body }
          local err = (kind == "rate_limit" and limited or error_of)(reply)
          assert.equal(kind, err.kind, status)
          assert.equal(status, err.http_status)
          assert.is_nil(err.code)
        end
      end
    end
  end)

  it("of v2 has its code in parentheses at the end of the message", function()
    local err = error_of { status = 400, body = [[{"type":"error","error":{
      "type":"bad_request_error","message":"invalid params, resolution (2K) is wrong (2013)",
      "http_code":"400"},"request_id":"021785229015510a"}]] }
    assert.equal("invalid", err.kind)
    assert.equal(2013, err.code)
    assert.equal(400, err.http_status)
    assert.equal("021785229015510a", err.trace_id)
    assert.is_truthy(err.message:find("resolution (2K) is wrong (2013)", 1, true))
    err = error_of { status = 401, body = '{"error":{"message":"invalid api key (2049)"}}' }
    assert.equal("auth", err.kind)
    assert.equal(2049, err.code)
    err = error_of { status = 400, body = '{"error":{"message":"wrong (but why)"}}' }
    assert.is_nil(err.code)
    err = error_of { status = 400, body = '{"error":{"message":"wrong (2013) indeed"}}' }
    assert.is_nil(err.code)
  end)

  it("may carry either envelope on either generation, its code as a text, too", function()
    assert.equal(1008, error_of('{"base_resp":{"status_code":"1008"}}').code)
    assert.equal(1008, error_of({ status = 402,
      body = '{"base_resp":{"status_code":1008},"error":{"message":"x (1000)"}}' }).code)
    assert.equal("server", error_of('{"error":{"message":"something broke"}}').kind)
    assert.equal("balance", error_of('{"error":{"message":"top up (1008)"}}').kind)
  end)

  it("keeps a server's own trouble apart from a refusal: the code goes before 4xx", function()
    assert.equal("server", error_of({ status = 400,
      body = '{"error":{"message":"unknown error (1000)"}}' }).kind)
    assert.equal("invalid", error_of({ status = 400,
      body = '{"error":{"message":"nobody documented this (4711)"}}' }).kind)
  end)

  it("with an empty error is none", function()
    server:answer '{"id":"17","status":"running","error":{"code":"","message":""}}'
    local client <close> = server:client()
    assert.equal("running", assert(client:query "17").state)
    server:answer '{"id":"17","status":"running","error":{}}'
    assert.equal("running", assert(client:query "17").state)
  end)

  it("of a gateway refuses by its own word", function()
    local err = error_of '{"code":"task_not_exist","message":"task not exist","data":null}'
    assert.equal("invalid", err.kind)
    assert.is_truthy(err.message:find("task not exist", 1, true))
    err = error_of { status = 404, body = '{"code":"task_not_found","message":"no such task"}' }
    assert.equal("invalid", err.kind)
    assert.is_truthy(err.message:find("no such task", 1, true))
    local client <close> = server:client()
    for _, code in ipairs { '"success"', '"SUCCESS"', "0", "200", "null" } do
      server:answer('{"code":' .. code .. ',"status":"Processing","message":""}')
      assert.equal("running", assert(client:query "17").state)
    end
  end)

  it("with a code that is no number beside a running task is not 'not yet'", function()
    for _, code in ipairs { "1004.5", "1e30", "true", '"auth"', '"1004.5"', "-1", "[1]", '{"a":1}',
      '"-1"' } do
      local err = error_of('{"task_id":"17","status":"Processing","base_resp":{"status_code":'
        .. code .. "}}")
      assert.is_nil(err.code, code)
      assert.equal(code == '"auth"' and "auth" or "server", err.kind, code)
    end
    local client <close> = server:client()
    for _, code in ipairs { "0", '"0"', "0.0", '""', "null", "false", "[]", "{}", '"success"' } do
      server:answer('{"task_id":"17","status":"Processing","base_resp":{"status_code":'
        .. code .. "}}")
      assert.equal("running", assert(client:query "17").state, code)
    end
  end)

  it("with HTTP 200 whose error names an unknown task, or an HTTP error, is definite", function()
    for body, kind in pairs {
      ['{"error":{"code":"task_not_exist"}}'] = "invalid", ['{"code":404}'] = "invalid",
      ['{"error":{"code":"TaskNotFound"}}'] = "invalid", ['{"code":"404","data":[]}'] = "invalid",
      ['{"error":{"code":404,"message":"no"}}'] = "invalid", ['{"error":"not_found"}'] = "invalid",
      ['{"code":401,"message":"no"}'] = "auth", ['{"error":{"code":"1004"}}'] = "auth",
      ['{"error":{"type":"authentication_error","message":"no"}}'] = "auth",
      ['{"code":404,"data":{"status":"Processing"}}'] = "invalid", ['{"code":402}'] = "balance",
    } do
      server:answer(body)
      local client <close> = server:client()
      local status, err = client:wait "17"
      assert.is_nil(status)
      assert.equal(kind, err.kind, body)
      assert.equal(1, #server:asked(), body)
    end
  end)

  -- Where servers say why, and what they say; `false`: nowhere.
  local WHY = {
    ['"error":"no credit left"'] = "no credit left",
    ['"error":{"message":"","msg":"no credit left"}'] = "no credit left",
    ['"error":{"code":"no_credit","type":"t"}'] = "no_credit",
    ['"error":{"error":{"message":"deep"}}'] = "deep", ['"error_message":"words"'] = "words",
    ['"fail_reason":"words"'] = "words", ['"detail":"words"'] = "words",
    ['"detail":["","words"]'] = "words",
    ['"detail":[{"loc":["body","model"],"msg":"field required","type":"missing"}]'] =
      "field required",
    ['"msg":"words"'] = "words", ['"errors":[{"message":"words"}]'] = "words",
    ['"errors":["","words"]'] = "words", ['"message":" ","msg":"words"'] = "words",
    ['"base_resp":{"status_code":1,"status_msg":""},"message":"words"'] = "words",
    ['"base_resp":{"status_code":1,"status_msg":"words"},"msg":"others"'] = "words",
    ['"error":{"message":{"text":"x","message":"words"}}'] = "words",
    ['"error":[{"message":"words"}]'] = "words",
    ['"why":"the moon"'] = 'the answer says {"why":"the moon"}',
    ['"errors":{"image":["too small"]}'] = 'the answer says {"errors":{"image":["too small"]}}',
    ['"message":"success","base_resp":{"status_code":0,"status_msg":"success"}'] = false,
    ['"error":{"code":"","message":""},"detail":[],"msg":"0"'] = false,
    ['"error":{"code":400}'] = 'the answer says {"error":{"code":400}}',
  }

  it("says why, wherever it does: a refusal as well as a task that failed", function()
    for fields, why in pairs(WHY) do
      why = why or "the server gave no reason"
      local err = error_of { status = 400, body = "{" .. fields .. "}" }
      assert.equal(why, (err.message:gsub("; it was asked.*", "")), fields)
      server:answer('{"task_id":"17","status":"Fail",' .. fields .. "}")
      local client <close> = server:client()
      local _, failure = client:wait "17"
      assert.equal("failed", failure.kind)
      assert.equal("the task ended as 'Fail': " .. why, failure.message, fields)
    end
  end)

  it("is shown in part where its reason has no known place, without the key", function()
    local err = error_of { status = 400, body = ('{"why":"%s %s"}'):format(
      ("x"):rep(105), api.KEY .. ("y"):rep(50)) }
    assert.is_nil(err.message:find(api.KEY:sub(1, 6), 1, true))
    err = error_of { status = 400, body = '{"why":"' .. ("狮"):rep(500) .. '"}' }
    assert.is_truthy(utf8.len(err.message))
    assert.is_true(#err.message < 300)
  end)

  it("gives a trace id without the key, and in one line, wherever it stands", function()
    local echo = "Bearer " .. api.KEY .. "\\n\\u001b[2J"
    for _, case in ipairs {
      { body = '{"task_id":"17","status":"Processing","trace_id":"' .. echo .. '"}' },
      { body = '{"task_id":"17","status":"Processing","request_id":"' .. echo .. '"}' },
      { headers = { ["Trace-Id"] = "Bearer " .. api.KEY },
        body = '{"task_id":"17","status":"Processing"}' },
    } do
      server:answer(case)
      local client <close> = server:client()
      for _, found in ipairs { assert(client:query "17"), assert(client:submit { model = "m" }) } do
        assert.matches("^Bearer %[key%]", found.trace_id)
        assert.is_nil(found.trace_id:find "%c")
      end
      case.status = 400
      assert.matches("^Bearer %[key%]", error_of(case).trace_id)
    end
  end)

  it("that is HTML instead of JSON is kind protocol, or that of its status", function()
    local page = "<!DOCTYPE html>\n<html><body>Welcome to nginx!</body></html>"
    for _, headers in ipairs { {}, { ["Content-Type"] = "text/html" } } do
      local err = error_of { headers = headers, body = page }
      assert.equal("protocol", err.kind)
      assert.is_truthy(err.message:find("something other than JSON: <!DOCTYPE html>", 1, true))
      assert.equal("server", error_of({ status = 502, headers = headers, body = page }).kind)
    end
  end)

  it("is shown in part where it is no JSON, and never in two lines", function()
    local err = error_of { body = ("<p>\n"):rep(1000) }
    assert.is_true(#tostring(err) < 400)
    assert.is_nil(tostring(err):find("\n", 1, true))
    assert.is_truthy(error_of({ body = "" }).message:find("an empty body", 1, true))
    err = error_of { body = ("\u{72ee}"):rep(100) }
    assert.is_truthy(utf8.len(tostring(err)))
  end)

  it("of 9 MB is kind protocol, and is not read to its end", function()
    server:answer { body = '{"a":"' .. ("x"):rep(9 << 20) .. '"}' }
    local client <close> = server:client()
    local reply, err = client:call("GET", "/v1/anything")
    assert.is_nil(reply)
    assert.equal("protocol", err.kind)
    assert.is_truthy(err.message:find("max_response_bytes", 1, true))
  end)

  it("may be as large as max_response_bytes says, and no larger", function()
    local body = '{"a":"' .. ("x"):rep(1000 - 8) .. '"}'
    assert.equal(1000, #body)
    server:answer(body)
    local fits <close> = server:client { max_response_bytes = 1000 }
    assert.equal(992, #assert(fits:call("GET", "/v1/anything")).a)
    local small <close> = server:client { max_response_bytes = 999 }
    local _, err = small:call("GET", "/v1/anything")
    assert.equal("protocol", err.kind)
  end)

  it("that redirects is followed nowhere", function()
    for _, status in ipairs { 301, 302, 303, 307, 308 } do
      local err = error_of { status = status, headers = { Location = server.url .. "/other" } }
      assert.equal("protocol", err.kind)
      assert.equal(status, err.http_status)
      assert.is_truthy(err.message:find("base_url", 1, true))
    end
  end)

  it("says what to do: a refused key names the other region's host, and so on", function()
    local function message(code)
      return error_of(('{"base_resp":{"status_code":%d,"status_msg":"no"}}'):format(code)).message
    end
    assert.is_truthy(message(1004):find("https://api.minimax.io", 1, true))
    assert.is_truthy(message(2049):find("check the key", 1, true))
    assert.is_truthy(message(1008):find("top up", 1, true))
    assert.is_truthy(message(2056):find("plan's quota", 1, true))
    assert.is_truthy(message(1026):find("change the text or the media", 1, true))
    assert.is_truthy(error_of({ status = 404, body = "404 page not found" }).message
      :find("check base_url", 1, true))
  end)

  it("of an unknown task names the kind that was asked, the option and the account", function()
    local err = error_of '{"base_resp":{"status_code":2013,"status_msg":"invalid task_id"}}'
    assert.is_truthy(err.message:find("invalid task_id; it was asked as a task of kind 'template' "
      .. "(the option kind names another)", 1, true))
    assert.is_truthy(err.message:find("own account", 1, true))
  end)

  describe("to a wait", function()
    -- What a wait makes of a reply that is followed by success.
    local function wait(reply)
      server:answer(reply, '{"status":"Success","file_id":"1"}')
      local client <close> = server:client { poll_interval = 0 }
      return client:wait "17"
    end

    it("that is a definite refusal ends it at once", function()
      for _, kind in ipairs { "auth", "balance", "quota", "content", "invalid" } do
        for _, code in ipairs(KINDS[kind].codes) do
          local status, err = wait(('{"base_resp":{"status_code":%d}}'):format(code))
          assert.is_nil(status)
          assert.equal(kind, err.kind)
          assert.equal("wait", err.stage)
          assert.equal("17", err.task_id)
          assert.equal(1, #server:asked())
        end
        for _, http_status in ipairs(KINDS[kind].statuses) do
          local _, err = wait { status = http_status, body = "{}" }
          assert.equal(kind, err.kind)
          assert.equal(1, #server:asked())
        end
      end
    end)

    it("that is a page of something in between never ends it", function()
      assert.equal("succeeded", assert(wait { status = 403,
        headers = { ["Content-Type"] = "text/html; charset=utf-8" }, body = "blocked" }).state)
      assert.equal(2, #server:asked())
    end)
  end)
end)
