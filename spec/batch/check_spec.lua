-- What the catalogues of templates and models say against a request.

local all_warnings = require "minimax.common.warnings"

local RUN_FOR_LIFE, ANIME = "393769180141805569", "394514820878671878"

local function warnings(kind, body)
  return table.concat(all_warnings.of(kind, body), "; ")
end

describe("a template's doubts", function()
  it("are none where the request is as the catalogue says", function()
    assert.equal("", warnings("template", { template_id = RUN_FOR_LIFE, media_inputs = { "x" },
      text_inputs = { "Lion" } }))
    assert.equal("", warnings("template", { template_id = ANIME, text_inputs = { "a scene" },
      media_inputs = {} }))
  end)

  it("name what is missing, too much, or unknown", function()
    assert.matches("'Run for Life' wants text_inputs", warnings("template",
      { template_id = RUN_FOR_LIFE, media_inputs = { "x" } }), 1, true)
    assert.matches("'Anime Life Sim' takes no media_inputs", warnings("template",
      { template_id = ANIME, text_inputs = { "x" }, media_inputs = { "x" } }), 1, true)
    assert.equal("the template 7 is not in the catalogue",
      warnings("template", { template_id = "7" }))
  end)
end)

describe("a model's doubts", function()
  local CASES = {
    { { model = "MiniMax-Hailuo-2.3", prompt = "x" }, "" },
    { { model = "MiniMax-Hailuo-2.3" }, "wants a prompt" },
    { { model = "MiniMax-Hailuo-2.3", prompt = "x", resolution = "768P", duration = 10 }, "" },
    { { model = "MiniMax-Hailuo-2.3", prompt = "x", resolution = "1080P", duration = 10 },
      "10 s at 1080P" },
    { { model = "MiniMax-Hailuo-2.3", prompt = "x", duration = 99 }, "99 s at 768P" },
    { { model = "T2V-01", prompt = "x", duration = 10 }, "10 s at 720P" },
    { { model = "MiniMax-Hailuo-2.3", prompt = "x", resolution = "720P" }, "does not make 720P" },
    { { model = "MiniMax-Hailuo-02", first_frame_image = "x", resolution = "512P" }, "" },
    { { model = "MiniMax-Hailuo-02", prompt = "x", resolution = "512P" },
      "makes 512P from a first frame alone" },
    { { model = "S2V-01", subject_reference = {}, first_frame_image = "x" },
      "does not take a subject and a frame" },
    { { model = "S2V-01", subject_reference = {}, duration = 6 }, "takes no duration" },
    { { model = "S2V-01", subject_reference = {}, resolution = "768P" }, "does not make 768P" },
    { { model = "MiniMax-Hailuo-2.3-Fast", prompt = "x" }, "does not take text alone" },
    { { model = "MiniMax-Hailuo-2.3-Fast", first_frame_image = "x" }, "" },
    { { model = "MiniMax-Hailuo-2.3", first_frame_image = "x", last_frame_image = "x" },
      "a first and a last frame" },
    { { model = "MiniMax-Hailuo-02", first_frame_image = "x", last_frame_image = "x" }, "" },
    { { model = "S2V-01", subject_reference = {} }, "" },
    { { model = "S2V-01", prompt = "x" }, "does not take text alone" },
    { { model = "video-9" }, "'video-9' is not among those that MiniMax lists" },
  }
  for _, case in ipairs(CASES) do
    it("are " .. (case[2] == "" and "none" or case[2]) .. " for " .. case[1].model, function()
      local found = warnings("video", case[1])
      assert.is_true(case[2] == "" and found == "" or case[2] ~= "" and
        found:find(case[2], 1, true) ~= nil, found)
    end)
  end

  local function v2(more)
    local body = { model = "MiniMax-H3", resolution = "768P", duration = 6,
      content = { { type = "text", text = "x" } } }
    for name, value in pairs(more or {}) do
      body[name] = value
    end
    return warnings("video2", body)
  end

  it("are told for the second family as well", function()
    assert.equal("", v2())
    assert.matches("does not make 480P", v2 { resolution = "480P" }, 1, true)
    assert.matches("a duration from 4 to 15 s", v2 { duration = 16 }, 1, true)
    assert.matches("a duration from 5 to 15 s",
      v2 { model = "MiniMax-H3-Max", resolution = "480P", duration = 4 }, 1, true)
    assert.matches("needs an item of type text", v2 { content = {} }, 1, true)
    assert.matches("must not mix frames and references", v2 { content = {
      { type = "text", text = "x" }, { type = "image_url", role = "first_frame" },
      { type = "image_url", role = "reference_image" } } }, 1, true)
    assert.matches("not among those", v2 { model = "MiniMax-H9" }, 1, true)
  end)

  it("survive any shape of a request", function()
    for _, body in ipairs { { content = "text" }, { content = { 1 } }, { model = {} },
      { media_inputs = 5, template_id = RUN_FOR_LIFE } } do
      for _, kind in ipairs { "template", "video", "video2" } do
        body.model = body.model or "MiniMax-H3"
        assert.equal("table", type(all_warnings.of(kind, body)))
      end
    end
  end)
end)
