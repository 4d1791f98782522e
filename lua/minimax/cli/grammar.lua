--- The words that `minimax` understands, as argparse takes them.

local minimax = require "minimax"
local values = require "minimax.cli.grammar.values"

local grammar = {}

local EPILOG = [[
The key is read from MINIMAX_API_KEY, or from a file with mode 0600 that
MINIMAX_API_KEY_FILE or --key-file names; never from an argument. A media value
is a URL, or a local path behind an @.

Examples:
  minimax template run-for-life -m @pet.jpg -t Lion -o lion.mp4
  minimax video --model MiniMax-Hailuo-2.3 -p "A cat surfs" -o cat.mp4
  minimax wait 401047179385389059 -o lion.mp4
  minimax doctor

'minimax COMMAND --help' has the options of each command. Exit codes: 0 all
went well, 2 the command is wrong, 130 Ctrl-C, 3 to 18 the kind of the error:
'man minimax' lists them.]]

-- argparse is asked for only here, so that all else works without it.
local function load_argparse()
  local found, argparse = pcall(require, "argparse")
  if not found then
    return nil, "the command line needs argparse: install the rock 'argparse' "
      .. "(luarocks install argparse) or Debian's package 'lua-argparse'"
  end
  return argparse
end

local function add_common(parser)
  parser:option("--base-url", "The server (MINIMAX_BASE_URL, https://api.minimax.io).")
    :argname "URL"
  parser:option("--key-file", "A file that holds the key, mode 0600."):argname "FILE"
  parser:option("--auth-header", "The header that carries the key (Authorization).")
    :argname "NAME"
  parser:option("--auth-scheme", "The word before the key (Bearer)."):argname "WORD"
  parser:option("--query", "A parameter for every API call."):argname "NAME=VALUE":count "*"
  parser:option("--proxy", "A proxy (https_proxy, all_proxy)."):argname "URL"
  parser:option("--ca-file", "Certificates to trust (CURL_CA_BUNDLE)."):argname "FILE"
  parser:option("--retries", "Further attempts where they are safe (4)."):argname "NUMBER"
    :convert(values.whole)
  parser:flag("--json", "Print results as lines of JSON.")
  parser:flag("-q --quiet", "Print results and errors alone.")
  parser:flag("--version", "Show the version and exit."):action(function()
    print("minimax " .. minimax._VERSION)
    os.exit(0)
  end)
end

local PARTS = { "render", "tasks", "batch", "services" }

--- Builds the parser.
-- @return it; or nil and what to install
function grammar.parser()
  local argparse, why = load_argparse()
  if not argparse then
    return nil, why
  end
  local parser = argparse("minimax", "MiniMax video generation: submit, wait, download.", EPILOG)
  parser:command_target "command"
  parser:help_description_margin(29)
  parser:help_max_width(80)
  parser:usage_max_width(78)
  add_common(parser)
  for _, part in ipairs(PARTS) do
    require("minimax.cli.grammar." .. part).add(parser)
  end
  parser:add_complete_command { name = "completion", target = values.mark "completion" }
  return parser
end

return grammar
