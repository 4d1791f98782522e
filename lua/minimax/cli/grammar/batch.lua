--- The words of `minimax batch`.

local states = require "minimax.common.states"
local values = require "minimax.cli.grammar.values"

local batch = {}

local function add(parser, name, summary, epilog)
  local command = values.command(parser, name, summary, epilog)
  command:option("--ledger", "Where the jobs are kept: a file, or a postgresql:// address "
    .. "(MINIMAX_LEDGER, minimax.db)."):argname "WHERE"
  return command
end

local function add_add(parser)
  local command = add(parser, "add", "Add jobs from a file of JSON Lines.", [[
Each line is an object with a key of your own and a request, and perhaps an
output and a kind. A media value that begins with @ is a local path. One bad
line keeps all of them out. Adding the same job once more changes nothing.

Example, with this line in jobs.jsonl:
  {"key": "rex", "output": "rex.mp4", "request": {"template_id":
   "393769180141805569", "media_inputs": ["@rex.jpg"], "text_inputs": ["Lion"]}}

  minimax batch add jobs.jsonl]])
  command:argument("file", "The file; - is standard input.")
  command:flag("--keep-going", "Add the good lines where others are bad.")
end

local function add_run(parser)
  local command = add(parser, "run", "Submit, wait and download until all is done.", [[
What an earlier run left goes on where it was: nothing is submitted or fetched
twice. A job whose submit may have arrived is unknown, and stays so until
'retry' or 'adopt' settles it.

Examples:
  minimax batch run --dry-run
  minimax batch run --max-submits 500 --submit-rate 5/60]])
  command:option("--max-in-flight", "Jobs at a time (20)."):argname "NUMBER"
    :convert(values.natural)
  command:option("--max-submits", "A spend guard: submit nothing if more jobs wait than that.")
    :argname "NUMBER":convert(values.whole)
  command:flag("--dry-run", "Check every job, and pay nothing.")
  command:flag("--strict", "Refuse what the lists of templates and models do not know.")
  command:option("--submit-rate", "Submits of all workers together."):argname "COUNT/SECONDS"
    :convert(values.rate)
  command:option("--query-rate", "Other requests, too."):argname "COUNT/SECONDS"
    :convert(values.rate)
  command:option("--account", "A name for the key, where several share a ledger."):argname "NAME"
  command:option("--patience", "How long to go on without any answer (3600)."):argname "SECONDS"
    :convert(values.positive)
  command:option("--lease", "When others take over from a dead worker (60)."):argname "SECONDS"
    :convert(values.positive)
  command:option("--timeout", "How long to wait for one task (7200)."):argname "SECONDS"
    :convert(values.positive)
  command:option("--interval", "From one question to the next (10)."):argname "SECONDS"
    :convert(values.positive)
end

local function add_status(parser)
  local command = add(parser, "status", "Count the jobs, or list those in a state.", [[
Examples:
  minimax batch status
  minimax batch status --state unknown]])
  command:option("--state", "List the jobs in that state."):choices(states)
  command:flag("--all", "List all jobs.")
end

local function add_retry(parser)
  local command = add(parser, "retry", "Let failed or unknown jobs be tried again.", [[
A task that is paid for is not paid again, unless with --resubmit. An unknown
job is submitted again: look first whether its task exists, and adopt it then.

Examples:
  minimax batch retry rex
  minimax batch retry --state failed]])
  command:argument("key", "The jobs' keys."):args "*"
  command:option("--state", "All jobs in that state."):choices { "failed", "unknown" }
  command:flag("--resubmit", "Pay for a new task in any case.")
end

local function add_adopt(parser)
  local command = add(parser, "adopt", "Settle an unknown job: this is its task.", [[
Example:
  minimax batch adopt rex 401047179385389059]])
  command:argument("key", "The job's key.")
  command:argument("task", "The task's id.")
end

local function add_export(parser)
  local command = add(parser, "export", "Write a page with all videos.", [[
One file of HTML without scripts, that works offline as long as the videos stay
where they are.

Example:
  minimax batch export gallery.html]])
  command:argument("file", "The page.")
  command:option("--title", "Its title.", "MiniMax videos")
end

--- Adds the command.
function batch.add(parser)
  local command = values.command(parser, "batch", "Many tasks, and no crash loses one.", [[
The jobs are kept in a ledger: a file (SQLite), or PostgreSQL for many machines
at once. An address with a password belongs into MINIMAX_LEDGER, not into an
argument.

Example:
  minimax batch add jobs.jsonl && minimax batch run && \
    minimax batch export gallery.html]])
  command:command_target "subcommand"
  add_add(command)
  add_run(command)
  add_status(command)
  add_retry(command)
  add_adopt(command)
  add_export(command)
end

return batch
