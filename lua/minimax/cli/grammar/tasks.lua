--- The words of the commands that follow a task or a file.

local values = require "minimax.cli.grammar.values"

local tasks = {}

local KIND = "template, or video for ids that begin with video_"

local function add_task(command)
  return command:argument("task", "The task's id, or a task as JSON.")
end

local function add_query(parser)
  local command = values.command(parser, "query", "Show the state of a task.", [[
Example:
  minimax query 401047179385389059 --json]])
  add_task(command)
  values.add_kind(command, KIND)
end

local function add_wait(parser)
  local command = values.command(parser, "wait", "Wait for a task; with -o, download its video.", [[
It outlives outages of the network and of the server; Ctrl-C leaves the task
alone and prints the command that goes on.

Example:
  minimax wait 401047179385389059 -o lion.mp4]])
  add_task(command)
  values.add_kind(command, KIND)
  values.add_wait(command)
  values.add_download(command)
end

local function add_download(parser)
  local command = values.command(parser, "download", "Download a finished task's video.", [[
What was cut off goes on where it stopped. Under the final name there is never
anything but a whole video.

Examples:
  minimax download 401047179385389059 -o lion.mp4
  minimax download --file-id 205258526306433 -o cat.mp4
  minimax download 401047179385389059 -o - | ffplay -]])
  command:argument("task", "The task's id, a task as JSON, or a URL."):args "?"
  command:option("--file-id", "A stored file instead of a task."):argname "ID"
  values.add_kind(command, KIND)
  values.add_download(command)
end

local function add_cancel(parser)
  local command = values.command(parser, "cancel", "Cancel a queued H3 task.", [[
Only tasks of 'minimax video2' that have not begun can be cancelled.

Example:
  minimax cancel 424010985738629]])
  add_task(command)
  values.add_kind(command, "video2")
end

local function add_list(parser)
  local command = values.command(parser, "list", "List the H3 tasks of the last seven days.", [[
Example:
  minimax list --status running]])
  command:option("--page", "Which page, from 1."):argname "NUMBER":convert(values.natural)
  command:option("--page-size", "How many on a page."):argname "NUMBER":convert(values.natural)
  command:option("--status", "Only tasks in that state.")
    :choices { "queued", "running", "succeeded", "failed", "cancelled" }
  command:option("--model", "Only tasks of that model.")
  command:option("--task-type", "Only tasks of that type.")
    :choices { "generation", "h3_context_ir", "regeneration" }
  command:option("--task-id", "Only that task; may be repeated."):argname "ID":count "*"
end

local function add_upload(parser)
  local command = values.command(parser, "upload", "Store a file for seven days.", [[
Prints the file's id; H3 requests name it as mm_file://ID.

Example:
  minimax upload song.mp3]])
  command:argument("file", "A local path.")
  command:option("--purpose", "What it is for (video_generation_input)."):argname "WORD"
end

--- Adds the commands.
function tasks.add(parser)
  add_query(parser)
  add_wait(parser)
  add_download(parser)
  add_cancel(parser)
  add_list(parser)
  add_upload(parser)
end

return tasks
