local emulated = require "spec.support.emulated"

describe("the emulator's video tasks", function()
  local api

  setup(function()
    api = emulated.start { speed = 0.001 }
  end)

  teardown(function()
    api:close()
  end)

  local function refusal(changes)
    local _, reply = api:submit("video", changes)
    assert.equal(200, reply.status)
    assert.equal(2013, reply.object.base_resp.status_code)
    return reply.object.base_resp.status_msg:match("^invalid params, (.+)$")
  end

  it("go from Preparing over Queueing and Processing to Success", function()
    local id = api:submit "video"
    assert.truthy(id:find("^%d+$"))
    assert.equal(15, #id)
    local words = {}
    for index, seconds in ipairs { 0, 6, 12, 42 } do
      api.emu:advance(seconds)
      words[index] = api:query("video", id).status
    end
    assert.same({ "Preparing", "Queueing", "Processing", "Success" }, words)
  end)

  it("end with a file id, a string, and the size of the picture", function()
    local state = api:query("video", api:finished "video")
    assert.equal("string", type(state.file_id))
    assert.truthy(state.file_id:find("^%d+$"))
    assert.equal(1366, state.video_width)
    assert.equal(768, state.video_height)
    local id = api:submit("video", { resolution = "1080P" })
    api.emu:advance(60)
    assert.equal(1920, api:query("video", id).video_width)
  end)

  it("take a frame or a subject in place of a prompt", function()
    local image = "data:image/png;base64,AAAA"
    assert.truthy(api:submit("video", { prompt = false, first_frame_image = image }))
    assert.truthy(api:submit("video", { prompt = false,
      subject_reference = { { type = "character", image = { image } } } }))
  end)

  it("are refused by a message that names the field", function()
    assert.equal("model is required", refusal { model = false })
    assert.equal("prompt is required", refusal { prompt = false })
    assert.equal("prompt must be up to 2000 characters", refusal { prompt = ("x"):rep(2001) })
    assert.equal("duration must be one of 6, 10", refusal { duration = 7 })
    assert.equal("resolution must be one of 512P, 720P, 768P, 1080P",
      refusal { resolution = "4K" })
    assert.equal("first_frame_image must be a URL or a data URL",
      refusal { first_frame_image = "pet.jpg" })
    assert.equal("subject_reference must hold one element of type character",
      refusal { subject_reference = { { type = "dog" } } })
    assert.equal("prompt_optimizer must be a boolean", refusal { prompt_optimizer = "yes" })
  end)

  it("count a prompt in characters, not in bytes", function()
    assert.truthy(api:submit("video", { prompt = ("ä"):rep(2000) }))
  end)
end)
