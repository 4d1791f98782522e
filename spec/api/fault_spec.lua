--- src/api/fault.c: error objects.

local api = require "spec.support.api"
local minimax = require "minimax"
local process = require "spec.support.process"

describe("an error", function()
  local server

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  -- The error of a query that is answered so.
  local function error_of(reply, options, id)
    server:answer(reply)
    local client <close> = server:client(options)
    local status, err = client:query(id or "401047179385389059")
    assert.is_nil(status)
    return err
  end

  local REFUSED = {
    headers = { ["Trace-Id"] = "0123abc" },
    body = '{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}',
  }

  it("is a table with a name, its fields, and one readable line", function()
    local err = error_of(REFUSED)
    assert.equal("table", type(err))
    assert.equal("minimax.error", getmetatable(err).__name)
    assert.equal("balance", err.kind)
    assert.equal(1008, err.code)
    assert.equal("integer", math.type(err.code))
    assert.equal(200, err.http_status)
    assert.equal("0123abc", err.trace_id)
    assert.equal("query", err.stage)
    assert.equal("401047179385389059", err.task_id)
    assert.equal(1, err.attempts)
    assert.is_false(err.retryable)
    assert.equal("minimax query: insufficient balance; top up the account's balance "
      .. "(balance, code 1008, HTTP 200, task 401047179385389059, trace 0123abc)", tostring(err))
  end)

  it("prints well with assert, error and ..", function()
    local err = error_of(REFUSED)
    local _, raised = pcall(error, err)
    assert.equal(err, raised)
    local result = process.run {
      args = { server.url },
      script = [[
        local client = require "minimax".new { base_url = ..., api_key = "sk-spec", retries = 0 }
        assert(client:query "401047179385389059")
      ]],
    }
    assert.equal(1, result.code)
    assert.is_truthy(result.err:find(": " .. tostring(err) .. "\n", 1, true), result.err)
    assert.equal("so: " .. tostring(err), "so: " .. err)
    assert.equal(tostring(err) .. "!", err .. "!")
    assert.equal(tostring(err) .. tostring(err), err .. err)
    assert.equal(5 .. tostring(err), 5 .. err)
  end)

  it("carries a task that can be waited for and asked about", function()
    local err = error_of(REFUSED)
    assert.equal("minimax.task", getmetatable(err.task).__name)
    assert.equal("401047179385389059", err.task.task_id)
    assert.equal("template", err.task.kind)
    server:answer '{"status":"Processing"}'
    local client <close> = server:client()
    assert.equal("Processing", assert(client:query(err.task)).status)
    err = error_of(REFUSED, nil, "video_01J8")
    assert.equal("video", err.task.kind)
  end)

  it("keeps to one line and readable characters, whatever the server says", function()
    local err = error_of '{"base_resp":{"status_code":2013,"status_msg":"a\\nb\\u001b[31m"}}'
    assert.is_truthy(err.message:find("a b [31m", 1, true))
    assert.is_nil(tostring(err):find("%c"))
    err = error_of { status = 502, body = "<html>\r\n<p>Bad\tGate\xffway</p>" }
    assert.is_nil(tostring(err):find("%c"))
    assert.is_truthy(tostring(err):find("<html>  <p>Bad Gate?way</p>", 1, true))
    err = error_of(REFUSED, nil, "an id\nof two lines")
    assert.equal("an id\nof two lines", err.task_id)
    assert.is_nil(tostring(err):find("%c"))
  end)

  it("never shows the key, wherever the server puts it", function()
    for _, reply in ipairs {
      '{"base_resp":{"status_code":1004,"status_msg":"login fail: ' .. api.KEY .. '"}}',
      { status = 401, body = '{"error":{"message":"bad key ' .. api.KEY .. ' (1004)"}}' },
      { status = 403, body = "<html>Bearer " .. api.KEY .. "</html>" },
      { status = 500, body = api.KEY },
      { status = 302, headers = { Location = "https://a.example/?k=" .. api.KEY } },
    } do
      local err = error_of(reply)
      assert.is_nil(tostring(err):find(api.KEY, 1, true))
      for _, value in pairs(err) do
        assert.is_nil(tostring(value):find(api.KEY, 1, true))
      end
    end
  end)

  it("has signed query strings of links cut out", function()
    local err = error_of('{"base_resp":{"status_code":2013,"status_msg":'
      .. '"bad https://cdn.example/v.mp4?Expires=1&Signature=abc"}}')
    assert.is_truthy(err.message:find("https://cdn.example/v.mp4?[cut]", 1, true))
    assert.is_nil(tostring(err):find("Signature", 1, true))
  end)

  it("has a trace id only where it is a text", function()
    assert.equal("a17", error_of('{"request_id":"a17","base_resp":{"status_code":1008}}').trace_id)
    assert.equal("17", error_of('{"trace_id":17,"base_resp":{"status_code":1008}}').trace_id)
    assert.is_nil(error_of('{"request_id":{},"base_resp":{"status_code":1008}}').trace_id)
    assert.is_nil(error_of('{"request_id":null,"base_resp":{"status_code":1008}}').trace_id)
  end)

  it("knows whether repeating the same call is safe and may help", function()
    for code, retryable in pairs {
      [1002] = true, [1000] = true, [1033] = true, [4711] = true,
      [1004] = false, [1008] = false, [2056] = false, [1026] = false, [2013] = false,
    } do
      local client <close> = server:client()
      server:answer(('{"base_resp":{"status_code":%d}}'):format(code))
      local _, err = client:query("1", { timeout = 0.1 })
      assert.equal(retryable, err.retryable, code)
    end
  end)

  it("of a call for a file says its path once it can't be read", function()
    local client <close> = server:client()
    server:answer "{}"
    local _, err = client:submit { model = "m",
      first_frame_image = minimax.file "/nowhere/pet.jpg" }
    assert.equal("submit", err.stage)
    assert.is_truthy(tostring(err):find("first_frame_image: file '/nowhere/pet.jpg' can't be "
      .. "opened: No such file or directory", 1, true))
    assert.same({}, server:asked())
  end)
end)
