--- `minimax callback-server`: receives callbacks and prints them.

local codes = require "minimax.cli.codes"
local fault = require "minimax.cli.fault"
local tasks = require "minimax.cli.tasks"

local callbacks = {}

local function tell(session, event)
  session.out:emit("event", event)
  session.out:say("%s  %s  %s", os.date("%H:%M:%S"), event.task_id, event.status)
end

-- What a push says may be forged; what a query says is so.
local function confirm(session, client, event)
  local kind = event.kind or session.arguments.kind
  local status, err = client:query(tasks.subject { task_id = event.task_id, kind = kind })
  if not status then
    return session.out:fail(err)
  end
  session.out:emit("status", status)
  session.out:say("%s  %s  %s, confirmed", os.date("%H:%M:%S"), status.task_id, status.status)
end

local function on_event(session, client)
  return function(event)
    tell(session, event)
    if session.arguments.confirm then
      confirm(session, client, event)
    end
  end
end

-- Serves until a signal comes, and returns it; or nil and why serving broke off.
local function serve(controller)
  local signal = require "cqueues.signal"
  local stopped
  controller:wrap(function()
    stopped = signal.listen(signal.SIGINT, signal.SIGTERM):wait()
  end)
  repeat
    local ok, problem = controller:step()
    if not ok then
      return nil, problem
    end
  until stopped
  return stopped
end

--- Serves until Ctrl-C, or until it is asked to end by SIGTERM.
-- @return the exit code; or nil and an error
function callbacks.run(session)
  local ready, cqueues = pcall(require, "cqueues")
  if not ready then
    return nil, fault.new("io", "callback-server needs cqueues: install the rock 'cqueues' "
      .. "(luarocks install cqueues) or Debian's package 'lua-cqueues'")
  end
  local arguments = session.arguments
  local client, err = session:client()
  if not client then
    return nil, err
  elseif arguments.path and arguments.path:sub(1, 1) ~= "/" then
    fault.misuse("--path must begin with a slash")
  end
  local signal = require "cqueues.signal"
  signal.block(signal.SIGINT, signal.SIGTERM)
  signal.ignore(signal.SIGPIPE)
  local controller = cqueues.new()
  local served, why = require "minimax.receiver".start { controller = controller, client = client,
    host = arguments.host, port = arguments.port, path = arguments.path,
    on_event = on_event(session, client),
    on_problem = function(problem) session.out:note("%s", problem) end }
  if not served then
    return nil, why
  end
  local address = string.format("http://%s:%d%s", arguments.host, served.port, served.path)
  session.out:emit("callback_url", address)
  session.out:say("callback_url: %s", address)
  session.out:note("Ctrl-C ends it.")
  local stopped, problem = serve(controller)
  served:close()
  if not stopped then
    return nil, fault.new("io", "%s", problem)
  elseif stopped == signal.SIGINT then
    session.out:warn("Interrupted.")
    return codes.INTERRUPTED
  end
  return codes.OK
end

return callbacks
