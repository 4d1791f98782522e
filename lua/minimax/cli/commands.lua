--- The commands that ask one thing of the API.

local codes = require "minimax.cli.codes"
local columns = require "minimax.cli.columns"
local fault = require "minimax.cli.fault"
local json = require "minimax.common.json"
local progress = require "minimax.cli.progress"
local tasks = require "minimax.cli.tasks"

local commands = {}

local function show(session, name, object)
  session.out:emit(name, object)
  session.out:say_rows(columns.fields(object))
  return codes.OK
end

--- The state of a task, now.
function commands.query(session, client)
  local status, err = tasks.try(session, client, tasks.read(session.arguments), function(subject)
    return client:query(subject)
  end)
  return status and show(session, "status", status), err
end

--- Waits for a task, and downloads its video with -o.
function commands.wait(session, client)
  local arguments = session.arguments
  local status, err = tasks.wait(session, client, tasks.read(arguments))
  if not status then
    return nil, err
  elseif not arguments.output then
    session:advise(nil)
    return show(session, "status", status)
  end
  session.out:emit("status", status)
  local info
  info, err = tasks.download(session, client, status, arguments.output)
  return info and tasks.tell_download(session, info), err
end

-- A task, or else what to download, and what to call it.
local function what_of(arguments)
  local word = arguments.task
  if not word and not arguments.file_id then
    fault.misuse("what is to be downloaded? A task, a URL or --file-id")
  elseif not word then
    return nil, { file_id = arguments.file_id }, arguments.file_id
  elseif word:find("^https?://") then
    return nil, word, (word:gsub("[?#].*", ""))
  end
  local task = tasks.read(arguments)
  return task, nil, task.task_id
end

--- Downloads the video of a task that has succeeded, a file or a link.
function commands.download(session, client)
  local arguments = session.arguments
  local task, what, name = what_of(arguments)
  if not arguments.output then
    arguments.output = name:gsub("^.*/", ""):gsub("%.mp4$", "") .. ".mp4"
  end
  local function fetch(subject)
    return tasks.download(session, client, subject, name, arguments.output ~= "-" and function()
      session:advise { "What has arrived is kept; the same command goes on from there." }
    end)
  end
  local info, err
  if task then
    info, err = tasks.try(session, client, task, fetch)
  else
    info, err = fetch(what)
  end
  if err and err.kind ~= "network" and err.kind ~= "timeout" then
    session:advise(nil)
  end
  return info and tasks.tell_download(session, info), err
end

--- Cancels a v2 task that is still queued.
function commands.cancel(session, client)
  local task = tasks.read(session.arguments)
  local status, err = client:cancel(tasks.subject(task))
  return status and show(session, "status", status), err
end

local function time_text(seconds)
  return seconds and os.date("%Y-%m-%d %H:%M", seconds) or "-"
end

--- Lists the v2 tasks of the last seven days.
function commands.list(session, client)
  local arguments = session.arguments
  local page, err = client:list {
    page_num = arguments.page, page_size = arguments.page_size, status = arguments.status,
    model = arguments.model, task_type = arguments.task_type,
    task_ids = arguments.task_id[1] and arguments.task_id or nil,
  }
  if not page then
    return nil, err
  end
  local items = table.move(page.items, 1, #page.items, 1, setmetatable({}, json.list))
  session.out:emit("page", { items = items, total = page.total })
  local rows = {}
  for index, status in ipairs(page.items) do
    rows[index] = { status.task_id, status.status, time_text(status.created_at),
      status.model or "-" }
  end
  session.out:say_rows(rows)
  session.out:note("%s of %s tasks", #page.items, page.total)
  return codes.OK
end

--- Stores a file for seven days.
function commands.upload(session, client)
  local arguments = session.arguments
  local file, err
  do
    local shown <close> = progress.start(session.out, arguments.file)
    session:listen("upload", function(event)
      if event.type == "progress" then
        shown:moved(event.bytes, event.total)
      end
    end)
    file, err = client:upload(arguments.file, arguments.purpose)
  end
  if not file then
    return nil, err
  end
  session.out:emit("file", file)
  session.out:say("%s", file.file_id)
  session.out:note("use it as mm_file://%s", file.file_id)
  return codes.OK
end

return commands
