--- One run of the command line: its words, its output, its client, and what to
-- say when it is interrupted.

local console = require "minimax.console"
local minimax = require "minimax"
local fault = require "minimax.cli.fault"
local key = require "minimax.cli.key"
local output = require "minimax.cli.output"
local printable = require "minimax.common.printable"
local shell = require "minimax.common.shell"
local wording = require "minimax.cli.wording"

local session = {}
session.__index = session

--- @param arguments as argparse read them
function session.new(arguments)
  return setmetatable({ arguments = arguments, out = output.new(arguments), listeners = {} },
    session)
end

local function pairs_of(texts)
  local found = {}
  for _, text in ipairs(texts) do
    local name, value = text:match("^([^=]+)=(.*)$")
    if not name then
      fault.misuse("--query takes NAME=VALUE, not '%s'", text)
    end
    found[name] = value
  end
  return found
end

local function auth_of(arguments)
  if arguments.auth_header or arguments.auth_scheme then
    return { header = arguments.auth_header, scheme = arguments.auth_scheme }
  end
end

-- Raised errors begin with where they were raised, which helps nobody here.
local function without_place(problem)
  return (tostring(problem):gsub("^[^:]*:%d+: ", ""))
end

-- What the environment or the options say wrongly is raised by the module.
local function make(options)
  local ok, client = pcall(minimax.new, options)
  if not ok then
    fault.misuse("%s", wording.of(without_place(client)))
  end
  return client
end

--- Options for a client, as the words of the command say.
-- @param api_key
function session:options(api_key)
  local arguments = self.arguments
  return {
    api_key = api_key,
    base_url = arguments.base_url,
    auth = auth_of(arguments),
    query = pairs_of(arguments.query),
    proxy = arguments.proxy,
    ca_file = arguments.ca_file,
    retries = arguments.retries,
    poll_interval = arguments.interval,
    on_event = function(event)
      for _, listener in pairs(self.listeners) do
        listener(event)
      end
    end,
  }
end

--- The client of this run.
-- @param changes other options of `minimax.new` (optional); with `api_key` no key
--   is looked for
-- @return it; or nil and an error
function session:client(changes)
  changes = changes or {}
  local options, err
  if changes.api_key then
    options = self:options(changes.api_key)
  else
    local api_key
    api_key, err = key.find(self.arguments.key_file)
    if err then
      return nil, err
    end
    options = self:options(api_key)
  end
  for name, value in pairs(changes) do
    options[name] = value
  end
  self.base_url = options.base_url
  return make(options)
end

--- Has a function called with every event of the client's.
-- @param name of the listener; nil for the function takes it away
function session:listen(name, listener)
  self.listeners[name] = listener
end

-- The options that reach the same server, without the key.
local function connection_words(arguments)
  local words = {}
  for _, name in ipairs { "base_url", "key_file", "auth_header", "auth_scheme", "proxy",
    "ca_file" } do
    if arguments[name] then
      words[#words + 1] = "--" .. name:gsub("_", "-")
      words[#words + 1] = arguments[name]
    end
  end
  for _, text in ipairs(arguments.query) do
    words[#words + 1] = "--query"
    words[#words + 1] = text
  end
  return words
end

--- A command that goes on where this one stops, ready to be pasted.
-- @param words of it, after "minimax"
function session:command(words)
  local all = table.move(words, 1, #words, 2, { "minimax" })
  local more = connection_words(self.arguments)
  return shell.command(table.move(more, 1, #more, #all + 1, all))
end

--- Sets what is said when this run is interrupted or fails on its way.
-- @param advice lines of text, or nil
function session:advise(advice)
  self.advice = advice
  local lines = {}
  for index, line in ipairs(advice or lines) do
    lines[index] = printable.line(line) .. "\n"
  end
  console.advise(advice and table.concat(lines))
end

return session
