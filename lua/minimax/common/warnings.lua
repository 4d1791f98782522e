--- What the catalogues of templates and models say against a request. They can be
-- out of date: these are warnings, unless a user wants them to be more.

local catalogue = require "minimax.catalogue"
local models = require "minimax.common.models"

local warnings = {}

local function check_template(_, body, warn)
  local template = catalogue.by_id(body.template_id)
  if not template then
    return warn("the template %s is not in the catalogue", tostring(body.template_id))
  end
  for _, name in ipairs(catalogue.INPUTS) do
    local wanted, given = catalogue.wants(template, name), catalogue.is_given(body, name)
    if wanted and not given then
      warn("the template '%s' wants %s: %s", template.name, name, template.wants)
    elseif given and not wanted then
      warn("the template '%s' takes no %s", template.name, name)
    end
  end
end

local CHECKS = { template = check_template, video = models.check, video2 = models.check }

--- What the catalogues say against a request.
-- @param kind "template", "video" or "video2"
-- @return a list of texts
function warnings.of(kind, body)
  local found, check = {}, CHECKS[kind]
  if check then -- what no kind is, is refused elsewhere
    check(kind, body, function(...)
      found[#found + 1] = string.format(...)
    end)
  end
  return found
end

return warnings
