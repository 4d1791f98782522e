--- `minimax template`, `video` and `video2`: submit, and on request wait and
-- download.

local codes = require "minimax.cli.codes"
local fault = require "minimax.cli.fault"
local output = require "minimax.cli.output"
local requests = require "minimax.cli.requests"
local interrupt = require "minimax.cli.interrupt"
local tasks = require "minimax.cli.tasks"
local warnings = require "minimax.common.warnings"

local render = {}

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

-- Where nothing else is wanted, the id is the result.
local function leave(session, task)
  session.out:say("%s", task.task_id)
  session:advise(nil)
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

-- The options that stand for members of a request.
local OPTIONS = { media_inputs = "-m", text_inputs = "-t",
  ["content needs an item of type text"] = "a --prompt is needed" }

local function in_words_of_ours(warning)
  for name, option in pairs(OPTIONS) do
    warning = warning:gsub(name, option)
  end
  return warning
end

-- Says what the lists of templates and models do not know.
-- @return true; or nil and an error where that must not be
local function check_warnings(session, kind, request)
  local found = warnings.of(kind, request)
  for index, warning in ipairs(found) do
    found[index] = in_words_of_ours(warning)
  end
  if found[1] and session.arguments.strict then
    return nil, fault.new("invalid", "%s (--strict)", table.concat(found, "; "))
  end
  for _, warning in ipairs(found) do
    session.out:emit("warning", { message = warning })
    session.out:note("warning: %s", warning)
  end
  return true
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
  end
  local fits
  fits, err = check_warnings(session, kind, request)
  if not fits then
    return nil, err
  elseif arguments.dry_run then
    return show_dry_run(session, client, kind, request)
  end
  fits, err = check_destination(client, kind, request, arguments)
  if not fits then
    return nil, err
  end
  local task
  task, err = interrupt.run(session, client, kind, request)
  if not task then
    return nil, err
  elseif not arguments.output and not arguments.wait then
    return leave(session, task)
  end
  return finish(session, client, task)
end

return render
