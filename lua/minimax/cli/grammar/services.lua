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

--- Adds the commands.
function services.add(parser)
  add_templates(parser)
  add_doctor(parser)
end

return services
