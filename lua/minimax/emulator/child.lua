--- The emulator's process: reads orders from its standard input, a line of JSON
-- each, and answers each with a line on its standard output. It ends when the
-- input does: that is when its parent has ended, however that came.

local cqueues = require "cqueues"
local signal = require "cqueues.signal"
local control = require "minimax.emulator.control"
local json = require "minimax.emulator.json"
local service = require "minimax.emulator.service"

local child = {}

local function answer(object)
  io.stdout:write(json.encode(object), "\n")
  io.stdout:flush()
end

-- One order at a time: the parent waits for each answer, so that nothing can
-- lie unseen in the buffer of standard input.
local function take_orders(account)
  while true do
    cqueues.poll { pollfd = 0, events = "r" }
    local line = io.stdin:read("l")
    local order = line and json.decode(line)
    if not order or order.order == "stop" then
      account:exit(0)
    end
    answer(control.obey(account, order))
  end
end

-- A second watch for Linux: another child of our parent may have inherited the
-- writing end of our input, and would keep it open.
local function parent_of_self()
  local file = io.open("/proc/self/stat")
  if file then
    local parent = file:read("a"):match("^.*%) %S (%d+)")
    file:close()
    return parent
  end
end

local function watch_parent(account, parent)
  while parent do
    cqueues.sleep(1)
    if parent_of_self() ~= parent then
      account:exit(0)
    end
  end
end

--- Serves until the parent ends.
function child.run()
  -- Ctrl-C at a terminal reaches the whole group. The parent's script may still
  -- want to clean up with our help.
  signal.ignore(signal.SIGINT)
  signal.ignore(signal.SIGPIPE)
  -- Asked while the parent waits for us: later it may have died already.
  local parent = parent_of_self()
  local options = json.decode(io.stdin:read("l") or "null")
  if not options then
    return
  end
  local controller = cqueues.new()
  local account, why = service.start(controller, options)
  if not account then
    answer { error = why }
    return
  end
  local addresses = service.addresses(account)
  addresses.env = service.environment(account)
  answer(addresses)
  controller:wrap(take_orders, account)
  controller:wrap(watch_parent, account, parent)
  for problem in controller:errors() do
    io.stderr:write("minimax.emulator: ", tostring(problem), "\n")
  end
end

return child
