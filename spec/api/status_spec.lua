--- src/api/status.c: what a query's answer amounts to, whatever its wrapping.

local api = require "spec.support.api"

local LINK = "https://cdn.example/v.mp4"
local HOUR = 3600

describe("a status", function()
  local server, client

  setup(function()
    server = api.start()
    client = server:client { poll_interval = 0 }
  end)

  teardown(function()
    client:close()
    server:close()
  end)

  local function query(reply, kind)
    server:answer(reply)
    return client:query("17", { kind = kind })
  end

  describe("of the API itself", function()
    it("holds every field of the reply as the API sent it", function()
      local status = assert(query [[{"task_id":"17","status":"Success","file_id":"176844028768320",
        "video_width":1920,"video_height":1080,"new_field":[1,{"a":true}],"nothing":null,
        "base_resp":{"status_code":0,"status_msg":"success"}}]])
      assert.same({
        task_id = "17", status = "Success", file_id = "176844028768320", video_width = 1920,
        video_height = 1080, new_field = { 1, { a = true } },
        base_resp = { status_code = 0, status_msg = "success" },
        state = "succeeded", kind = "template",
      }, setmetatable(status, nil))
      assert.equal("integer", math.type(status.video_width))
    end)

    it("of v2 holds the members of `task`", function()
      local status = assert(query([[{"task":{"id":"17","model":"MiniMax-H3","status":"succeeded",
        "content":{"url":"https://cdn.example/v.mp4"},"ratio":"","usage":{"total_seconds":5},
        "created_at":1785229015}}]], "video2"))
      assert.equal("17", status.id)
      assert.equal("17", status.task_id)
      assert.equal("video2", status.kind)
      assert.equal("MiniMax-H3", status.model)
      assert.equal(5, status.usage.total_seconds)
      assert.equal(1785229015, status.created_at)
      assert.equal(LINK, status.url)
      assert.is_nil(status.task)
    end)

    it("of a v2 task that writes a prompt is a success by its text", function()
      local reply = [[{"task":{"id":"17","status":"succeeded","task_type":"%s",
        "content":{"prompt":"%s"},"modality":"text"}}]]
      local status = assert(query(reply:format("h3_context_ir", "A lion runs."), "video2"))
      assert.equal("succeeded", status.state)
      assert.equal("A lion runs.", status.content.prompt)
      for _, fields in ipairs { { "h3_context_ir", "" }, { "generation", "A lion runs." } } do
        local _, err = query(reply:format(table.unpack(fields)), "video2")
        assert.equal("protocol", err.kind)
      end
    end)

    it("has the id that was asked where the reply has none", function()
      assert.equal("17", assert(query '{"status":"Processing"}').task_id)
      assert.equal("17", assert(query '{"task_id":"","status":"Processing"}').task_id)
      assert.equal("17", assert(query '{"task_id":null,"status":"Processing"}').task_id)
    end)

    it("has a trace id of the headers, else of the body", function()
      for name, value in pairs { ["Trace-Id"] = "a1", ["trace-id"] = "a2",
        ["Minimax-Request-Id"] = "a3", ["X-Mm-Request-Id"] = "a4" } do
        assert.equal(value, assert(query { headers = { [name] = value },
          body = '{"status":"Processing","trace_id":"b"}' }).trace_id)
      end
      assert.equal("b", assert(query '{"status":"Processing","trace_id":"b"}').trace_id)
    end)
  end)

  describe("of a gateway", function()
    it("is found one or two levels deep, with its link or file", function()
      for _, reply in ipairs {
        '{"data":{"status":"SUCCESS","video_url":"%s"}}',
        '{"code":"success","message":"","data":{"task_id":"17","status":"SUCCESS",'
          .. '"file":{"download_url":"%s"}}}',
        '{"code":"success","message":"","data":{"task_id":"17","action":"x","status":"SUCCESS",'
          .. '"fail_reason":"418201399554182","progress":"100%%","data":{"file":{"file_id":'
          .. '418201399554182,"download_url":"%s"},"status":"Success","file_id":"4182"}}}',
        '{"data":{"task":{"id":"17","status":"succeeded","content":{"url":"%s"}}}}',
        '{"data":{"data":{"status":"completed","download_url":"%s"}}}',
        '{"data":{"data":{"task":{"id":"17","status":"succeeded","content":{"url":"%s"}}}}}',
      } do
        local status = assert(query(reply:format(LINK)))
        assert.equal("succeeded", status.state)
        assert.equal(LINK, status.url)
        assert.equal("17", status.task_id)
      end
    end)

    it("names the file inside its wrapping, too", function()
      local status = assert(query [[{"code":"success","data":{"status":"SUCCESS",
        "data":{"file":{"file_id":418201399554182},"status":"Success"}}}]])
      assert.equal("418201399554182", status.file_id)
      assert.is_nil(status.url)
    end)

    it("keeps the fields of both levels, the inner ones first, but the outer task id", function()
      local status = assert(query [[{"code":"success","data":{"task_id":"task_17","progress":"100%",
        "status":"SUCCESS","data":{"task_id":"4711","status":"Success","file_id":"1"}}}]])
      assert.equal("task_17", status.task_id)
      assert.equal("100%", status.progress)
      assert.equal("Success", status.status)
      assert.equal("1", status.file_id)
    end)

    it("says Failed for Fail, at either level", function()
      for _, reply in ipairs {
        '{"task_id":"17","status":"Failed"}',
        '{"code":"success","data":{"status":"FAILED","fail_reason":"no face","data":{}}}',
        '{"code":"success","data":{"status":"FAILURE","data":{"status":"Processing"}}}',
        '{"data":{"status":"IN_PROGRESS","data":{"status":"Failed"}}}',
      } do
        assert.equal("failed", assert(query(reply)).state, reply)
      end
    end)

    it("may say success of the answer itself", function()
      local status = assert(query '{"status":"success","data":{"status":"Processing"}}')
      assert.equal("running", status.state)
      assert.equal("Processing", status.status)
      status = assert(query [[{"status":"success","data":{"status":"Success","file_id":"1"}}]])
      assert.equal("succeeded", status.state)
    end)

    it("is waited for like any other", function()
      server:answer('{"code":"success","data":{"status":"QUEUEING","data":null}}',
        '{"code":"success","data":{"status":"PROCESSING","data":{"status":"Processing"}}}',
        '{"code":"success","data":{"status":"SUCCESS","data":{"status":"Success","file_id":"1"}}}')
      assert.equal("1", assert(client:wait "video_01J8").file_id)
      assert.equal(3, #server:asked())
    end)
  end)

  describe("link", function()
    local function expiry(url, kind)
      local status = assert(query(('{"status":"Success","video_url":"%s"}'):format(url), kind))
      assert.equal(url, status.url)
      return status.expires_at
    end

    it("expires when it says so itself", function()
      assert.equal(1763567386, expiry("https://a.example/x%2Fv.mp4?Expires=1763567386&Signature=a"))
      assert.equal(1763567386, expiry("https://a.example/v?a=1&Expires=1763567386"))
    end)

    it("expires 9 h after the reply for a template, 1 h for a video", function()
      local before = os.time()
      for kind, hours in pairs { template = 9, video = 1, video2 = 1 } do
        for _, url in ipairs { LINK, LINK .. "?Expires=", LINK .. "?Expires=never",
          LINK .. "?NoExpires=1763567386" } do
          local at = expiry(url, kind)
          assert.is_true(at >= before + hours * HOUR, url)
          assert.is_true(at <= os.time() + hours * HOUR, url)
        end
      end
    end)

    it("expires so many seconds from now where the signature counts so", function()
      local before = os.time()
      local at = expiry(LINK .. "?x-oss-date=20261122T000000Z&x-oss-expires=1800")
      assert.is_true(at >= before + 1800)
      assert.is_true(at <= os.time() + 1800)
    end)

    it("is not there where there is none", function()
      local status = assert(query '{"status":"Processing","video_url":""}')
      assert.is_nil(status.url)
      assert.is_nil(status.expires_at)
    end)
  end)

  describe("that is final", function()
    it("counts whatever base_resp says; the code stands in the wait's error", function()
      local reply = [[{"task_id":"17","status":"Fail",
        "base_resp":{"status_code":1027,"status_msg":"output new_sensitive"}}]]
      local status = assert(query(reply))
      assert.equal("failed", status.state)
      assert.equal(1027, status.base_resp.status_code)
      server:answer(reply)
      local result, err = client:wait "17"
      assert.is_nil(result)
      assert.equal("failed", err.kind)
      assert.equal(1027, err.code)
      assert.equal("17", err.task_id)
      assert.equal("wait", err.stage)
      assert.equal("Fail", err.status.status)
      assert.equal("minimax.status", getmetatable(err.status).__name)
      assert.is_truthy(err.message:find("output new_sensitive", 1, true))
    end)

    it("carries v2's code, a string, as an integer, and the gateway's reason", function()
      server:answer [[{"task":{"id":"17","status":"failed",
        "error":{"code":"1026","message":"input new_sensitive"}}}]]
      local _, err = client:wait("17", { kind = "video2" })
      assert.equal(1026, err.code)
      assert.is_truthy(err.message:find("input new_sensitive", 1, true))
      server:answer '{"data":{"status":"FAILURE","fail_reason":"no face was found"}}'
      _, err = client:wait "17"
      assert.is_truthy(err.message:find("no face was found", 1, true))
      server:answer '{"status":"Expired","base_resp":{"status_code":0,"status_msg":"success"}}'
      _, err = client:wait "17"
      assert.is_truthy(err.message:find("'Expired': the server gave no reason", 1, true))
      assert.is_nil(err.code)
    end)

    it("says so by itself, in the words of `wait`, and nothing where it is none", function()
      for body, code in pairs {
        ['{"status":"Fail","base_resp":{"status_code":1026,"status_msg":"no"}}'] = 1026,
        ['{"status":"canceled","detail":["","by hand"]}'] = false,
      } do
        local _, err = (function() server:answer(body) return client:wait "17" end)()
        local failure = assert(client:query "17"):failure()
        assert.same({ err.kind, err.message, err.code, "17", "query" },
          { failure.kind, failure.message, code or nil, failure.task_id, failure.stage })
        assert.equal("failed", failure.kind)
        assert.equal("17", failure.status.task_id)
      end
      assert.is_nil(assert(query '{"status":"Processing"}'):failure())
      server:answer '{"task_id":"17"}'
      assert.is_nil(assert(client:submit { model = "m" }):failure())
      server:answer '{"status":"Fail","msg":"no"}'
      local other = server:client()
      local status = assert(other:query "17")
      other:close()
      assert.equal("the task ended as 'Fail': no", status:failure().message)
    end)

    it("but comes with an HTTP error is none: that status is the answer's own", function()
      local status, err = query { status = 502, body = '{"status":"error","message":"upstream"}' }
      assert.is_nil(status)
      assert.equal("server", err.kind)
      status, err = query { status = 404, body = '{"status":"failed","message":"no route"}' }
      assert.is_nil(status)
      assert.equal("invalid", err.kind)
    end)
  end)

  describe("that is none", function()
    it("is an error where base_resp is not zero: never 'not yet'", function()
      for _, word in ipairs { "", "Processing", "Queueing", "Unknown" } do
        local status, err = query(('{"task_id":"17","status":"%s","base_resp":'
          .. '{"status_code":2013,"status_msg":"invalid params"}}'):format(word))
        assert.is_nil(status)
        assert.equal("invalid", err.kind)
        assert.equal(2013, err.code)
        assert.equal(1, #server:asked())
      end
    end)

    it("is an error of kind protocol: no status word at all", function()
      for _, reply in ipairs { "{}", '{"task_id":"17","base_resp":{"status_code":0}}',
        '{"status":""}', '{"status":null}', '{"status":5}', '{"status":{}}', '{"task":{}}',
        '{"data":{"data":{"data":{"status":"Success","file_id":"1"}}}}', '{"data":[]}' } do
        local status, err = query(reply)
        assert.is_nil(status, reply)
        assert.equal("protocol", err.kind, reply)
        assert.equal("17", err.task_id)
        assert.is_true(err.retryable)
      end
    end)

    it("is an error of kind protocol: success with neither link nor file id", function()
      for _, reply in ipairs {
        '{"status":"Success"}', '{"status":"Success","file_id":""}',
        '{"status":"Success","video_url":""}', '{"status":"Success","file_id":null}',
        '{"task":{"id":"17","status":"succeeded","content":{}}}',
        '{"data":{"status":"SUCCESS","data":{"status":"Success","file":{}}}}',
      } do
        local status, err = query(reply)
        assert.is_nil(status, reply)
        assert.equal("protocol", err.kind, reply)
        assert.is_truthy(err.message:find("neither a link nor a file", 1, true))
      end
    end)

    it("is a failed poll to a wait, which goes on", function()
      server:answer('{"status":"Success"}', '{"status":"Success","file_id":"1"}')
      assert.equal("1", assert(client:wait("17")).file_id)
      assert.equal(2, #server:asked())
    end)
  end)

  describe("of another task", function()
    local ID = "401047179385389059"
    local OTHER = "401047179385389060"

    it("is no answer, wherever it names that task", function()
      for reply, kind in pairs {
        ['{"task_id":"%s","status":"Success","video_url":"https://a.example/v"}'] = "template",
        ['{"task_id":%s,"status":"Processing"}'] = "video",
        ['{"task":{"id":"%s","status":"queued"}}'] = "video2",
        ['{"code":"success","data":{"task_id":"%s","status":"Processing","data":{}}}']
          = "video",
        ['{"task_id":"%s","status":"Fail"}'] = "video",
        ['{"task_id":"%s","status":"","base_resp":{"status_code":1004}}'] = "video",
        ['{"task_id":"%s","status":"","base_resp":{"status_code":2013}}'] = "template",
      } do
        server:answer(reply:format(OTHER))
        local status, err = client:query(ID, { kind = kind })
        assert.is_nil(status, reply)
        assert.equal("protocol", err.kind)
        assert.equal(ID, err.task_id)
        assert.is_truthy(err.message:find("about another task", 1, true))
        server:answer(reply:format(ID))
        status, err = client:query(ID, { kind = kind })
        assert.not_equal("protocol", err and err.kind or status.state)
      end
      server:answer '{"task_id":"video_01JB","status":"Processing"}'
      assert.equal("protocol", select(2, client:query "video_01JA").kind)
    end)

    it("ends no wait, which goes on", function()
      local seen = {}
      for _, id in ipairs { ID, "17" } do
        local other = id == ID and OTHER or "18"
        server:answer(('{"task_id":"%s","status":"Success","file_id":"8"}'):format(other),
          ('{"task_id":"%s","status":"Processing"}'):format(id),
          ('{"task_id":"%s","status":"","base_resp":{"status_code":1004}}'):format(other),
          ('{"task_id":"%s","status":"Success","file_id":"9"}'):format(id))
        local status = assert(client:wait(id, { kind = "video", interval = 0.01,
          on_status = function(status)
            seen[#seen + 1] = status.state
          end }))
        assert.equal("9", status.file_id)
        assert.equal(id, status.task_id)
        assert.equal(4, #server:asked())
      end
      assert.same({ "running", "succeeded", "running", "succeeded" }, seen)
    end)

    it("is not told by an id that can be none", function()
      for _, named in ipairs { "4010\\u000e7", "17\\n", "17\\u0000", "17 ", "0", "-1", "..", "" } do
        server:answer(('{"task_id":"%s","status":"Processing"}'):format(named))
        assert.equal("17", assert(client:query("17", { kind = "video" })).task_id, named)
        server:answer(('{"task":{"id":"%s","status":"queued"}}'):format(named))
        assert.equal("17", assert(client:query("17", { kind = "video2" })).task_id, named)
        local reply, err = require "minimax".callback(
          ('{"task_id":"%s","status":"success"}'):format(named))
        assert.is_nil(reply)
        assert.equal("protocol", err.kind)
      end
    end)

    it("lets no DELETE leave", function()
      server:answer '{"task":{"id":"18","status":"queued"}}'
      assert.equal("protocol", select(2, client:cancel "17").kind)
      assert.equal(1, #server:asked())
    end)

    it("is told from one that a gateway gave another id", function()
      for _, asked in ipairs { "video_01JABC", "task_Zx9" } do
        for _, reply in ipairs {
          '{"task_id":"%s","status":"Success","video_url":"https://a.example/v"}',
          '{"data":{"task_id":"%s","status":"Processing","data":{}}}',
        } do
          server:answer(reply:format(ID))
          -- its own id is what it is asked by
          assert.equal(asked, assert(client:query(asked)).task_id)
        end
      end
      server:answer(('{"data":{"task_id":"%s","status":"SUCCESS","data":{"task_id":"%s",'
        .. '"status":"Success","file_id":"1"}}}'):format(ID, OTHER))
      assert.equal(ID, assert(client:query(ID)).task_id)
      assert(client:query(OTHER))
      server:answer(('{"id":"9","task_id":"%s","status":"Processing"}'):format(ID))
      assert(client:query(ID))
    end)
  end)
end)
