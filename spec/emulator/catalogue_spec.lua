-- The catalogue of templates.

local catalogue = require "minimax.catalogue"
local warnings = require "minimax.common.warnings"
local models = require "minimax.common.models"

describe("the catalogue", function()
  it("has each template once, its id as text of 18 digits", function()
    local ids, names = {}, {}
    for _, template in ipairs(catalogue.templates) do
      assert.matches("^%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d$", template.template_id)
      assert.is_nil(ids[template.template_id])
      assert.is_nil(names[template.name])
      ids[template.template_id], names[template.name] = true, true
      assert.is_true(template.media or template.text)
      assert.truthy(template.list == "international" or template.list == "china"
        or template.list == "both")
    end
    assert.equal(22, #catalogue.templates)
  end)

  it("finds a template by its id", function()
    assert.equal("Run for Life", catalogue.by_id("393769180141805569").name)
    assert.is_nil(catalogue.by_id "1")
  end)

  it("finds a template by its name, however it is spelled", function()
    local id = "393769180141805569"
    for _, name in ipairs { "Run for Life", "run-for-life", "RUN FOR LIFE", "runforlife" } do
      assert.equal(id, catalogue.by_name(name).template_id)
    end
    assert.equal("393857704283172864", catalogue.by_name("情书写真").template_id)
    assert.equal("393879757702918151", catalogue.by_name("mcdonalds-delivery-pet").template_id)
    assert.is_nil(catalogue.by_name "run")
  end)

  it("has a word for each that no shell takes apart and that finds it again", function()
    for _, template in ipairs(catalogue.templates) do
      assert.is_nil(template.slug:find("[%s'\"]"), template.slug)
      assert.equal(template, catalogue.by_name(template.slug))
    end
    assert.equal("mcdonalds-delivery-pet", catalogue.by_id("393879757702918151").slug)
  end)
end)

describe("the list of models", function()
  local IMAGE = "https://x/y.jpg"
  local PARTS = {
    ["text"] = { prompt = "x" },
    ["first frame"] = { first_frame_image = IMAGE },
    ["last frame"] = { last_frame_image = IMAGE },
    ["first and last frame"] = { first_frame_image = IMAGE, last_frame_image = IMAGE },
    ["subject"] = { subject_reference = { { type = "character", image = { IMAGE } } } },
  }

  local function request(model, part, size, duration)
    local body = { model = model.model, resolution = size and size.resolution,
      duration = duration }
    for name, value in pairs(PARTS[part] or {}) do
      body[name] = value
    end
    if model.kind == "video2" then
      body.content = { { type = "text", text = "x" } }
    end
    return body
  end

  -- Whether a size is made of that input.
  local function made_of(size, part)
    for _, input in ipairs(size.inputs or { part }) do
      if input == part then
        return true
      end
    end
    return false
  end

  it("doubts nothing that it lists, and all that it does not", function()
    local listed = 0
    for _, model in ipairs(models.list) do
      assert.equal(model, models.find(model.kind, model.model))
      for _, part in ipairs(model.inputs) do
        for _, size in ipairs(model.sizes) do
          for _, duration in ipairs(size.durations) do
            local found = warnings.of(model.kind, request(model, part, size, duration))
            assert.equal(made_of(size, part), found[1] == nil, found[1])
            listed = listed + 1
          end
          for _, duration in ipairs { 0, 3, 99, 6.5, "6" } do
            local body = request(model, part, size, duration)
            assert.truthy(warnings.of(model.kind, body)[1], model.model .. " " .. duration)
          end
        end
        assert.truthy(warnings.of(model.kind, request(model, part, { resolution = "4K" }, 6))[1])
      end
      for part in pairs(model.kind == "video" and PARTS or {}) do
        local known = table.concat(model.inputs, "\n") .. "\n"
        local is_known = ("\n" .. known):find("\n" .. part .. "\n", 1, true) ~= nil
        assert.equal(is_known, warnings.of("video", request(model, part))[1] == nil,
          model.model .. ": " .. part)
      end
    end
    assert.is_true(listed > 200)
  end)
end)
