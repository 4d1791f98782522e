-- A plain script: each call blocks until it is done.
local minimax = require "minimax"

local task = assert(minimax.submit {
  template_id = "393769180141805569", -- "Run for Life"
  media_inputs = { "https://example.com/pet.jpg" },
  text_inputs = { "Lion" },
})
print(assert(minimax.wait(task)).state)
