-- Nothing that comes from outside raises: each field of an answer may be anything
-- at all, and each call gives a result or an error.

local api = require "spec.support.api"
local temp = require "spec.support.temp"

-- JSON in the place of what is expected.
local VALUES = {
  "null", "true", "false", "0", "-1", "1.5", "1e30", "NaN", '""', '"x"', "[]", "{}", "[1]",
  '["x"]', '[["x"]]', '{"a":1}', '[{"id":[]}]', '"a\\u0000b"', '"a\0b"', '"\\ud83e"', '"\xFF"',
  '"\\n\\u001b[2J"', '"' .. ("x"):rep(3000) .. '"', '{"url":[1],"message":{},"code":[]}',
  '"https://"', '"https://a.invalid:99999/"', '"http://[::1"', '"//"', '"?"',
}

-- What a field stands in.
local ANSWERS = {
  '{"task_id":%s,"status":"Processing"}', '{"task_id":"17","status":%s}',
  '{"task_id":"17","status":"Success","video_url":%s}',
  '{"task_id":"17","status":"Success","file_id":%s}',
  '{"task_id":"17","status":"Fail","error":%s}', '{"task_id":"17","status":"Fail","detail":%s}',
  '{"task_id":"17","base_resp":%s}', '{"base_resp":{"status_code":%s,"status_msg":"no"}}',
  '{"base_resp":{"status_code":1004,"status_msg":%s}}', '{"error":%s}', '{"error":{"message":%s}}',
  '{"code":%s,"message":"no"}', '{"message":%s}', '{"errors":[%s]}', '{"data":%s}',
  '{"data":{"task":%s}}', '{"task":%s}', '{"task":{"id":%s,"status":"succeeded"}}',
  '{"task":{"id":"17","status":"succeeded","content":%s}}', '{"items":%s}', '{"items":[%s]}',
  '{"items":[{"id":"17","status":%s}],"total":%s}', '{"file":%s}', '{"file":{"file_id":%s}}',
  '{"file":{"file_id":"1","download_url":%s}}', '{"task_id":"17","status":"queued","trace_id":%s}',
  '{"challenge":%s}', "%s",
}

describe("an answer with anything in it", function()
  local server, client, folder

  setup(function()
    server = api.start()
    client = server:client { wait_timeout = 0.02, poll_interval = 0.01 }
    folder = temp.folder()
  end)

  teardown(function()
    client:close()
    server:close()
    folder:close()
  end)

  local CALLS = {
    submit = function() return client:submit { model = "m" } end,
    query = function() return client:query("17", { kind = "video2" }) end,
    wait = function() return client:wait "17" end,
    list = function() return client:list() end,
    retrieve = function() return client:retrieve "1" end,
    cancel = function() return client:cancel "17" end,
    call = function() return client:call("GET", "/v1/x") end,
    generate = function()
      return client:generate({ template_id = "1" }, folder:file "g.mp4", { timeout = 0.02 })
    end,
    download = function()
      return client:download({ task_id = "17", kind = "video" }, folder:file "d.mp4")
    end,
  }

  -- Calls, and goes on with what came of it.
  local function try(name, call, text)
    local ok, result, err = pcall(call)
    assert.is_true(ok, ("%s raised on %s: %s"):format(name, text:sub(1, 200), tostring(result)))
    if result == nil then
      assert.equal("minimax.error", getmetatable(err).__name)
      assert.is_nil(tostring(err):find "%c", name .. " on " .. text:sub(1, 200))
      assert.is_truthy(utf8.len(tostring(err)))
    end
    return result, err
  end

  local NAMES = { "query", "submit", "wait", "query", "list", "download", "retrieve", "query",
    "generate", "cancel", "call" }

  -- One call for each pair: all calls meet all answers, with other values each.
  for number, answer in ipairs(ANSWERS) do
    it("is an answer or an error: " .. answer, function()
      for at, value in ipairs(VALUES) do
        local text = answer:gsub("%%s", function() return value end)
        server:answer(text)
        local name = NAMES[(number * 3 + at) % #NAMES + 1]
        try(name, CALLS[name], text)
        local reply, event = try("callback", function() return client:callback(text) end, text)
        if reply and event then
          try("notify", function() return client:notify(event) or true end, text)
          try("failure", function() return event:failure() or true end, text)
        end
      end
    end)
  end

  it("may be a link of 8 MB, or an id of as many", function()
    local long = ("x"):rep(8200000)
    local big <close> = server:client { max_response_bytes = 1 << 25, wait_timeout = 0.02 }
    for _, text in ipairs {
      '{"task_id":"17","status":"Success","video_url":"https://a.invalid/%s"}',
      '{"task_id":"17","status":"Success","file_id":"%s"}' } do
      server:answer((text:gsub("%%s", long)))
      local status = assert(big:query "17")
      local _, err = try("download", function()
        return big:download(status, folder:file "l.mp4")
      end, text)
      assert.is_true(#tostring(err) < 100000, #tostring(err))
    end
    local _, err = try("download", function()
      return client:download("https://a.invalid/" .. long, folder:file "l.mp4")
    end, "a link")
    assert.equal("invalid", err.kind)
  end)
end)
