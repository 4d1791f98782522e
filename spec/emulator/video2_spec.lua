--- lua/minimax/emulator/video2.lua: video tasks of the second family, as documented.

local emulated = require "spec.support.emulated"

describe("the emulator's second family", function()
  local api

  before_each(function()
    api = emulated.start { speed = 0.001 }
  end)

  after_each(function()
    api:close()
  end)

  local function refused(reply, status, message)
    assert.equal(status, reply.status)
    assert.equal("error", reply.object.type)
    assert.equal(message, reply.object.error.message)
    assert.equal(tostring(status), reply.object.error.http_code)
    assert.truthy(#reply.object.request_id > 0)
  end

  local function refusal(changes)
    local _, reply = api:submit("video2", changes)
    refused(reply, 400, reply.object.error.message)
    return reply.object.error.message:match("^invalid params, (.+) %(2013%)$")
  end

  local function cancel(id)
    return api:send("/v2/video_generation/" .. id, { method = "DELETE" })
  end

  it("answers a submit with the id and nothing else", function()
    local object, reply = api:post("/v2/video_generation", emulated.request "video2")
    assert.equal(200, reply.status)
    assert.same({ task_id = object.task_id }, object)
    assert.equal(15, #object.task_id)
  end)

  it("goes from queued over running to succeeded with a link", function()
    local id = api:submit "video2"
    local task = api:query("video2", id)
    assert.equal("queued", task.status)
    assert.equal(id, task.id)
    assert.is_nil(task.content)
    api.emu:advance(20)
    assert.equal("running", api:query("video2", id).status)
    api.emu:advance(40)
    task = api:query("video2", id)
    assert.equal("succeeded", task.status)
    assert.truthy(task.content.url:find("^http"))
    assert.equal(6, task.usage.total_seconds)
    assert.equal("generation", task.task_type)
  end)

  it("answers an unknown id with HTTP 400", function()
    local _, reply = api:query("video2", "123456789012345")
    refused(reply, 400, "invalid task_id (2013)")
  end)

  it("answers a missing and a wrong key with HTTP 401", function()
    local path = api.emu.base_url .. "/v2/query/video_generation/1"
    refused(emulated.fetch(path), 401,
      "login fail: Please carry the API secret key in the 'Authorization' field (1004)")
    refused(emulated.fetch(path, { headers = { authorization = "Bearer x" } }), 401,
      "invalid api key (2049)")
  end)

  it("cancels what is queued, without a film", function()
    local id = api:submit "video2"
    assert.same({ task_id = id, action = "cancelled", status = "cancelled" }, cancel(id).object)
    assert.equal("cancelled", api:query("video2", id).status)
    assert.equal(400, cancel(id).status)
  end)

  it("refuses to cancel what is running, and deletes the record of what has ended", function()
    local id = api:submit "video2"
    api.emu:advance(30)
    assert.equal(400, cancel(id).status)
    assert.equal("running", api:query("video2", id).status)
    api.emu:advance(30)
    assert.same({ task_id = id, action = "deleted", status = "deleted" }, cancel(id).object)
    assert.equal(400, select(2, api:query("video2", id)).status)
    assert.is_true(api.emu:tasks()[1].deleted)
  end)

  it("lists tasks, newest first, by page and by filter", function()
    local first, second = api:submit "video2", api:submit "video2"
    local third = api:submit("video2", { model = "MiniMax-H3-Max" })
    cancel(second)
    local page = api:get("/v2/query/video_generation?page_num=1&page_size=2")
    assert.equal(3, page.total)
    assert.same({ third, second }, { page.items[1].id, page.items[2].id })
    page = api:get("/v2/query/video_generation?page_num=2&page_size=2")
    assert.same({ first }, { page.items[1].id, page.items[2] })
    local function ids(query)
      local found = {}
      for index, item in ipairs(api:get("/v2/query/video_generation?" .. query).items) do
        found[index] = item.id
      end
      return found
    end
    assert.same({ second }, ids "filter.status=cancelled")
    assert.same({ third }, ids "filter.model=MiniMax-H3-Max")
    assert.same({ third, first }, ids("filter.task_ids=" .. first .. "&filter.task_ids=" .. third))
    assert.same({}, ids "filter.task_type=regeneration")
    assert.equal(400, select(2, api:get("/v2/query/video_generation?page_num=0")).status)
  end)

  it("improves a prompt", function()
    local object = api:post("/v2/h3_context_ir",
      emulated.request("video2", { resolution = false }))
    api.emu:advance(60)
    local task = api:query("video2", object.task_id)
    assert.equal("text", task.modality)
    assert.truthy(task.content.prompt:find("^a cat"))
    assert.is_nil(task.content.url)
  end)

  it("renders a finished task once more", function()
    local source = api:finished "video2"
    local body = { model = "MiniMax-H3", resolution = "2K", source_task_id = source }
    local object = api:post("/v2/video_regeneration", body)
    assert.equal("regeneration", api:query("video2", object.task_id).task_type)
    body.source_task_id = "1"
    local _, reply = api:post("/v2/video_regeneration", body)
    refused(reply, 400, "invalid params, invalid source_task_id (2013)")
    body.content = {}
    _, reply = api:post("/v2/video_regeneration", body)
    assert.equal(400, reply.status)
  end)

  it("refuses a request by a message that names the field", function()
    local text = { type = "text", text = "a cat" }
    local function image(role)
      return { type = "image_url", role = role, image_url = { url = "https://example.com/a.png" } }
    end
    assert.equal("model must be one of MiniMax-H3, MiniMax-H3-Max", refusal { model = "x" })
    assert.equal("resolution is required", refusal { resolution = false })
    assert.equal("resolution must be one of 768P, 2K", refusal { resolution = "480P" })
    assert.equal("duration is required", refusal { duration = false })
    assert.equal("duration must be an integer from 4 to 15", refusal { duration = 16 })
    assert.equal("content is required", refusal { content = false })
    assert.equal("content must hold a text item", refusal { content = { image() } })
    assert.equal("content[0].text must be a non-empty string",
      refusal { content = { { type = "text", text = "" } } })
    assert.equal("ratio is required and cannot be adaptive for text to video",
      refusal { ratio = "adaptive" })
    assert.equal("frame and reference roles cannot be mixed",
      refusal { content = { text, image "first_frame", image "reference_image" } })
    assert.equal("content holds more than 1 of role last_frame",
      refusal { content = { text, image "last_frame", image "last_frame" } })
    assert.equal("content[1].role is not one of image_url",
      refusal { content = { text, image "reference_audio" } })
    assert.equal("extra is an object for MiniMax-H3-Max", refusal { extra = { a = 1 } })
    assert.equal("extra.a is not allowed", refusal { model = "MiniMax-H3-Max", extra = { a = 1 } })
    assert.same({}, api.emu:tasks())
  end)
end)
