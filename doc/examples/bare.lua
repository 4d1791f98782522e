-- A coroutine that the program resumes when it likes: a game, once a frame.
local minimax = require "minimax"

local co = coroutine.create(function()
  local task = assert(minimax.submit {
    template_id = "393769180141805569",
    media_inputs = { "https://example.com/pet.jpg" },
    text_inputs = { "Lion" },
  })
  return assert(minimax.wait(task)).state
end)

local frames = 0
local ok, result
repeat
  ok, result = coroutine.resume(co) -- a bounded piece of work
  assert(ok, result)
  frames = frames + 1 -- the game goes on here
until coroutine.status(co) == "dead"
print(result, frames > 1)
