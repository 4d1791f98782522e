-- Strangers at the receiver and at the emulator: whatever they send, nothing is
-- raised, nothing spins, and a sound request is served all the while.
-- HOSTILE_REQUESTS=10000 HOSTILE_SEED=1 tries more.

local cqueues = require "cqueues"
local hostile_requests = require "spec.support.hostile_requests"
local process = require "spec.support.process"
local socket = require "cqueues.socket"

local REQUESTS = tonumber(os.getenv "HOSTILE_REQUESTS") or 2000
local SEED = tonumber(os.getenv "HOSTILE_SEED") or 1
local SENDERS = 8
local SERVED_SECONDS = 3
local PATIENCE = 600 -- until a run that hangs is given up

local RECEIVER = [[
  warn "@on"
  local controller = require "cqueues".new()
  local served = assert(require "minimax.receiver".start { controller = controller,
    client = require "minimax".new { api_key = "sk-spec", base_url = "http://127.0.0.1:1" } })
  print(served.port)
  print(served.path)
  io.stdout:flush()
  assert(controller:loop())
]]

local KEY = "sk-api-emulator"

local EMULATOR = [[
  local emu = require "minimax.emulator".start()
  print(emu.port, emu.pid)
  io.stdout:flush()
  require "cqueues".sleep(3600)
]]

local function dial(port)
  local connection = socket.connect { host = "127.0.0.1", port = port }
  connection:setmode("bn", "bn")
  connection:onerror(function(_, _, code) return code end)
  return connection
end

-- Sends bytes, ends the sending, and reads until the other side ends too.
local function send(port, bytes, ends)
  local connection <close> = setmetatable({ dial(port) }, { __close = function(self)
    self[1]:close()
  end })
  connection[1]:xwrite(bytes, "bn", 5)
  if ends then
    connection[1]:shutdown "w"
  end
  return connection[1]:xread("*a", "b", SERVED_SECONDS)
end

-- How long a request takes that is in order; fails without the right answer.
local function time_sound(port, bytes, answer)
  local since = cqueues.monotime()
  local text = send(port, bytes) or ""
  assert(text:find(answer, 1, true), "a sound request is not served: " .. text)
  return cqueues.monotime() - since
end

local function ticks(pid)
  local file = assert(io.open("/proc/" .. pid .. "/stat"))
  local user, system = file:read("a"):match("%) " .. ("%S+ "):rep(11) .. "(%d+) (%d+)")
  file:close()
  return tonumber(user) + tonumber(system)
end

-- The share of a processor that a process takes when nobody asks anything.
local function share_at_rest(pid)
  local before = ticks(pid)
  cqueues.sleep(1)
  return (ticks(pid) - before) / 100
end

-- Sends mutated requests to a port from several sides. Some senders never end
-- what they have begun.
-- @param sound the requests before their mutation
-- @param bytes of a request that is served, and the answer to it
-- @return the longest time that this request took
local function bombard(port, sound, bytes, answer)
  local controller, left, slowest, silent = cqueues.new(), REQUESTS, 0, {}
  math.randomseed(SEED)
  local function one_side()
    while left > 0 do
      left = left - 1
      if left % 4 == 0 then
        silent[left % 200] = dial(port) -- and the one before is collected
        silent[left % 200]:xwrite(hostile_requests.mutated(sound):sub(1, -2), "bn", 5)
      else
        send(port, hostile_requests.mutated(sound), true)
      end
      if left % 50 == 0 then
        slowest = math.max(slowest, time_sound(port, bytes, answer))
      end
    end
  end
  for _ = 1, SENDERS do
    controller:wrap(one_side)
  end
  local deadline = cqueues.monotime() + PATIENCE
  repeat
    assert(controller:step(1))
  until controller:empty() or cqueues.monotime() > deadline
  assert(controller:empty(), "it hangs")
  for _, connection in pairs(silent) do
    connection:close()
  end
  return slowest
end

describe("hostile requests", function()
  it("to a receiver raise nothing, spin nowhere and keep no push out", function()
    local child <close> = process.start { script = RECEIVER, timeout = PATIENCE }
    local port, _, path = child:read("n", "l", "l")
    local push = '{"task_id":"7","status":"processing","base_resp":{"status_code":0}}'
    local sound = hostile_requests.sound(path, "sk-spec")
    local slowest = bombard(port, sound, "POST " .. path .. " HTTP/1.1\r\nHost: localhost\r\n"
      .. "Content-Length: " .. #push .. "\r\n\r\n" .. push, '{"status":"success"}')
    assert.is_true(slowest < SERVED_SECONDS, slowest .. " s")
    assert.is_true(share_at_rest(child.pid) < 0.2)
    assert.equal("", child:errors())
  end)

  for what, sound in pairs { ["requests"] = hostile_requests.sound("/v1/x", KEY),
    ["frames of HTTP/2"] = hostile_requests.sound_http2(KEY) } do
    it("to an emulator, " .. what .. ", raise nothing, spin nowhere and keep nobody out", function()
      local child <close> = process.start { script = EMULATOR, timeout = PATIENCE }
      local port, pid = child:read("n", "n")
      local slowest = bombard(port, sound, "GET /v1/files/list?purpose=video HTTP/1.1\r\n"
        .. "Host: localhost\r\nConnection: close\r\nAuthorization: Bearer " .. KEY .. "\r\n\r\n",
        '"status_code":0')
      assert.is_true(slowest < SERVED_SECONDS, slowest .. " s")
      assert.is_true(share_at_rest(math.tointeger(pid)) < 0.2)
      assert.equal("", child:errors())
    end)
  end
end)
