--- The emulator from a shell, for scripts in any language:
--
--     lua5.4 -e 'require "minimax.emulator".main()' - --port 8080 --speed 10

local main = {}

local NAME = "minimax.emulator"

local function number(text)
  return math.tointeger(tonumber(text)) or tonumber(text)
end

-- "5/60" is five in any sixty seconds.
local function rate(text)
  local count, seconds = text:match("^(%d+)/([%d.]+)$")
  if not count then
    return nil, "a rate is COUNT/SECONDS, such as 5/60"
  end
  return { number(count), number(seconds) }
end

-- "endpoint=submit,fault=reset,attempt=2"
local function fault(text)
  local faults = require "minimax.emulator.faults"
  local rule = {}
  for name, value in text:gmatch("([^=,]+)=([^,]*)") do
    rule[name] = number(value) or value
    if value == "true" or value == "false" then
      rule[name] = value == "true"
    end
  end
  local ok, why = faults.check(rule)
  return ok and rule, why
end

-- flag, how it is read, what it is
local FLAGS = {
  { "--port", number, "The API's port (8080; 0 for any free one)." },
  { "--storage-port", number, "The storage host's port (any free one)." },
  { "--speed", number, "How many times faster than real tasks go (60)." },
  { "--seconds", number, "How long a task takes at speed 1 (60)." },
  { "--submit-rate", rate, "Submits allowed, as COUNT/SECONDS." },
  { "--query-rate", rate, "Queries allowed, as COUNT/SECONDS." },
  { "--path-prefix", nil, "What stands before /v1 and /v2, such as /minimaxi." },
  { "--auth-header", nil, "The header that carries the key (Authorization)." },
  { "--auth-scheme", nil, "The word before the key (Bearer)." },
  { "--wrap", number, "How deep a query's reply is wrapped: 0, 1 or 2 (0)." },
  { "--ids", nil, "The shape of ids: string, number or ulid (string)." },
  { "--digits", number, "The length of ids." },
  { "--video-bytes", number, "The size of each video." },
  { "--link-life", number, "Seconds that a link serves." },
  { "--fail-rate", number, "The share of tasks that fail, 0 to 1 (0)." },
  { "--seed", number, "For ids and failures, an integer (1)." },
}

--- Adds the options to a parser of argparse, or to a command of one.
function main.add_options(parsed)
  for _, flag in ipairs(FLAGS) do
    local option = parsed:option(flag[1], flag[3])
    if flag[2] then
      option:convert(flag[2])
    end
  end
  parsed:option("--key", "A key that is accepted (sk-api-emulator)."):count("*")
  parsed:option("--allow-host", "A further name that it is called by, besides localhost.")
    :count("*")
  parsed:option("--fault", "A fault, as endpoint=submit,fault=reset,attempt=2.")
    :count("*"):convert(fault)
  parsed:flag("--tls", "TLS with a certificate of its own, and HTTP/2.")
  parsed:flag("--log", "Print a line for each request.")
  parsed:flag("--with-parent", "End when standard input ends.")
end

local function parser()
  local argparse = require "argparse"
  local parsed = argparse(NAME, "The MiniMax video API on this machine, free of charge.")
  parsed:help_max_width(80)
  main.add_options(parsed)
  return parsed
end

local function to_options(arguments)
  local options = { port = 8080, tls = arguments.tls }
  for _, flag in ipairs(FLAGS) do
    local name = flag[1]:sub(3):gsub("-", "_")
    if arguments[name] ~= nil then
      options[name] = arguments[name]
    end
  end
  options.api_keys = arguments.key[1] and arguments.key
  options.allowed_hosts = arguments.allow_host
  return require "minimax.emulator.options".complete(options, -1)
end

local function say(...)
  io.stdout:write(require "minimax.common.printable".line(table.concat { ... }), "\n")
  io.stdout:flush()
end

local function introduce(service, account, addresses)
  say("The MiniMax video API, free of charge, at ", addresses.base_url)
  local env = service.environment(account)
  for _, name in ipairs(service.VARIABLES) do
    if env[name] then
      say("export ", name, "=", env[name])
    end
  end
  if not addresses.ca_file then
    say("Links to videos begin with http: a client that makes https of them needs --tls.")
  end
  say("Ctrl-C ends it.")
end

local function wait_for_signal(account)
  local signal = require "cqueues.signal"
  local interrupted = signal.listen(signal.SIGINT, signal.SIGTERM):wait() == signal.SIGINT
  if interrupted then
    io.stderr:write("Interrupted.\n")
  end
  account:exit(interrupted and 130 or 0)
end

local function wait_for_parent(account)
  local cqueues = require "cqueues"
  -- What can be sought, such as /dev/null, is no pipe: it cannot be polled.
  if not io.stdin:seek() then
    repeat
      cqueues.poll { pollfd = 0, events = "r" }
    until not io.stdin:read("l")
  end
  account:exit(0)
end

local function serve(arguments, options)
  local cqueues = require "cqueues"
  local signal = require "cqueues.signal"
  local service = require "minimax.emulator.service"
  signal.block(signal.SIGINT, signal.SIGTERM)
  signal.ignore(signal.SIGPIPE)
  local controller = cqueues.new()
  local account, why = service.start(controller, options)
  if not account then
    return nil, why
  end
  for _, rule in ipairs(arguments.fault) do
    account.faults:add(rule)
  end
  account.on_request = arguments.log and function(entry)
    say(entry.method, " ", entry.path, "  ", entry.endpoint, " ", entry.attempt)
  end
  introduce(service, account, service.addresses(account))
  controller:wrap(wait_for_signal, account)
  if arguments.with_parent then
    controller:wrap(wait_for_parent, account)
  end
  for problem in controller:errors() do
    io.stderr:write(NAME, ": ", tostring(problem), "\n")
  end
end

local function plain(why)
  return (tostring(why):gsub("^minimax.emulator: ", ""))
end

--- Serves until Ctrl-C, which ends the process.
-- @param arguments what argparse read
-- @return nil and why it can't; and third, whether the arguments are to blame
function main.serve(arguments)
  local ready, why = require "minimax.common.paths".prepare()
  if not ready then
    return nil, why
  end
  local ok, options = pcall(to_options, arguments)
  if not ok then
    return nil, plain(options), true
  end
  ok, why = serve(arguments, options)
  return ok, why and plain(why)
end

--- The same as a program; ends the process.
-- @param words the arguments, a list of strings
function main.run(words)
  require "minimax.console".watch()
  local served, why = main.serve(parser():parse(words))
  if not served then
    io.stderr:write(NAME, ": ", tostring(why), "\n")
  end
  os.exit(served and 0 or 1)
end

return main
