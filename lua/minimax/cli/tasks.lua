--- Tasks as words of the command line, and the ways on from one: waiting and
-- downloading with their progress.

local codes = require "minimax.cli.codes"
local fault = require "minimax.cli.fault"
local figures = require "minimax.cli.figures"
local json = require "minimax.batch.json"
local progress = require "minimax.cli.progress"

local tasks = {}

-- A task that a script kept as JSON: ours, or a line of --json.
local function from_json(text)
  local object = json.decode(text)
  local task = object and (object.task or object.status) or object
  if type(task) ~= "table" or type(task.task_id) ~= "string" then
    fault.misuse("'%s' is no task", text)
  end
  return { task_id = task.task_id, kind = task.kind }
end

-- What no id looks like would end in a path of its own at the server.
local function check_id(text)
  if text:find("^%.*$") then
    fault.misuse("'%s' is no task", text)
  end
end

--- The task that the words name: an id, or JSON with one.
function tasks.read(arguments)
  local word = arguments.task
  local task = word:sub(1, 1) == "{" and from_json(word) or { task_id = word }
  check_id(task.task_id)
  task.kind = arguments.kind or task.kind
  return task
end

--- What the client takes for it: the id, with the kind as an option where it is
-- not told.
function tasks.subject(task)
  return task.kind and task or task.task_id
end

--- The words that go on with a task.
function tasks.words(task, arguments)
  local words = { "wait", task.task_id }
  if task.kind then
    table.move({ "--kind", task.kind }, 1, 2, #words + 1, words)
  end
  if arguments.output then
    table.move({ "-o", arguments.output }, 1, 2, #words + 1, words)
  end
  if arguments.overwrite == false then
    words[#words + 1] = "--no-overwrite"
  end
  return words
end

--- Says how to go on with a task, should this run stop here.
function tasks.keep(session, task)
  session:advise {
    "Task " .. task.task_id .. " goes on at the server. To go on here:",
    "  " .. session:command(tasks.words(task, session.arguments)),
  }
end

--- Waits for a task.
-- @return its status; or nil and an error
function tasks.wait(session, client, task)
  local shown <close> = progress.start(session.out, task.task_id)
  local arguments = session.arguments
  tasks.keep(session, task)
  local status, err = client:wait(tasks.subject(task), {
    timeout = arguments.timeout,
    on_status = function(status)
      shown:status(status)
    end,
  })
  if err and err.kind == "failed" then
    session:advise(nil) -- nothing is left to wait for
  end
  return status, err
end

-- The file, or standard output for "-".
local function destination_of(path)
  return path == "-" and io.stdout or path
end

--- Downloads a task's video, or what a URL leads to.
-- @param what a status, a task, an id or a URL
-- @param name of it, to be shown
-- @return info; or nil and an error
function tasks.download(session, client, what, name)
  local shown <close> = progress.start(session.out, name)
  local arguments = session.arguments
  return client:download(what, destination_of(arguments.output), {
    overwrite = arguments.overwrite,
    allow_private = arguments.allow_private,
    max_bytes = arguments.max_bytes,
    verify = arguments.verify,
    on_progress = function(received, total)
      shown:moved(received, total)
    end,
  })
end

--- Prints what a download did.
function tasks.tell_download(session, info)
  session.out:emit("file", info)
  if info.resumed_from then
    session.out:note("%s had arrived before", figures.size(info.resumed_from))
  end
  if info.path then
    session.out:say("%s", info.path)
  end
  session:advise(nil)
  return codes.OK
end

return tasks
