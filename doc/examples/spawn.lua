-- Several renders side by side, in a program that has no loop of its own.
local minimax = require "minimax"

local function render(animal)
  local task = assert(minimax.submit {
    template_id = "393769180141805569",
    media_inputs = { "https://example.com/pet.jpg" },
    text_inputs = { animal },
  })
  print(animal, assert(minimax.wait(task)).state)
end

for _, animal in ipairs { "Lion", "Bear", "Wolf" } do
  minimax.spawn(render, animal)
end
minimax.run()
