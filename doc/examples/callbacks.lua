-- Callbacks instead of polls: a receiver beside the wait, in one cqueues loop.
local cqueues = require "cqueues"
local minimax = require "minimax"

local loop = cqueues.new()
local client = minimax.new()
local receiver = assert(require "minimax.receiver".start {
  controller = loop,
  client = client,
  on_event = function(event, query)
    print("callback", query, event.state)
  end,
})
-- Where the API reaches it: the address of your proxy, which speaks TLS.
local public = os.getenv "PUBLIC_URL" or "http://127.0.0.1:" .. receiver.port

loop:wrap(function()
  local task = assert(client:submit {
    template_id = "393769180141805569",
    media_inputs = { "https://example.com/pet.jpg" },
    text_inputs = { "Lion" },
    callback_url = public .. receiver.path .. "?request=lion",
  })
  -- A poll every ten minutes is for the callback that gets lost.
  print(assert(client:wait(task, { interval = 600 })).state)
  receiver:close()
end)
assert(loop:loop())
