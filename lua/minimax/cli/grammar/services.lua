--- The words of the commands around the API.

local values = require "minimax.cli.grammar.values"

local services = {}

local function add_templates(parser)
  local command = values.command(parser, "templates", "List the known Video Agent templates.", [[
No API lists them, so the list may be old; other ids may work.

Example:
  minimax templates pet]])
  command:argument("word", "Only those with that word."):args "?"
end

local function add_doctor(parser)
  values.command(parser, "doctor", "Look at all that a render needs.", [[
One line each for the versions, the key, the proxy, the name, the connection,
TLS, the clock and the region, and what to do about it. It costs nothing.

Examples:
  minimax doctor
  MINIMAX_BASE_URL=https://api.minimaxi.com minimax doctor]])
end

local function add_emulator(parser)
  local command = values.command(parser, "emulator", "Serve the API here, free of charge.", [[
It listens on this machine alone, prints the environment for a second terminal,
and ends with Ctrl-C. doc/emulator.md has the faults.

Examples:
  minimax emulator --port 8080 --speed 10 --log
  minimax emulator --fault endpoint=query,fault=status_503,times=3]])
  require "minimax.emulator.main".add_options(command)
end

--- Adds the commands.
function services.add(parser)
  add_templates(parser)
  add_doctor(parser)
  add_emulator(parser)
end

return services
