-- cqueues, and so lua-http: nothing has to be said.
local cqueues = require "cqueues"
local minimax = require "minimax"

local loop = cqueues.new()
for _, animal in ipairs { "Lion", "Bear" } do
  loop:wrap(function()
    local task = assert(minimax.submit {
      template_id = "393769180141805569",
      media_inputs = { "https://example.com/pet.jpg" },
      text_inputs = { animal },
    })
    print(animal, assert(minimax.wait(task)).state)
  end)
end
assert(loop:loop())
