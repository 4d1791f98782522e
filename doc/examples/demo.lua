--- Renders "Run for Life": a local image and a word become a video.
--
--     make demo                          against the emulator, free of charge
--     MINIMAX_API_KEY=sk-... lua doc/examples/demo.lua       for real
--
-- With no key in the environment it starts the emulator and asks that instead;
-- the rest of the script is the same.

local minimax = require "minimax"

local IMAGE = arg[0]:gsub("[^/]*$", "") .. "pet.jpg"
local VIDEO = "output.mp4"

local emulator
if not os.getenv "MINIMAX_API_KEY" and not os.getenv "MINIMAX_API_KEY_FILE" then
  -- A task that takes a minute is done in six seconds.
  emulator = assert(require "minimax.emulator".start { speed = 10, video_bytes = 2000000 })
  minimax.configure {
    base_url = emulator.base_url,
    api_key = emulator.api_key,
    poll_interval = 1,
  }
  print("No MINIMAX_API_KEY: asking the emulator at " .. emulator.base_url)
end

local task = assert(minimax.submit {
  template_id  = "393769180141805569", -- "Run for Life": a pet, and what chases it
  media_inputs = { minimax.file(IMAGE) },
  text_inputs  = { "Lion" },
})
print("Submitted " .. IMAGE .. ": task " .. task.task_id)

local started, shown = os.time(), nil
local result = assert(task:wait {
  on_status = function(status)
    if status.status ~= shown then
      shown = status.status
      print(string.format("%4d s  %s", os.time() - started, shown))
    end
  end,
})

local info = assert(minimax.download(result, VIDEO))
print(string.format("Downloaded %s: %d bytes, %s", info.path, info.bytes, info.content_type))

if emulator then
  print("The emulator answered " .. #emulator:requests() .. " requests; nothing was paid.")
  emulator:stop()
end
