--- Faults on the wire: what becomes of a connection instead of, or in the midst
-- of, an answer.

local cqueues = require "cqueues"
local take_connection = require "minimax.emulator.take_connection"
local server = require "minimax.emulator.server"

local connection_faults = {}

local LONGEST_HANG = 3600

-- cqueues has no SO_LINGER. Both of these can set it on a descriptor.
local function set_linger(taken)
  local luasocket = require "socket"
  local borrowed = luasocket.tcp4()
  local own = borrowed:getfd()
  borrowed:setfd(taken:pollfd())
  borrowed:setoption("linger", { on = true, timeout = 0 })
  borrowed:setfd(own)
  borrowed:close()
end

--- Ends the connection with a RST.
function connection_faults.reset(stream)
  local taken = take_connection(stream)
  if taken then
    set_linger(taken)
    taken:close()
  end
end

--- Ends the connection as if all had been said.
function connection_faults.close(stream)
  local taken = take_connection(stream)
  if taken then
    taken:close()
  end
end

local function is_left(stream)
  local open = stream.connection.socket
  if not open or stream.state == "closed" then
    return true
  elseif stream.connection.version ~= 2 then
    -- Nobody else reads here. What the client says meanwhile is kept.
    open:fill(open:pending() + 1, 0)
  end
  return open:eof("r") or open:error("r")
end

-- Waits until the client gives up.
local function wait_for_client(stream)
  local deadline = cqueues.monotime() + LONGEST_HANG
  while cqueues.monotime() < deadline and not is_left(stream) do
    cqueues.poll(stream.connection.socket, 1)
    cqueues.sleep(0.01)
  end
end

--- Says nothing for as long as the client listens.
function connection_faults.hang(stream)
  wait_for_client(stream)
  connection_faults.close(stream)
end

-- Sends the head of a whole answer and some of its bytes: half of them, or `at`.
local function send_some(stream, request, answer, rule)
  server.prepare(answer)
  local length = answer.length or #answer.body
  local left = math.min(rule.at or length // 2, length)
  local headers = server.head(answer)
  if not stream:write_headers(headers, false) or request.method == "HEAD" then
    return
  end
  local pieces = answer.pieces or coroutine.wrap(function() coroutine.yield(answer.body) end)
  while left > 0 do
    local piece = pieces():sub(1, left)
    left = left - #piece
    if not stream:write_chunk(piece, false) then
      return
    end
  end
end

--- Ends the connection in the midst of the body.
function connection_faults.cut(stream, request, answer, rule)
  send_some(stream, request, answer, rule)
  connection_faults.close(stream)
end

--- Falls silent in the midst of the body.
function connection_faults.stall(stream, request, answer, rule)
  send_some(stream, request, answer, rule)
  connection_faults.hang(stream)
end

--- Answers after some seconds.
function connection_faults.slow(stream, request, answer, rule)
  cqueues.sleep(rule.seconds or 1)
  server.send(stream, request, answer)
end

return connection_faults
