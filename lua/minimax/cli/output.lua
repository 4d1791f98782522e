--- What the command line prints: results on standard output, as lines of text
-- or, with --json, as lines of JSON; everything else on standard error.

local columns = require "minimax.cli.columns"
local console = require "minimax.console"
local json = require "minimax.common.json"
local printable = require "minimax.common.printable"
local terminal = require "minimax.cli.terminal"
local wording = require "minimax.cli.wording"

local output = {}
output.__index = output

--- @param options `json` and `quiet`, booleans
-- @return an output: `json`, and `live` where progress can be redrawn
function output.new(options)
  local self = setmetatable({ json = options.json, quiet = options.quiet or options.json }, output)
  self.live = not self.quiet and terminal.is_one(2)
  console.drawn(self.live)
  return self
end

-- What JSON can't hold, such as a text that is not UTF-8, must not hide the rest.
local function encodable(value)
  if type(value) == "string" then
    return utf8.len(value) and value:gsub("%z", "?") or value:gsub("[^\x20-\x7E]", "?")
  elseif type(value) == "number" and (value ~= value or value - value ~= 0) then
    return json.null
  elseif type(value) ~= "table" or json.is_empty_list(value) then
    return value
  end
  local copy = {}
  for name, member in pairs(value) do
    copy[encodable(name)] = encodable(member)
  end
  return copy
end

--- A value as JSON text.
function output.text(value)
  return printable.json(json.encode(value) or assert(json.encode(encodable(value))))
end

--- A line of the result, for people.
function output:say(format, ...)
  if not self.json then
    terminal.say(io.stdout, format, ...)
  end
end

--- Rows of the result as columns, for people.
function output:say_rows(rows)
  for _, line in ipairs(columns.lines(rows)) do
    self:say("%s", line)
  end
end

--- A result for scripts: `{"name": value}`.
function output:emit(name, value)
  if self.json then
    terminal.say(io.stdout, '{"%s":%s}', name, output.text(value))
  end
end

--- A line about how it goes; not with --quiet or --json.
function output:note(format, ...)
  if not self.quiet then
    terminal.say(io.stderr, format, ...)
  end
end

--- A line that must be seen, whatever the options are.
function output.warn(_, format, ...)
  terminal.say(io.stderr, format, ...)
end

local FIELDS = { "kind", "message", "code", "http_status", "trace_id", "task_id", "stage",
  "attempts", "retryable", "received", "status" }

--- An error of the module, on the stream where its reader looks.
function output:fail(err)
  if not self.json then
    terminal.say(io.stderr, "%s", wording.of(err))
    return
  end
  local object = { task_kind = err.task and err.task.kind }
  for _, name in ipairs(FIELDS) do
    object[name] = err[name]
  end
  object.message = wording.of(err.message)
  self:emit("error", object)
end

return output
