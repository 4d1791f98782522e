--- `minimax batch`: the commands around a ledger of jobs.

local codes = require "minimax.cli.codes"
local console = require "minimax.console"
local fault = require "minimax.cli.fault"
local gallery = require "minimax.cli.gallery"
local ledgers = require "minimax.batch"
local postgresql = require "minimax.batch.postgresql"
local states = require "minimax.common.states"
local tally = require "minimax.cli.tally"
local tasks = require "minimax.cli.tasks"
local variable = require "minimax.cli.variable"
local wording = require "minimax.cli.wording"

local batch = {}

local function where_of(arguments)
  if arguments.ledger == "" then
    fault.misuse("--ledger wants a path, or a postgresql:// address")
  end
  return arguments.ledger or variable "MINIMAX_LEDGER" or "minimax.db"
end

-- A new ledger in the wrong place would look like one in which all is done.
local function check_there(where)
  if postgresql.is_address(where) then
    return true
  end
  local file <close>, why = io.open(where, "rb")
  if not file then
    return nil, fault.new("io", "there is no ledger here: %s; 'minimax batch add' makes one", why)
  end
  return true
end

-- A command of this ledger that can be pasted.
local function command_of(session, words)
  if session.arguments.ledger then
    words = table.move(words, 1, #words, 1, {})
    table.move({ "--ledger", session.arguments.ledger }, 1, 2, #words + 1, words)
  end
  return session:command(words)
end

local commands = {}

function commands.add(session, ledger)
  local arguments = session.arguments
  local source = arguments.file == "-" and io.stdin or arguments.file
  local count, problems = ledger:add_lines(source, { keep_going = arguments.keep_going or false })
  if not count then
    return nil, problems
  end
  for _, problem in ipairs(problems) do
    session.out:emit("bad_line", problem)
    if not session.out.json then
      session.out:warn("line %d: %s", problem.line, wording.of(problem.message))
    end
  end
  session.out:emit("added", { count = count, bad = #problems })
  session.out:say("%d added%s", count, problems[1] and ", " .. #problems .. " bad" or "")
  return problems[1] and codes.of_kind "invalid" or codes.OK
end

local function tell_counts(session, counts)
  session.out:emit("counts", counts)
  local rows = {}
  for index, state in ipairs(states) do
    rows[index] = { state, counts[state] or 0 }
  end
  rows[#rows + 1] = { "total", counts.total or 0 }
  session.out:say_rows(rows)
end

local function tell_job(session, job)
  session.out:emit("job", { key = job.key, state = job.state, task_id = job.task_id,
    kind = job.kind, output = job.output, attempt = job.attempt, bytes = job.bytes,
    host = job.host, strays = job.strays, error = job.err, added_at = job.added_at,
    submitted_at = job.submitted_at, ended_at = job.ended_at })
  return { job.key, job.state, job.task_id or "-",
    job.err and wording.of(job.err.message) or job.output }
end

function commands.status(session, ledger)
  local arguments = session.arguments
  if not arguments.state and not arguments.all then
    local counts, err = ledger:status()
    if not counts then
      return nil, err
    end
    tell_counts(session, counts)
    return codes.OK
  end
  local rows = {}
  for job in ledger:jobs { state = arguments.state } do
    rows[#rows + 1] = tell_job(session, job)
  end
  session.out:say_rows(rows)
  return codes.OK
end

local function keys_of(arguments, ledger)
  if arguments.state then
    local keys = {}
    for job in ledger:jobs { state = arguments.state } do
      keys[#keys + 1] = job.key
    end
    return keys
  elseif not arguments.key[1] then
    fault.misuse("which jobs? Give their keys, or --state")
  end
  return arguments.key
end

-- One job that can't be tried again, or has changed meanwhile, is no matter of the
-- others.
function commands.retry(session, ledger)
  local failure
  for _, key in ipairs(keys_of(session.arguments, ledger)) do
    local state, err = ledger:retry(key, { resubmit = session.arguments.resubmit or false })
    if state then
      session.out:emit("job", { key = key, state = state })
      session.out:say("%s  %s", key, state)
    elseif err.kind ~= "invalid" then
      return nil, err
    else
      if failure then
        session.out:warn("%s", failure.message)
      end
      failure = err
    end
  end
  if failure then
    return nil, failure
  end
  return codes.OK
end

function commands.adopt(session, ledger)
  local key = session.arguments.key
  local task_id = tasks.read(session.arguments).task_id
  local ok, err = ledger:adopt(key, task_id)
  if not ok then
    return nil, err
  end
  session.out:emit("job", { key = key, state = "submitted", task_id = task_id })
  session.out:say("%s  submitted  %s", key, task_id)
  return codes.OK
end

function commands.export(session, ledger)
  local arguments = session.arguments
  local count, why = gallery.write(ledger, arguments.file, arguments.title)
  if not count then
    return nil, fault.new("io", "%s", why)
  end
  session.out:emit("page", { path = arguments.file, jobs = count })
  session.out:say("%s", arguments.file)
  return codes.OK
end

-- Options of `run` that are named as those of the module.
local PLAIN = { "max_in_flight", "max_submits", "dry_run", "strict", "submit_rate", "query_rate",
  "account", "patience", "lease" }

-- All of them.
local REPEATED = table.move(PLAIN, 1, #PLAIN, 3, { "interval", "timeout" })

local function run_options(arguments)
  local options = { poll_interval = arguments.interval, wait_timeout = arguments.timeout }
  for _, name in ipairs(PLAIN) do
    options[name] = arguments[name]
  end
  return options
end

local function text_of(value)
  if type(value) == "table" then
    return string.format("%g/%g", value[1], value[2])
  end
  return math.type(value) == "float" and string.format("%g", value) or tostring(value)
end

-- The command that goes on as this one would: a spend guard among its options
-- must not get lost.
local function run_words(arguments)
  local words = { "batch", "run" }
  for _, name in ipairs(REPEATED) do
    local value = arguments[name]
    if value then
      words[#words + 1] = "--" .. name:gsub("_", "-")
      words[#words + 1] = value ~= true and text_of(value) or nil
    end
  end
  return words
end

-- The exit code of a run that came to its end.
local function code_of(counts, reason, err)
  if err then
    return codes.of(err)
  elseif (counts.unknown or 0) > 0 then
    return codes.of_kind "unknown"
  elseif (counts.failed or 0) > 0 then
    return codes.of_kind "failed"
  end
  return reason == "left" and codes.of_kind "io" or codes.OK
end

local function advise_on_unknown(session, counts)
  if (counts.unknown or 0) > 0 then
    session.out:note("%d unknown: their tasks may exist, and be paid. List them with\n  %s\n"
      .. "and settle each with 'minimax batch adopt' or 'retry'.", counts.unknown,
      command_of(session, { "batch", "status", "--state", "unknown" }))
  end
end

local function conclude(session, counts, reason, err)
  for _, lost in ipairs(counts.lost or {}) do
    session.out:warn("job %s has the paid task %s, which could not be written down", lost.key,
      lost.task_id)
  end
  if session.out.json then
    counts.reason = reason
  end
  tell_counts(session, counts)
  if counts.checked then
    session.out:say("%d checked, %d refused, %d doubtful", counts.checked, counts.refused,
      counts.doubtful)
  end
  session.out:note("ended: %s", reason)
  if err then
    session.out:fail(err)
  end
  advise_on_unknown(session, counts)
  return code_of(counts, reason, err)
end

function commands.run(session, ledger)
  local before, err = ledger:status()
  if not before then
    return nil, err
  end
  session:advise { "Nothing is lost. To go on:",
    "  " .. command_of(session, run_words(session.arguments)) }
  local counts, reason
  do
    local shown <close> = tally.start(session.out, before)
    local options = run_options(session.arguments)
    options.on_event = function(event)
      shown:on_event(event)
    end
    if not options.dry_run then
      console.hold() -- the run itself looks for signals, and comes to a good end
    end
    counts, reason, err = ledger:run(options)
    console.release()
  end
  session:advise(nil)
  if not counts then
    return nil, reason
  end
  return conclude(session, counts, reason, err)
end

--- Runs one of the commands.
-- @return an exit code; or nil and an error
function batch.run(session)
  local name = session.arguments.subcommand
  local client
  if name == "run" then
    local err
    client, err = session:client()
    if not client then
      return nil, err
    end
  end
  local where = where_of(session.arguments)
  if name ~= "add" then
    local there, none = check_there(where)
    if not there then
      return nil, none
    end
  end
  local ledger <close>, err = ledgers.open(where, client)
  if not ledger then
    return nil, err
  end
  return commands[name](session, ledger)
end

return batch
