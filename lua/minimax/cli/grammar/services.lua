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

local function add_models(parser)
  local command = values.command(parser, "models", "List the known models.", [[
What each takes and makes, as MiniMax's pages say; the list may be old, and
other models may work.

Example:
  minimax models 1080P]])
  command:argument("word", "Only those with that word."):args "?"
end

local function add_doctor(parser)
  values.command(parser, "doctor", "Look at all that a render needs.", [[
One line each for the versions, the address, the key, the proxy, the name, the
connection, TLS, the clock and the region, and what to do about it. It costs
nothing.

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

local function add_callbacks(parser)
  local command = values.command(parser, "callback-server", "Receive callbacks and print them.", [[
It answers the server's challenge, and takes only what comes to its secret path.
Nothing signs a callback: --confirm asks the API whether it is true. For the API
to reach it, a proxy with TLS has to stand in front.

Examples:
  minimax callback-server --port 8080
  minimax callback-server --path /hooks/6f1c0ad8 --confirm --json]])
  command:option("--host", "Where it listens.", "127.0.0.1"):argname "ADDRESS"
  command:option("--port", "The port; 0 for any free one.", "8080"):argname "NUMBER"
    :convert(values.whole)
  command:option("--path", "The secret path (a random one)."):argname "PATH"
  command:flag("--confirm", "Ask the API about each task that is named.")
  values.add_kind(command, "what the callback tells, or template")
end

--- Adds the commands.
function services.add(parser)
  add_templates(parser)
  add_models(parser)
  add_doctor(parser)
  add_emulator(parser)
  add_callbacks(parser)
end

return services
