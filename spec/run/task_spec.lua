--- src/run/task.c: tasks and statuses, and what can stand for one.

local api = require "spec.support.api"
local cjson = require "cjson"

local ID = "401047179385389059"
local SUCCESS = '{"task_id":"' .. ID
  .. '","status":"Success","video_url":"https://a.example/v.mp4"}'

describe("a task", function()
  local server, client, task

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  before_each(function()
    client = server:client()
    server:answer('{"task_id":"' .. ID .. '","base_resp":{"status_code":0,"status_msg":"success"}}')
    task = assert(client:submit { template_id = "393769180141805569" })
    server:answer(SUCCESS)
  end)

  after_each(function()
    client:close()
  end)

  it("is a plain table with id, kind, trace id and base_resp", function()
    assert.equal("minimax.task", getmetatable(task).__name)
    assert.same({ task_id = ID, kind = "template",
      base_resp = { status_code = 0, status_msg = "success" } }, setmetatable(task, nil))
  end)

  it("shows id and kind", function()
    assert.equal("minimax.task: " .. ID .. " (template)", tostring(task))
    assert.equal("minimax.status: " .. ID .. " (template, succeeded)",
      tostring(assert(task:query())))
  end)

  it("has methods in its metatable: query, wait, download, cancel", function()
    assert.equal("Success", assert(task:query()).status)
    assert.equal("succeeded", assert(task:wait { interval = 0.01 }).state)
    local _, err = task:cancel()
    assert.equal("invalid", err.kind)
    _, err = task:download("/nowhere/lion.mp4")
    assert.equal("io", err.kind)
    for _, name in ipairs { "query", "wait", "download", "cancel" } do
      assert.is_nil(rawget(task, name))
    end
    local status = assert(task:query())
    assert.equal("Success", assert(status:query()).status)
  end)

  it("and a status encode to plain JSON; { task_id, kind } is all another client needs", function()
    local text = cjson.encode(task)
    local read = cjson.decode(text)
    assert.equal(ID, read.task_id)
    assert.equal("template", read.kind)
    local other <close> = server:client()
    for _, stands in ipairs { read, { task_id = ID, kind = "template" }, { task_id = ID } } do
      assert.equal("succeeded", assert(other:wait(stands)).state)
    end
    local status = assert(client:query(task))
    assert.same(ID, cjson.decode(cjson.encode(status)).task_id)
    assert.equal("Success", assert(other:query(cjson.decode(cjson.encode(status)))).status)
  end)

  it("can be an id, an integer, or any table with task_id; its kind decides the path", function()
    local query = "/v1/query/video_template_generation?task_id="
    for stands, path in pairs {
      [ID] = query .. ID,
      [401047179385389059] = query .. ID,
      [{ task_id = 401047179385389059 }] = query .. ID,
      [{ task_id = ID, kind = "video" }] = "/v1/query/video_generation?task_id=" .. ID,
      [{ task_id = ID, kind = "video2" }] = "/v2/query/video_generation/" .. ID,
      [{ task_id = ID, kind = "something else" }] = query .. ID,
      [{ task_id = "video_01J8" }] = "/v1/query/video_generation?task_id=video_01J8",
      ["video_01J8"] = "/v1/query/video_generation?task_id=video_01J8",
    } do
      server:answer(SUCCESS)
      assert(client:query(stands))
      assert.equal(path, server:asked()[1].path)
    end
  end)

  it("of a kind that the options name is asked as that, whatever it says itself", function()
    assert(client:query(task, { kind = "video2" }))
    assert(client:query("video_01J8", { kind = "template" }))
    local asked = server:asked()
    assert.equal("/v2/query/video_generation/" .. ID, asked[1].path)
    assert.equal("/v1/query/video_template_generation?task_id=video_01J8", asked[2].path)
  end)

  it("is expected: a float, an empty id, or anything else raises", function()
    for _, wrong in ipairs { 1.5, 4.01047179385389059e17, "", true, {}, { task_id = {} },
      { task_id = 1e15 }, { task_id = "" }, print } do
      for _, method in ipairs { "query", "wait", "cancel", "abort" } do
        assert.is_false(pcall(client[method], client, wrong))
      end
    end
    assert.is_false(pcall(client.query, client))
    local _, message = pcall(client.query, client, 4.01047179385389059e17)
    assert.is_truthy(message:find("a float loses its last digits", 1, true))
  end)

  it("of another client is asked with the client that was called", function()
    local other <close> = server:client { api_key = "sk-api-other" }
    assert(other:query(task))
    assert.equal("Bearer sk-api-other", server:asked()[1].headers.authorization)
    assert(task:query())
    assert.equal("Bearer " .. api.KEY, server:asked()[2].headers.authorization)
  end)

  it("without its metatable raises where a method is called on it", function()
    assert.is_false(pcall(getmetatable(task).__index.query, {}))
    assert.is_false(pcall(getmetatable(task).__index.query, "1"))
  end)
end)
