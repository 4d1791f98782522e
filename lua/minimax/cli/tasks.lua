--- Tasks as words of the command line, and the ways on from one: waiting and
-- downloading with their progress.

local codes = require "minimax.cli.codes"
local fault = require "minimax.cli.fault"
local figures = require "minimax.cli.figures"
local json = require "minimax.common.json"
local kinds = require "minimax.common.kinds"
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
-- @param what becomes of it meanwhile: it "goes on at the server", or "has succeeded"
function tasks.keep(session, task, what)
  session:advise {
    "Task " .. task.task_id .. " " .. what .. ". To go on here:",
    "  " .. session:command(tasks.words(task, session.arguments)),
  }
end

-- The server's own word that it knows no such task.
local function is_unknown(err)
  return err.kind == "invalid" and (err.code or err.http_status)
end

local function find_kind(client, id)
  for _, kind in ipairs(kinds) do
    if client:query(id, { kind = kind }) then
      return kind
    end
  end
end

--- Does something with a task. Where its kind was not told, and the first one is
-- wrong, the server is asked for the others.
-- @param work called with what the client takes for the task, once or twice
-- @return what it returns
function tasks.try(session, client, task, work)
  local result, err = work(tasks.subject(task))
  if result or task.kind or not is_unknown(err) then
    return result, err
  end
  local kind = find_kind(client, task.task_id)
  if not kind then
    return nil, err
  end
  session.out:note("%s is a task of --kind %s", task.task_id, kind)
  task.kind = kind
  return work(task)
end

local GOING_ON = { queued = true, running = true }

local function keep_as(session, task, status)
  if GOING_ON[status.state] then
    tasks.keep(session, task, "goes on at the server")
  elseif status.state == "succeeded" then
    tasks.keep(session, task, "has succeeded")
  else
    session:advise(nil)
  end
end

--- Waits for a task. How to go on with it is said from the moment on at which it is
-- known to be there.
-- @return its status; or nil and an error
function tasks.wait(session, client, task)
  local shown <close> = progress.start(session.out, task.task_id)
  local status, err = tasks.try(session, client, task, function(subject)
    return client:wait(subject, {
      timeout = session.arguments.timeout,
      on_status = function(status)
        keep_as(session, task, status)
        shown:status(status)
      end,
    })
  end)
  if err and (err.kind == "failed" or is_unknown(err)) then
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
-- @param on_arrival called when the first bytes have come (optional)
-- @return info; or nil and an error
function tasks.download(session, client, what, name, on_arrival)
  local shown <close> = progress.start(session.out, name)
  local arguments = session.arguments
  return client:download(what, destination_of(arguments.output), {
    overwrite = arguments.overwrite,
    allow_private = arguments.allow_private,
    max_bytes = arguments.max_bytes,
    verify = arguments.verify,
    on_progress = function(received, total)
      if on_arrival then
        on_arrival()
        on_arrival = nil
      end
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
