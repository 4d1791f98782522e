--- lua/minimax/emulator/video1.lua: video tasks of the first family, as documented.

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
    assert.truthy(api:submit("video", { prompt = false, model = "S2V-01",
      subject_reference = { { type = "character", image = { image } } } }))
  end)

  it("are refused by a message that names the field", function()
    assert.equal("model is required", refusal { model = false })
    assert.equal("the model MiniMax-Hailuo-02 wants a prompt", refusal { prompt = false })
    assert.equal("prompt must be up to 2000 characters", refusal { prompt = ("x"):rep(2001) })
    assert.equal("the model MiniMax-Hailuo-02 does not make 7 s at 768P", refusal { duration = 7 })
    assert.equal("the model MiniMax-Hailuo-02 does not make 4K", refusal { resolution = "4K" })
    assert.equal("callback_url must be an http or https URL", refusal { callback_url = "me" })
    assert.equal("first_frame_image must be a URL or a data URL",
      refusal { first_frame_image = "pet.jpg" })
    assert.equal("subject_reference must hold one element of type character",
      refusal { subject_reference = { { type = "dog" } } })
    assert.equal("prompt_optimizer must be a boolean", refusal { prompt_optimizer = "yes" })
  end)

  -- What the pages of the models do not list costs a client nothing here, too.
  local IMAGE = "https://example.com/a.jpg"
  local SUBJECT = { { type = "character", image = { IMAGE } } }
  local WRONG = {
    { model = "gpt-4" },
    { model = "MiniMax-H3" },
    { resolution = "1080P", duration = 10 },
    { duration = "6" },
    { model = "MiniMax-Hailuo-2.3-Fast" },
    { model = "MiniMax-Hailuo-2.3", resolution = "720P" },
    { model = "MiniMax-Hailuo-2.3", last_frame_image = IMAGE },
    { model = "MiniMax-Hailuo-2.3", first_frame_image = IMAGE, last_frame_image = IMAGE },
    { model = "T2V-01", first_frame_image = IMAGE },
    { model = "T2V-01", duration = 10 },
    { model = "I2V-01" },
    { model = "S2V-01" },
    { model = "S2V-01", first_frame_image = IMAGE },
    { model = "S2V-01", subject_reference = SUBJECT, first_frame_image = IMAGE },
    { model = "S2V-01", subject_reference = SUBJECT, duration = 6 },
    { model = "MiniMax-Hailuo-02", subject_reference = SUBJECT },
    { resolution = "512P" },
  }
  for index, changes in ipairs(WRONG) do
    it("are refused where the model does not take that: " .. index, function()
      local before = #api.emu:tasks()
      refusal(changes)
      assert.equal(before, #api.emu:tasks())
    end)
  end

  it("are accepted where it does", function()
    for _, changes in ipairs { { duration = 10, resolution = "768P" }, { resolution = "1080P" },
      { resolution = "512P", first_frame_image = IMAGE, duration = 10 },
      { first_frame_image = IMAGE, last_frame_image = IMAGE },
      { model = "MiniMax-Hailuo-2.3-Fast", first_frame_image = IMAGE, prompt = false },
      { model = "T2V-01", duration = 6 }, { model = "T2V-01-Director" },
      { model = "I2V-01-live", first_frame_image = IMAGE },
      { model = "S2V-01", subject_reference = SUBJECT }, { callback_url = "" } } do
      local id, reply = api:submit("video", changes)
      assert.truthy(id, reply.body)
    end
  end)

  it("count a prompt in characters, not in bytes", function()
    assert.truthy(api:submit("video", { prompt = ("ä"):rep(2000) }))
  end)
end)
