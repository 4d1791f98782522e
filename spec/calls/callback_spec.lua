--- src/calls/callback.c: what to answer to a POST to your callback_url; and notify.

local api = require "spec.support.api"
local cjson = require "cjson"
local minimax = require "minimax"

local REPLY = '{"status":"success"}'

describe("callback", function()
  local server, client

  setup(function()
    server = api.start()
    client = server:client()
  end)

  teardown(function()
    client:close()
    server:close()
  end)

  it("answers a challenge with exactly its value, and without an event", function()
    for _, challenge in ipairs { "1a3cs1j-601a-118y-ch52-o48911eabc3u", "", 'a"\\/b\n', "\u{72ee}",
      "401047179385389059" } do
      local reply, event = client:callback(cjson.encode { challenge = challenge })
      assert.same({ challenge = challenge }, cjson.decode(reply))
      assert.is_nil(event)
    end
  end)

  it("gives an event shaped like a status for a status push", function()
    local reply, event = client:callback [[{"task_id":"115334141465231360","status":"Success",
      "file_id":205258526306433,"base_resp":{"status_code":0,"status_msg":"success"}}]]
    assert.equal(REPLY, reply)
    assert.equal("minimax.status", getmetatable(event).__name)
    assert.equal("115334141465231360", event.task_id)
    assert.equal("205258526306433", event.file_id)
    assert.equal("Success", event.status)
    assert.equal("succeeded", event.state)
    for word, state in pairs { processing = "running", success = "succeeded", failed = "failed" } do
      reply, event = client:callback('{"task_id":"17","status":"' .. word .. '"}')
      assert.equal(REPLY, reply)
      assert.equal(state, event.state)
    end
  end)

  it("has the kind only where the body or a task of this client tells it", function()
    local push = '{"task_id":"17","status":"processing"}'
    assert.is_nil(select(2, client:callback(push)).kind)
    assert.equal("template", select(2, client:callback [[{"task_id":"17","status":"success",
      "video_url":"https://a.example/v.mp4"}]]).kind)
    local event = select(2, client:callback '{"task":{"id":"17","status":"running"}}')
    assert.equal("video2", event.kind)
    assert.equal("17", event.task_id)
    server:answer '{"task_id":"17"}'
    local task = assert(client:submit { model = "m" })
    assert.equal("video", select(2, client:callback(push)).kind)
    assert.equal("video", task.kind)
    assert.is_nil(select(2, client:callback '{"task_id":"18","status":"processing"}').kind)
    server:answer { hang = true }
    local thread = coroutine.create(client.wait)
    assert(coroutine.resume(thread, client, "18", { kind = "template" }))
    assert.equal("template",
      select(2, client:callback '{"task_id":"18","status":"processing"}').kind)
    client:abort "18"
  end)

  it("of a bad body is nil and an error of kind protocol", function()
    for _, body in ipairs { "", "x", "[", "17", '"x"', "null", "{}", "[]", '{"task_id":"17"}',
      '{"status":"success"}', '{"task_id":"","status":"success"}', '{"task":{}}', "{}\0",
      '{"task_id":"17","status":5}', '{"challenge":null}', ("["):rep(1000) } do
      local reply, err = client:callback(body)
      assert.is_nil(reply, body)
      assert.equal("protocol", err.kind)
    end
    assert.is_false(pcall(client.callback, client))
    assert.is_false(pcall(client.callback, client, {}))
  end)

  it("tells the listener, and needs no key", function()
    local events = {}
    local listening <close> = server:client { api_key = "", on_event = function(event)
      events[#events + 1] = event
    end }
    assert(listening:callback '{"task_id":"17","status":"Success","file_id":"1"}')
    assert(listening:callback '{"challenge":"x"}')
    assert.equal(1, #events)
    assert.equal("callback", events[1].type)
    assert.equal("17", events[1].task_id)
    assert.equal("succeeded", events[1].state)
    assert.is_true(math.abs(events[1].time - os.time()) < 5)
  end)

  it("never says that a task succeeded: only a query does", function()
    server:answer '{"task_id":"17","status":"Processing"}'
    local _, event = client:callback '{"task_id":"17","status":"Success","file_id":"1"}'
    local status, err = client:wait(event, { timeout = 0.05 })
    assert.is_nil(status)
    assert.equal("timeout", err.kind)
  end)
end)

describe("notify", function()
  local server, client

  setup(function()
    server = api.start()
    client = server:client { poll_interval = 3600 }
  end)

  teardown(function()
    client:close()
    server:close()
  end)

  it("moves the next poll of that task to now, and of no other", function()
    server:answer('{"task_id":"17","status":"Processing"}',
      '{"task_id":"18","status":"Processing"}',
      '{"task_id":"17","status":"Success","file_id":"1"}')
    local seen = 0
    local options = { on_status = function()
      seen = seen + 1
    end }
    local threads = { coroutine.create(client.wait), coroutine.create(client.wait) }
    assert(coroutine.resume(threads[1], client, "17", options))
    while seen < 1 do
      assert(coroutine.resume(threads[1]))
    end
    assert(coroutine.resume(threads[2], client, "18", options))
    while seen < 2 do
      assert(coroutine.resume(threads[2]))
    end
    local _, event = client:callback '{"task_id":"17","status":"success"}'
    assert.equal(1, client:notify(event))
    local results
    repeat
      results = table.pack(coroutine.resume(threads[1]))
    until coroutine.status(threads[1]) == "dead"
    assert.equal("Success", assert(results[2], results[3]).status)
    assert.equal("suspended", coroutine.status(threads[2]))
    assert.equal(3, #server:asked())
    assert.equal(0, client:notify(event))
    client:abort "18"
  end)

  it("overtakes the polls that wait for their turn under a rate", function()
    local own <close> = server:client { poll_interval = 3600, query_rate = { 1, 0.3 } }
    server:answer '{"status":"Processing"}'
    local function asked(count)
      for _ = 1, 1000 do
        if #server:asked() >= count then
          return server:asked()
        end
        minimax.sleep(0.01)
      end
      error("no poll came: " .. count)
    end
    minimax.run(function()
      for id = 1, 5 do
        minimax.spawn(own.wait, own, id)
      end
      asked(1)
      assert.equal(1, own:notify { task_id = "5" })
      asked(5)
      own:close()
    end)
    local order = {}
    for i, request in ipairs(server:asked()) do
      order[i] = request.path:match "task_id=(%d)"
    end
    assert.same({ "1", "5", "2", "3", "4" }, order)
  end)

  it("takes any table with task_id, and raises for anything else", function()
    assert.equal(0, client:notify { task_id = "19" })
    for _, wrong in ipairs { "17", {}, 17, { task_id = "" } } do
      assert.is_false(pcall(client.notify, client, wrong))
    end
  end)

  it("tells its event without the key and control characters, whatever its word is", function()
    local told
    local watched <close> = server:client { on_event = function(event) told = event end }
    assert(watched:callback('{"task_id":"17","status":"\\u001b[2J ' .. api.KEY .. '"}'))
    assert.equal(" [2J [key]", told.status)
  end)
end)
