-- The catalogue of templates.

local catalogue = require "minimax.catalogue"

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
end)
