--- lua/minimax/emulator/template.lua: template tasks, as documented.

local emulated = require "spec.support.emulated"
local json = require "minimax.emulator.json"

describe("the emulator's template tasks", function()
  local api

  setup(function()
    api = emulated.start { speed = 0.001 }
  end)

  teardown(function()
    api:close()
  end)

  local function refusal(changes)
    local _, reply = api:submit("template", changes)
    assert.equal(200, reply.status)
    assert.equal(2013, reply.object.base_resp.status_code)
    return reply.object.base_resp.status_msg
  end

  it("are accepted with an id of 18 digits as a string", function()
    local object = api:post("/v1/video_template_generation", emulated.request "template")
    assert.same({ status_code = 0, status_msg = "success" }, object.base_resp)
    assert.equal("string", type(object.task_id))
    assert.truthy(object.task_id:find("^%d+$"))
    assert.equal(18, #object.task_id)
  end)

  it("go from Preparing over Processing to Success with a link", function()
    local id = api:submit "template"
    local state = api:query("template", id)
    assert.equal("Preparing", state.status)
    assert.is_nil(state.video_url)
    api.emu:advance(30)
    assert.equal("Processing", api:query("template", id).status)
    api.emu:advance(30)
    state = api:query("template", id)
    assert.equal("Success", state.status)
    assert.equal(id, state.task_id)
    assert.equal(0, state.base_resp.status_code)
    assert.truthy(state.video_url:find(api.emu.storage_url, 1, true))
  end)

  it("take inputs of text, URLs and data URLs", function()
    assert.truthy(api:submit("template", {
      text_inputs = { { value = "Lion" } },
      media_inputs = { { value = "https://example.com/pet.jpg" },
        { value = "data:image/jpeg;base64,AAAA" } },
    }))
  end)

  it("are refused by a message that names the field", function()
    assert.equal("invalid params, template_id is required", refusal { template_id = false })
    assert.equal("invalid params, template_id must be a string", refusal { template_id = 12 })
    assert.equal("invalid params, text_inputs must be an array", refusal { text_inputs = "Lion" })
    assert.equal("invalid params, text_inputs[0].value must be a string",
      refusal { text_inputs = { "Lion" } })
    assert.equal("invalid params, media_inputs[0].value must be a URL or a data URL",
      refusal { media_inputs = { { value = "pet.jpg" } } })
    assert.equal("invalid params, media_inputs[1].value is not valid base64",
      refusal { media_inputs = { { value = "https://example.com/a.jpg" },
        { value = "data:image/png;base64,A*AA" } } })
  end)

  it("are refused without what the documents require of the template", function()
    local _, body = api:submit("template", { media_inputs = false })
    assert.matches("media_inputs is required", body.object.base_resp.status_msg)
    for _, changes in ipairs { { text_inputs = false }, { media_inputs = json.array() },
      { media_inputs = false, text_inputs = false } } do
      assert.matches("is required by this template", refusal(changes))
    end
    for _, name in ipairs { "media_inputs", "text_inputs" } do
      for _, value in ipairs { '{}', '{"value":"https://x/y.jpg"}', '{"0":{"value":"x"}}' } do
        local _, reply = api:post("/v1/video_template_generation",
          ('{"template_id":"394514820878671878","%s":%s}'):format(name, value))
        assert.equal("invalid params, " .. name .. " must be an array",
          reply.object.base_resp.status_msg)
      end
    end
    assert.equal("invalid params, callback_url must be an http or https URL",
      refusal { callback_url = "ftp://x/y" })
    -- A climb is made of a picture alone, and the list may lack the newest.
    assert.truthy(api:submit("template", { template_id = "393488336655310850",
      text_inputs = false }))
    assert.truthy(api:submit("template", { template_id = "1", media_inputs = false,
      text_inputs = false }))
  end)

  it("are known by their id alone, each in its own kind", function()
    local _, reply = api:query("template", "123456789012345678")
    assert.equal(200, reply.status)
    assert.equal(2013, reply.object.base_resp.status_code)
    local id = api:submit "video"
    assert.equal(2013, api:query("template", id).base_resp.status_code)
  end)

  it("take an image of 20 MB within the time of one request", function()
    local value = "data:image/png;base64," .. ("QUJD"):rep(20 * 1024 * 1024 // 3)
    assert.truthy(api:submit("template", { media_inputs = { { value = value } } }))
    local requests = api.emu:requests { endpoint = "submit" }
    local shown = requests[#requests].body.media_inputs[1].value
    assert.truthy(#shown < 200)
    assert.truthy(shown:find("27962046 bytes", 1, true), shown)
  end)
end)
