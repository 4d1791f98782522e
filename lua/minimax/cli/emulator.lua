--- `minimax emulator`: the emulator from a shell.

local fault = require "minimax.cli.fault"

local emulator = {}

--- Serves until Ctrl-C, which ends the process.
-- @return nil and an error
function emulator.run(session)
  local _, why, misuse = require "minimax.emulator.main".serve(session.arguments)
  if misuse then
    fault.misuse("%s", why)
  end
  return nil, fault.new("io", "%s", why or "it ended by itself")
end

return emulator
