-- copas: one more line, and waits yield to copas.loop.
local copas = require "copas"
local minimax = require "minimax.copas"

local running = 2
for _, animal in ipairs { "Lion", "Bear" } do
  copas.addthread(function()
    local task = assert(minimax.submit {
      template_id = "393769180141805569",
      media_inputs = { "https://example.com/pet.jpg" },
      text_inputs = { animal },
    })
    print(animal, assert(minimax.wait(task)).state)
    running = running - 1
  end)
end
while running > 0 do -- what copas.loop() does, in all its versions
  copas.step()
end
