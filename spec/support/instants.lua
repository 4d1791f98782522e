--- Calls that are cancelled at each instant of their life, many times over.
--
--     local instants = require "spec.support.instants"
--     local places <close> = instants.places()
--     print(places:cancel { at = "connect", by = "close", rounds = 1000 })

local process = require "spec.support.process"
local native = require "spec.support.native"
local socket = require "socket"
local wire = require "spec.support.wire"

local instants = {}

-- When: in the name lookup, the connect, the TLS handshake, while the answer is
-- awaited, in its body, in the sleep before the next attempt.
instants.when = { "lookup", "connect", "handshake", "headers", "body", "backoff" }

-- How: its coroutine or its client is closed, it is aborted, dropped and
-- collected, or the whole Lua state is closed.
instants.how = { "close", "client", "abort", "collect", "state" }

local SERVE = [==[
local connection = ...
while true do
  local request = connection:read_request()
  if not request then
    return
  elseif request.path:find("backoff", 1, true) then
    connection:reply(503, {}, "<html>no</html>")
  elseif request.path:find("body", 1, true) then
    connection:send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
      .. "\0\0\0\16ftypisom\0\0\0\0")
    return connection:hang()
  else
    return connection:hang()
  end
end
]==]

-- Begins a call and brings it to that instant; it runs in the child, there also
-- in states of their own.
local REACH = [==[
local host = require "spec.support.host"
local minimax = require "minimax"
local QUIET = 0.003 -- seconds without any work: it waits for the other side

function new_client(places, at)
  local url = places[at] or places.plain
  return minimax.new { base_url = url, api_key = "sk-spec", poll_interval = 60,
    on_event = function(event)
      failed = failed or event.type == "retry"
    end }
end

function reach(client, at, places)
  local arrived, co = false, nil
  failed = false
  if at == "body" then
    co = coroutine.create(client.download)
    assert(coroutine.resume(co, client, places.plain .. "/body", function()
      arrived = true
    end))
  else
    co = coroutine.create(client.wait)
    assert(coroutine.resume(co, client, at))
  end
  repeat
    host.settle(QUIET)
    if at == "body" then
      assert(coroutine.resume(co))
    end
    assert(coroutine.status(co) == "suspended")
  until (at ~= "body" or arrived) and (at ~= "backoff" or failed)
  return co
end
]==]

local CANCEL = [==[
local ways = {}

function ways.close(call)
  assert(coroutine.close(call.co))
end

function ways.client(call)
  call.client:close()
end

function ways.abort(call, at)
  if at == "body" then -- a bare link is no task
    return ways.close(call)
  end
  assert(call.client:abort(at) == 1)
end

function ways.collect(call)
  call.co = nil
  collectgarbage()
  collectgarbage()
end

local fds = require "spec.support.fds"

local function round(at, by, places)
  if by == "state" then
    return posix.close_state(STATE, at, places.plain, places[at] or places.plain)
  end
  local call = { client = new_client(places, at) }
  call.co = reach(call.client, at, places)
  local began = posix.now()
  ways[by](call, at)
  local seconds = posix.now() - began
  call.client:close()
  return seconds
end

local function memory()
  for line in io.lines "/proc/self/status" do
    local kib = line:match "^VmRSS:%s*(%d+)"
    if kib then
      return tonumber(kib)
    end
  end
end

local lfs = require "lfs"

local function threads()
  local count = -3 -- for ".", ".." and the program itself
  for _ in lfs.dir "/proc/self/task" do
    count = count + 1
  end
  return count
end

local longest, most, before, kib = 0, 0, nil, nil
for i = 1, ROUNDS do
  if i == 1 + ROUNDS // 10 then
    collectgarbage()
    before, kib = fds.list(), memory()
  end
  longest = math.max(longest, round(AT, BY, PLACES))
  most = math.max(most, threads())
end
while threads() > 0 do -- they are not ours to end
  host.settle(0.01)
end
host.settle(0.01) -- what watched the last of them is closed in a turn
collectgarbage()
collectgarbage()
print(longest, #fds.since(before), memory() - kib, most)
]==]

local Places = {}
Places.__index = Places
Places.__name = "instants.places"

--- Opens what the calls go to.
function instants.places()
  local server = wire.start { serve = SERVE }
  -- A listener whose queue is full answers nothing any more.
  local silent = assert(socket.tcp4())
  assert(silent:bind("127.0.0.9", server.port))
  assert(silent:listen(0))
  local fillers = {}
  for i = 1, 4 do
    fillers[i] = assert(socket.tcp4())
    fillers[i]:settimeout(0)
    fillers[i]:connect("127.0.0.9", server.port)
  end
  return setmetatable({ server = server, silent = silent, fillers = fillers }, Places)
end

local function url(scheme, host, port)
  return ("%s://%s:%d"):format(scheme, host, port)
end

--- Cancels a call many times, in a child process.
-- @param case `at` one of `when`, `by` one of `how`, `rounds`; `lookup`: how
--   many milliseconds a name lookup takes (3000); `under`: words that run the
--   interpreter
-- @return a table: `longest` seconds that one cancel took, `descriptors` left,
--   `kib` by which the process has grown since its first tenth, `threads` that
--   there were at most besides the program's own
function Places:cancel(case)
  local port = self.server.port
  local lines = ("local AT, BY, ROUNDS = %q, %q, %d\n"):format(case.at, case.by, case.rounds)
    .. ("local PLACES = { lookup = %q, connect = %q, handshake = %q, plain = %q }\n"):format(
      url("http", "slow.test", port), url("http", "127.0.0.9", port),
      url("https", "127.0.0.1", port), url("http", "127.0.0.1", port))
  local state = REACH .. [[
    local at, plain, special = ...
    local places = { plain = plain, [at] = special }
    client = new_client(places, at)
    call = reach(client, at, places)
  ]]
  local result = process.run {
    script = native.import "posix" .. REACH .. lines .. ("local STATE = %q\n"):format(state)
      .. CANCEL,
    env = { LD_PRELOAD = native.library "resolver", RESOLVER = "slow.test=127.0.0.1",
      RESOLVER_DELAY = tostring(case.lookup or 3000) },
    under = case.under,
    timeout = 60 + 4 * case.rounds,
  }
  if result.code ~= 0 or result.err ~= "" then
    error(("%s at %s: signal %s, %s"):format(case.by, case.at, result.signal, result.err), 2)
  end
  local longest, descriptors, kib, threads = result.out:match("^(%S+)\t(%S+)\t(%S+)\t(%S+)\n$")
  return { longest = tonumber(longest), descriptors = tonumber(descriptors), kib = tonumber(kib),
    threads = tonumber(threads) }
end

function Places:close()
  self.silent:close()
  for _, filler in ipairs(self.fillers) do
    filler:close()
  end
  self.server:stop()
end

Places.__close = Places.close

return instants
