-- luv: one more line, and waits yield to uv.run.
local uv = require "luv"
local minimax = require "minimax.luv"

for _, animal in ipairs { "Lion", "Bear" } do
  coroutine.wrap(function()
    local task = assert(minimax.submit {
      template_id = "393769180141805569",
      media_inputs = { "https://example.com/pet.jpg" },
      text_inputs = { animal },
    })
    print(animal, assert(minimax.wait(task)).state)
  end)()
end
uv.run()
