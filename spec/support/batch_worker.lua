--- Works on a ledger in a process of its own, so that it can be killed:
--
--     lua batch_worker.lua LEDGER BASE_URL OPTIONS
--
-- where OPTIONS is the text of a Lua table. It prints each event, and what came
-- of the run.

local minimax = require "minimax"
local batch = require "minimax.batch"

local where, base_url, options = arg[1], arg[2], load("return " .. arg[3])()
local client = minimax.new { base_url = base_url, api_key = "sk-api-emulator" }

options.on_event = function(event)
  print(event.type, event.key or event.reason, event.state or "", event.task_id or "",
    event.err and event.err.message or "")
end

io.stdout:setvbuf("line")
local b <close> = assert(batch.open(where, client))
print "open"
local counts, reason, err = b:run(options)
print("end", counts and reason or "refused", err or "")
