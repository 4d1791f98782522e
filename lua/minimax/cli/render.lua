--- `minimax template`, `video` and `video2`: submit, and on request wait and
-- download.

local codes = require "minimax.cli.codes"
local fault = require "minimax.cli.fault"
local output = require "minimax.cli.output"
local progress = require "minimax.cli.progress"
local requests = require "minimax.cli.requests"
local tasks = require "minimax.cli.tasks"

local render = {}

local NOTHING_SENT = { "Nothing was submitted." }

local MAYBE_SENT = {
  "The request was on its way: a task may have been created, and paid for.",
  "Look before you submit again: 'minimax list' shows tasks of 'minimax video2',",
  "the account's own page the others.",
}

-- Knows from the events whether the request has left, and shows how far it is.
local function watch_submit(session, shown)
  session:advise(NOTHING_SENT)
  session:listen("submit", function(event)
    if event.stage ~= "submit" then
      return
    elseif event.type == "request" then
      session:advise(MAYBE_SENT)
    elseif event.type == "retry" or event.type == "rate_limit" then
      session:advise(NOTHING_SENT)
      session.out:note("%s: the next attempt comes in %.1f s", event.type, event.delay)
    elseif event.type == "progress" then
      shown:moved(event.bytes, event.total)
    end
  end)
end

local function submit(session, client, kind, request)
  local shown <close> = progress.start(session.out, "submit")
  watch_submit(session, shown)
  local task, err = client:submit(request, { kind = kind, timeout = session.arguments.turn })
  session:listen("submit", nil)
  -- The error says itself what became of the request.
  session:advise(nil)
  return task, err
end

local function show_dry_run(session, client, kind, request)
  local order, err = client:submit(request, { kind = kind, dry_run = true })
  if not order then
    return nil, err
  end
  session.out:emit("dry_run", order)
  session.out:say("%s %s  (%d bytes)", order.method, order.url, order.bytes)
  session.out:say("%s", output.text(order.body))
  return codes.OK
end

local function tell_submitted(session, task)
  session.out:emit("task", { task_id = task.task_id, kind = task.kind, trace_id = task.trace_id })
  session.out:note("submitted: task %s (%s)", task.task_id, task.kind)
end

-- Where nothing else is wanted, the id is the result.
local function leave(session, task)
  session.out:say("%s", task.task_id)
  session.out:note("wait for it and fetch the video with:\n  %s", session:command {
    "wait", task.task_id, "--kind", task.kind, "-o", "video.mp4" })
  return codes.OK
end

local function finish(session, client, task)
  local status, err = tasks.wait(session, client, task)
  if not status then
    return nil, err
  end
  session.out:emit("status", status)
  if not session.arguments.output then
    session.out:say("%s", status.url or status.file_id or status.status)
    session:advise(nil)
    return codes.OK
  end
  local info
  info, err = tasks.download(session, client, status, session.arguments.output)
  if not info then
    return nil, err
  end
  return tasks.tell_download(session, info)
end

-- A path that can't be written must not cost a render.
local function check_destination(client, kind, request, arguments)
  if not arguments.output or arguments.output == "-" then
    return true
  end
  return client:generate(request, arguments.output,
    { kind = kind, dry_run = true, overwrite = arguments.overwrite })
end

--- Runs one of the three commands.
-- @param session
-- @param kind "template", "video" or "video2"
-- @return an exit code; or nil and an error
function render.run(session, kind)
  local arguments = session.arguments
  if arguments.output == "-" and arguments.json then
    fault.misuse("--json and -o - would both write to standard output")
  end
  local request = requests[kind](arguments)
  local client, err = session:client()
  if not client then
    return nil, err
  elseif arguments.dry_run then
    return show_dry_run(session, client, kind, request)
  end
  local fits
  fits, err = check_destination(client, kind, request, arguments)
  if not fits then
    return nil, err
  end
  local task
  task, err = submit(session, client, kind, request)
  if not task then
    return nil, err
  end
  tasks.keep(session, task)
  tell_submitted(session, task)
  if not arguments.output and not arguments.wait then
    session:advise(nil)
    return leave(session, task)
  end
  return finish(session, client, task)
end

return render
