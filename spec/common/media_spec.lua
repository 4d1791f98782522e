-- Media values as the command line takes them.

local media = require "minimax.common.media"
local minimax = require "minimax"

local function is_file(value, path)
  return type(value) == "userdata" and tostring(value) == tostring(minimax.file(path))
end

describe("a media value on the command line", function()
  it("that begins with @ is a local path", function()
    assert.is_true(is_file(media.read "@pet.jpg", "pet.jpg"))
    assert.is_true(is_file(media.read "@/tmp/a b.png", "/tmp/a b.png"))
    assert.is_true(is_file(media.read "@https://x", "https://x"))
  end)

  it("is a URL otherwise, and goes out as it is", function()
    for _, url in ipairs { "https://example.com/a.jpg", "http://x/y", "data:image/png;base64,AAAA",
      "mm_file://123" } do
      assert.equal(url, (media.read(url)))
    end
  end)

  it("without either says how a local file is written", function()
    local value, why = media.read "pet.jpg"
    assert.is_nil(value)
    assert.matches("'@pet.jpg'", why, 1, true)
    assert.is_nil((media.read "@"))
    assert.is_nil((media.read "@a\0b"))
    assert.is_nil((media.read(7)))
  end)
end)

describe("a request in JSON", function()
  it("has its media read in every place of the three kinds, and nothing else", function()
    local body = assert(media.resolve {
      template_id = "@1", text_inputs = { "@text", { value = "@text" } },
      media_inputs = { "@a.jpg", { value = "@b.jpg" }, "https://c" },
      prompt = "@prompt", first_frame_image = "@d.jpg", last_frame_image = "data:,",
      subject_reference = { { type = "character", image = { "@e.jpg" } } },
      content = { { type = "text", text = "@text" },
        { type = "image_url", image_url = { url = "@f.jpg" } },
        { type = "video_url", video_url = { url = "@g.mp4" } },
        { type = "audio_url", audio_url = { url = "mm_file://1" } } },
    })
    assert.is_true(is_file(body.media_inputs[1], "a.jpg"))
    assert.is_true(is_file(body.media_inputs[2].value, "b.jpg"))
    assert.equal("https://c", body.media_inputs[3])
    assert.is_true(is_file(body.first_frame_image, "d.jpg"))
    assert.equal("data:,", body.last_frame_image)
    assert.is_true(is_file(body.subject_reference[1].image[1], "e.jpg"))
    assert.is_true(is_file(body.content[2].image_url.url, "f.jpg"))
    assert.is_true(is_file(body.content[3].video_url.url, "g.mp4"))
    assert.equal("mm_file://1", body.content[4].audio_url.url)
    assert.equal("@1", body.template_id)
    assert.same({ "@text", { value = "@text" } }, body.text_inputs)
    assert.equal("@prompt", body.prompt)
    assert.equal("@text", body.content[1].text)
  end)

  for place, body in pairs {
    ["media_inputs[2]"] = { media_inputs = { "https://x", "pet.jpg" } },
    ["media_inputs[1].value"] = { media_inputs = { { value = "pet.jpg" } } },
    ["first_frame_image"] = { first_frame_image = "pet.jpg" },
    ["last_frame_image"] = { last_frame_image = true },
    ["subject_reference[1].image[1]"] = { subject_reference = { { image = { "pet.jpg" } } } },
    ["content[1].image_url.url"] = { content = { { image_url = { url = "pet.jpg" } } } },
  } do
    it("with a bad " .. place .. " says so", function()
      local resolved, why = media.resolve(body)
      assert.is_nil(resolved)
      assert.equal(place .. ": ", why:sub(1, #place + 2))
    end)
  end

  it("of another shape is left to the module's own checks", function()
    for _, body in ipairs { { media_inputs = "x" }, { content = { "x" } }, { content = 7 },
      { subject_reference = { "x", { image = "y" } } }, { content = { { image_url = "x" } } } } do
      assert.equal(body, (media.resolve(body)))
    end
  end)
end)
