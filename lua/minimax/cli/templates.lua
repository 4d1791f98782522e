--- `minimax templates`: the catalogue.

local catalogue = require "minimax.catalogue"
local codes = require "minimax.cli.codes"

local templates = {}

local function fits(template, word)
  for _, text in ipairs { template.name, template.slug, template.wants, template.template_id,
    template.list } do
    if text:lower():find(word, 1, true) then
      return true
    end
  end
  return false
end

local function inputs_of(template)
  return (template.media and "-m" or "") .. (template.media and template.text and " " or "")
    .. (template.text and "-t" or "")
end

local function price_of(template)
  return template.price and string.format("$%.2f", template.price) or "-"
end

--- Lists the templates.
-- @return an exit code
function templates.run(session)
  local out = session.out
  local word = (session.arguments.word or ""):lower()
  local rows = { { "ID", "NEEDS", "PRICE", "TEMPLATE" } }
  for _, template in ipairs(catalogue.templates) do
    if fits(template, word) then
      out:emit("template", template)
      rows[#rows + 1] = { template.template_id, inputs_of(template), price_of(template),
        template.slug .. ": " .. template.wants }
    end
  end
  out:say_rows(rows)
  return codes.OK
end

return templates
