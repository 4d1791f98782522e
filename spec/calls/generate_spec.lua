--- src/calls/generate.c: submit, wait and download in one call.

local api = require "spec.support.api"
local minimax = require "minimax"
local temp = require "spec.support.temp"
local video = require "spec.support.video"

local REQUEST = { template_id = "393769180141805569", text_inputs = { "Lion" } }
local ACCEPTED = '{"task_id":"17","base_resp":{"status_code":0}}'
local PENDING = '{"task_id":"17","status":"Processing"}'
local VIDEO = { headers = { ["Content-Type"] = "video/mp4" }, body = video.make(5000) }

describe("generate", function()
  local server, client, folder, success

  setup(function()
    server = api.start()
    success = '{"task_id":"17","status":"Success","video_url":"' .. server.url .. '/v.mp4"}'
  end)

  teardown(function()
    server:close()
  end)

  before_each(function()
    folder = temp.folder()
    client = server:client()
  end)

  after_each(function()
    folder:close()
    client:close()
  end)

  local function asked()
    local list = {}
    for i, request in ipairs(server:asked()) do
      list[i] = request.method .. " " .. request.path
    end
    return list
  end

  it("does all three, and returns what download returns and the status", function()
    server:answer(ACCEPTED, PENDING, success, VIDEO)
    local path = folder:file "lion.mp4"
    local info, status = assert(client:generate(REQUEST, path))
    assert.same({ path = path, bytes = 5000, content_type = "video/mp4" }, info)
    assert.equal("minimax.status", getmetatable(status).__name)
    assert.equal("succeeded", status.state)
    assert.equal("17", status.task_id)
    assert.equal(VIDEO.body, folder:read "lion.mp4")
    assert.same({ "POST /v1/video_template_generation",
      "GET /v1/query/video_template_generation?task_id=17",
      "GET /v1/query/video_template_generation?task_id=17", "GET /v.mp4" }, asked())
  end)

  it("does so inside a coroutine, too", function()
    server:answer(ACCEPTED, success, VIDEO)
    local info, status
    minimax.run(function()
      info, status = client:generate(REQUEST, folder:file "lion.mp4")
    end)
    assert.equal(5000, assert(info, status).bytes)
    assert.equal("succeeded", status.state)
  end)

  it("takes the options of the three together", function()
    server:answer('{"task_id":"17"}', '{"task":{"id":"17","status":"running"}}',
      '{"task":{"id":"17","status":"succeeded","content":{"url":"' .. server.url .. '/v"}}}',
      { body = "no video" })
    local states, received = {}, 0
    local chunks = {}
    local info = assert(client:generate({ model = "m" }, function(chunk)
      chunks[#chunks + 1] = chunk
    end, {
      kind = "video2", timeout = 60, interval = 0, block = true, verify = false,
      overwrite = true, allow_private = true, max_bytes = 100,
      on_status = function(status)
        states[#states + 1] = status.state
      end,
      on_progress = function(bytes)
        received = bytes
      end,
    }))
    assert.same({ "running", "succeeded" }, states)
    assert.equal("no video", table.concat(chunks))
    assert.equal(8, received)
    assert.equal(8, info.bytes)
    assert.equal("GET /v2/query/video_generation/17", asked()[2])
  end)

  it("checks the destination before the submit, so that a bad path costs nothing", function()
    server:answer(ACCEPTED, success, VIDEO)
    local path = folder:write("lion.mp4", "a good file")
    for destination, options in pairs {
      [folder:file "nowhere/lion.mp4"] = {}, [folder.path] = {}, ["/dev/null"] = {},
      [path] = { overwrite = false },
    } do
      local info, err = client:generate(REQUEST, destination, options)
      assert.is_nil(info)
      assert.equal("io", err.kind, destination)
      assert.equal("download", err.stage)
      assert.is_nil(err.task)
    end
    assert.is_false(pcall(client.generate, client, REQUEST))
    assert.is_false(pcall(client.generate, client, REQUEST, {}))
    assert.is_false(pcall(client.generate, client, "no request", path))
    assert.same({}, server:asked())
    assert.equal("a good file", folder:read "lion.mp4")
    assert.same({ "lion.mp4" }, folder:names())
  end)

  it("ends with the submit's error where that fails", function()
    server:answer '{"base_resp":{"status_code":1026,"status_msg":"sensitive"}}'
    local info, err = client:generate(REQUEST, folder:file "lion.mp4")
    assert.is_nil(info)
    assert.equal("content", err.kind)
    assert.equal("submit", err.stage)
    assert.is_nil(err.task)
    assert.same({}, folder:names())
    server:answer { reset = true }
    info, err = client:generate(REQUEST, folder:file "lion.mp4")
    assert.is_nil(info)
    assert.equal("unknown", err.kind)
    assert.equal(1, #server:asked())
  end)

  it("carries the task in each error once it holds one, and is not retryable then", function()
    local path = folder:file "lion.mp4"
    for stage, replies in pairs {
      wait = { ACCEPTED, PENDING },
      download = { ACCEPTED, success, { status = 503 } },
    } do
      server:answer(table.unpack(replies))
      local info, err = client:generate(REQUEST, path, { timeout = 0.1, interval = 0.01 })
      assert.is_nil(info)
      assert.equal(stage, err.stage)
      assert.is_false(err.retryable)
      assert.equal("17", err.task_id)
      server:answer(success, VIDEO)
      local status = assert(client:wait(err.task))
      assert.equal(5000, assert(client:download(status, path)).bytes)
      assert.equal("17", status.task_id)
      os.remove(path)
    end
    server:answer(ACCEPTED, '{"task_id":"17","status":"Fail"}')
    local _, err = client:generate(REQUEST, path)
    assert.equal("failed", err.kind)
    assert.equal("17", err.task.task_id)
  end)

  it("carries it also where the client is closed on the way", function()
    server:answer(ACCEPTED, success, VIDEO)
    for _, last in ipairs { "request", "response" } do
      local closing
      closing = server:client { on_event = function(event)
        if event.type == last and event.stage == "submit" then
          closing:close()
        end
      end }
      local info, err = closing:generate(REQUEST, folder:file "lion.mp4")
      assert.is_nil(info)
      assert.equal("cancelled", err.kind)
      if last == "response" then
        assert.equal("17", err.task_id)
        assert.equal("17", err.task.task_id)
        assert.is_false(err.retryable)
      end
      server:answer(ACCEPTED, success, VIDEO)
    end
  end)
end)
