--- The one moment of a render that no signal may end: from the request's leaving
-- to the word about what became of it. Ctrl-C waits for that.

local console = require "minimax.console"
local progress = require "minimax.cli.progress"
local tasks = require "minimax.cli.tasks"

local interrupt = {}

local NOTHING_SENT = { "Nothing was submitted." }

local MAYBE_SENT = {
  "The request was on its way: a task may have been created, and paid for.",
  "Look before you submit again: 'minimax list' shows tasks of 'minimax video2',",
  "the account's own page the others.",
}

local WAITING = "Interrupted: waiting for the answer to the submit. Ctrl-C once more ends at "
  .. "once;\na task may exist then, and be paid for, whose id nobody knows.\n"

-- Knows from the events whether the request has left, and shows how far it is.
local function watch(session, shown)
  session:advise(NOTHING_SENT)
  session:listen("submit", function(event)
    if event.stage ~= "submit" then
      return
    elseif event.type == "request" then -- it leaves right after this
      console.hold(WAITING)
      session:advise(MAYBE_SENT)
    elseif event.type == "retry" or event.type == "rate_limit" then
      session:advise(NOTHING_SENT)
      console.release()
      shown.line:clear()
      session.out:note("%s: the next attempt comes in %.1f s", event.type, event.delay)
    elseif event.type == "progress" then
      shown:moved(event.bytes, event.total)
    end
  end)
end

local function tell(session, task, shown)
  tasks.keep(session, task, "goes on at the server")
  shown.line:hide()
  session.out:emit("task", { task_id = task.task_id, kind = task.kind, trace_id = task.trace_id })
  session.out:note("submitted: task %s (%s)", task.task_id, task.kind)
end

--- Submits, and tells of the task before anything can interrupt it.
-- @return the task; or nil and an error, which says itself what became of the
--   request: until it is printed, nothing interrupts either
function interrupt.run(session, client, kind, request)
  local shown <close> = progress.start(session.out, "submit")
  watch(session, shown)
  local task, err = client:submit(request, { kind = kind, timeout = session.arguments.turn })
  session:listen("submit", nil)
  if task then
    tell(session, task, shown)
    console.release()
  else
    console.hold()
    session:advise(nil)
  end
  return task, err
end

return interrupt
