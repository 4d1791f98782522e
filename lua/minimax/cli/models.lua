--- `minimax models`: what is known of the models.

local codes = require "minimax.cli.codes"
local known = require "minimax.common.models"

local models = {}

-- "6 or 10 s", "4 to 15 s"
local function seconds_of(durations)
  local last = durations[#durations]
  if #durations > 2 then
    return durations[1] .. " to " .. last .. " s"
  end
  return (durations[2] and durations[1] .. " or " or "") .. last .. " s"
end

-- "768P 6 or 10 s, 512P 6 or 10 s (first frame)"
local function sizes_of(model)
  local texts = {}
  for index, size in ipairs(model.sizes) do
    texts[index] = size.resolution .. " " .. seconds_of(size.durations)
      .. (size.inputs and " (" .. table.concat(size.inputs, ", ") .. ")" or "")
  end
  return texts[1] and table.concat(texts, ", ") or "-"
end

local function fits(model, word)
  local text = table.concat({ model.model, model.kind, table.concat(model.inputs, ", "),
    sizes_of(model) }, "\n")
  return text:lower():find(word, 1, true) ~= nil
end

--- Lists the models.
-- @return an exit code
function models.run(session)
  local out = session.out
  local word = (session.arguments.word or ""):lower()
  local rows = { { "MODEL", "COMMAND", "TAKES", "MAKES" } }
  for _, model in ipairs(known.list) do
    if fits(model, word) then
      out:emit("model", model)
      rows[#rows + 1] = { model.model, model.kind, table.concat(model.inputs, ", "),
        sizes_of(model) }
    end
  end
  out:say_rows(rows)
  return codes.OK
end

return models
