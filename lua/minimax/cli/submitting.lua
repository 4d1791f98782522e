--- The one moment of a render that must not be interrupted: from the request's
-- leaving to the word about what became of it. Ctrl-C waits for that.

local drive = require "minimax.batch.drive"
local progress = require "minimax.cli.progress"
local tasks = require "minimax.cli.tasks"

local submitting = {}

local NOTHING_SENT = { "Nothing was submitted." }

local MAYBE_SENT = {
  "The request was on its way: a task may have been created, and paid for.",
  "Look before you submit again: 'minimax list' shows tasks of 'minimax video2',",
  "the account's own page the others.",
}

-- Knows from the events whether the request has left, and shows how far it is.
local function watch(session, shown)
  session:advise(NOTHING_SENT)
  session:listen("submit", function(event)
    if event.stage ~= "submit" then
      return
    elseif event.type == "request" then
      session:advise(MAYBE_SENT)
    elseif event.type == "retry" or event.type == "rate_limit" then
      session:advise(NOTHING_SENT)
      shown:clear()
      session.out:note("%s: the next attempt comes in %.1f s", event.type, event.delay)
    elseif event.type == "progress" then
      shown:moved(event.bytes, event.total)
    end
  end)
end

-- The first Ctrl-C. The second one ends the process: the host's Lua sees to it.
local function heed_interrupt(session, client, shown)
  if session.advice == NOTHING_SENT then
    client:close()
  elseif session.advice == MAYBE_SENT then
    shown:clear()
    session.out:warn("Interrupted: waiting for the answer to the submit. Ctrl-C once more ends at "
      .. "once;\na task may exist then, and be paid for, whose id nobody knows.")
  end
end

local function tell(session, task, shown)
  tasks.keep(session, task)
  shown:hide()
  session.out:emit("task", { task_id = task.task_id, kind = task.kind, trace_id = task.trace_id })
  session.out:note("submitted: task %s (%s)", task.task_id, task.kind)
end

--- Submits, and tells of the task before anything can interrupt it.
-- @return the task; or nil and an error. It raises where it was interrupted, unless
--   the error has more to say
function submitting.run(session, client, kind, request)
  local shown <close> = progress.start(session.out, "submit")
  watch(session, shown)
  local task, err
  local ok, problem = pcall(drive.run, function()
    task, err = client:submit(request, { kind = kind, timeout = session.arguments.turn })
    session:listen("submit", nil)
    if task then
      tell(session, task, shown)
    elseif err.kind ~= "cancelled" then
      session:advise(nil) -- the error says itself what became of the request
    end
  end, function()
    heed_interrupt(session, client, shown)
  end)
  if not ok and (not err or err.kind == "cancelled") then
    error(problem, 0)
  end
  return task, err
end

return submitting
