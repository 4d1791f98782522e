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

--- Adds the commands.
function services.add(parser)
  add_templates(parser)
end

return services
