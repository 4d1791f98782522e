--- `minimax` on the command line: reads its words, runs one command, and turns
-- what becomes of it into an exit code.

local codes = require "minimax.cli.codes"
local console = require "minimax.console"
local fault = require "minimax.cli.fault"
local grammar = require "minimax.cli.grammar"
local kinds = require "minimax.common.kinds"
local options = require "minimax.common.options"
local session = require "minimax.cli.session"
local terminal = require "minimax.cli.terminal"

local main = {}

-- Where the commands are: modules with `run(session)`, or functions that get a
-- client.
local MODULES = {
  batch = "minimax.cli.batch",
  templates = "minimax.cli.templates",
  models = "minimax.cli.models",
  doctor = "minimax.cli.doctor",
  emulator = "minimax.cli.emulator",
  ["callback-server"] = "minimax.cli.callbacks",
}
local is_kind = options.one_of(table.unpack(kinds))

local function run(run_session)
  local command = run_session.arguments.command
  if is_kind(command) then
    return require "minimax.cli.render".run(run_session, command)
  elseif MODULES[command] then
    return require(MODULES[command]).run(run_session)
  end
  local client, err = run_session:client()
  if not client then
    return nil, err
  end
  return require "minimax.cli.commands"[command](run_session, client)
end

local function advise(run_session)
  for _, line in ipairs(run_session.advice or {}) do
    run_session.out:warn("%s", line)
  end
end

-- What costs money has come to its end, and raised this for the signal that came.
local function is_interrupt(problem)
  return problem == "interrupted!"
end

-- What a bug leaves: where it is.
local function traced(problem)
  if type(problem) == "string" and not is_interrupt(problem) then
    return debug.traceback(problem, 2)
  end
  return problem
end

local function explain_raised(run_session, problem)
  if is_interrupt(problem) then
    console.release() -- ends the process
  end
  if fault.is_misuse(problem) then
    run_session.out:warn("minimax: %s", problem)
    return codes.USAGE
  elseif type(problem) == "table" and problem.kind then
    run_session.out:fail(problem)
    advise(run_session)
    return codes.of(problem)
  end
  run_session.out:warn("minimax: please report this:")
  for line in tostring(problem):gmatch("[^\n]+") do
    run_session.out:warn("%s", (line:gsub("\t", "  ")))
  end
  advise(run_session)
  return codes.BUG
end

local function conclude(run_session, ok, code, err)
  if not ok then
    return explain_raised(run_session, code)
  elseif code then
    return code
  end
  run_session.out:fail(err)
  advise(run_session)
  return codes.of(err)
end

local function refuse(parser, message)
  terminal.say(io.stderr, "minimax: %s", message)
  io.stderr:write(parser:get_usage(), "\n")
  os.exit(codes.USAGE)
end

--- Runs the command line.
-- @param words the arguments, a list of strings
-- @return the exit code
function main.run(words)
  local parser, why = grammar.parser()
  if not parser then
    terminal.say(io.stderr, "minimax: %s", why)
    return codes.USAGE
  end
  parser.error = refuse
  local run_session = session.new(parser:parse(words))
  return conclude(run_session, xpcall(run, traced, run_session))
end

return main
