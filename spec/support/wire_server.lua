--- The child process behind `wire.lua`: accepts connections and plays the
-- spec's script on each. It reads orders from its standard input and ends with
-- it, so with its parent. The folder in its first argument holds the script
-- (`config`) and takes the reports (`log`).

local cqueues = require "cqueues"
local condition = require "cqueues.condition"
local cqueues_socket = require "cqueues.socket"

local Connection = require "spec.support.connection"
local certificates = require "spec.support.certificates"
local dump = require "spec.support.dump"

local folder = arg[1]
local config = assert(dofile(folder .. "/config"))

local controller = cqueues.new()
local changed = condition.new()
local counts = {}
local told = {}
local log = assert(io.open(folder .. "/log", "ab"))

-- A report is on disk before the script goes on: so a client that has its
-- answer finds its request reported.
local function report(entry)
  log:write("return ", dump(entry), "\n")
  log:flush()
  counts[entry.type] = (counts[entry.type] or 0) + 1
  changed:signal()
end

local function await_word(word)
  while not told[word] do
    changed:wait()
  end
end

local authority = config.tls and certificates.authority()
local contexts = {}

local function context(kind)
  contexts[kind] = contexts[kind] or certificates.context(authority, kind)
  return contexts[kind]
end

local server = { report = report, await_word = await_word, context = context,
  keep_bodies = config.keep_bodies, folder = folder }

-- Each step's words after its name are the arguments of the method.
local function play_steps(connection, steps)
  local at = 1
  while steps[at] do
    local step = steps[at]
    at = at + 1
    if step[1] == "again" then
      at = 1
    elseif connection[step[1]](connection, table.unpack(step, 2)) == nil
      and step[1]:find("^read") then
      return
    end
  end
end

local function steps_of(number)
  if type(config.steps[1][1]) == "string" then
    return config.steps
  end
  return config.steps[math.min(number, #config.steps)]
end

local shared = {}
local serve = config.serve and assert(load(config.serve, "=serve", "t"))

local function play(connection)
  if config.tls and config.tls ~= "later" and not connection:starttls(config.tls) then
    return
  elseif serve then
    serve(connection, shared)
  else
    play_steps(connection, steps_of(connection.number))
  end
end

local function handle(socket, number)
  report { type = "connection", number = number, time = cqueues.monotime() }
  local connection = Connection.new(socket, number, server)
  local ok, err = xpcall(play, debug.traceback, connection)
  if not ok then
    report { type = "mistake", message = tostring(err) }
  end
  socket:close()
  report { type = "end", number = number, time = cqueues.monotime() }
end

local function accept_all(listener)
  local number = 0
  while true do
    local socket = listener:accept { nodelay = true } -- or an end comes before what was said last
    if socket then
      number = number + 1
      local this = number
      controller:wrap(function()
        handle(socket, this)
      end)
    end
  end
end

local orders = {}

function orders.tell(word)
  told[word] = true
  changed:signal()
end

function orders.await(words)
  local kind, count, seconds = words:match("^(%S+) (%d+) (%S+)$")
  local deadline = cqueues.monotime() + tonumber(seconds)
  while (counts[kind] or 0) < tonumber(count) and cqueues.monotime() < deadline do
    changed:wait(deadline - cqueues.monotime())
  end
  io.write((counts[kind] or 0) >= tonumber(count) and "yes\n" or "no\n")
end

function orders.stop()
  os.exit(0)
end

local function obey()
  while true do
    cqueues.poll { pollfd = 0, events = "r" }
    local order, words = (io.read("l") or "stop"):match("^(%S+) ?(.*)$")
    controller:wrap(function()
      orders[order](words)
    end)
  end
end

io.stdin:setvbuf("no")
io.stdout:setvbuf("line")
if authority then
  local file = assert(io.open(folder .. "/ca.pem", "wb"))
  file:write(authority.pem)
  file:close()
end
-- A port that was asked for may be held by the spec.
local listener = assert(cqueues_socket.listen { host = config.host, port = config.port,
  reuseport = config.port ~= 0 })
assert(listener:listen())
controller:wrap(obey)
if config.accept ~= false then
  controller:wrap(accept_all, listener)
end
print((select(3, listener:localname())))
assert(controller:loop())
