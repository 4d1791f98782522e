--- The whole client against a server that answers at random: what the documents
-- show, changed at the level of bytes, in odd pieces, broken off at odd times.
--
--     make torture-server SECONDS=1800 [SEED=…] [CORPUS=folder]
--
-- Each case has a seed: it decides the call, the client's options and all that
-- the server says. It is printed with what broke, and `SEED=… CASES=1 REPEAT=4`
-- plays it again; `TRACE=file` then keeps what the servers send. A folder of
-- `.json` and `.http` files, such as JSONTestSuite's and the responses of llhttp's
-- tests, gives more to answer with. SANITIZER is preloaded into the client. Any
-- finding ends it with 1.

local process = require "spec.support.process"
local socket = require "socket"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local function number(name, default)
  return math.tointeger(tonumber(os.getenv(name) or "")) or default
end

local SECONDS, SEED = number("SECONDS", 60), number("SEED", os.time() % 1000000 * 1000)
local CASES, REPEAT, CHILDREN = number("CASES", 200), number("REPEAT", 0), number("CHILDREN", 4)
local CORPUS = os.getenv "CORPUS" or ""
local ROUND_SECONDS = 60

-- What the module would read for itself.
local ENVIRONMENT = { LD_PRELOAD = os.getenv "SANITIZER", MINIMAX_DEBUG = false }
for name in ("http https all no"):gmatch "%S+" do
  ENVIRONMENT[name .. "_proxy"] = false
  ENVIRONMENT[name:upper() .. "_PROXY"] = false
end

local SERVE = [[
  local connection, shared = ...
  require "spec.torture.server.peer".serve(connection, shared,
    { folder = %q, corpus = %q, way = %q })
]]

-- Each server, and how a connection of it is served. A proxy is one of its own:
-- it relays requests, or has a tunnel.
local WAYS = { { serve = "http" }, { serve = "https", tls = "http/1.1" },
  { serve = "h2", tls = "h2" }, { serve = "later", tls = "later" },
  { serve = "http", is_proxy = true }, { serve = "tunnel", tls = "later", is_proxy = true } }

local Round = {}
Round.__index = Round

-- A client and its servers, under way.
local function start(first, count, seconds)
  local self = setmetatable({ folder = temp.folder(), servers = {}, first = first }, Round)
  local args = { self.folder.path, first, count, seconds, CORPUS }
  for _, way in ipairs(WAYS) do
    local server = wire.start { tls = way.tls,
      serve = SERVE:format(self.folder.path, CORPUS, way.serve) }
    table.insert(self.servers, server)
    args[#args + 1] = server.url
    args[#args + 1] = server.ca_file or ""
    args[#args + 1] = way.is_proxy and server.url:gsub("^https", "http") or ""
  end
  self.child = process.start { file = "spec/torture/server/client.lua", args = args,
    env = ENVIRONMENT, timeout = seconds + ROUND_SECONDS }
  return self
end

local tally = { cases = 0, findings = 0, fates = {} }

local function say(...)
  print(string.format(...))
  io.stdout:flush()
end

local function finding(...)
  tally.findings = tally.findings + 1
  say(...)
end

-- What the servers' own script did wrong is no finding, but must not be missed.
local function mistakes(server)
  for line in io.lines(server.folder:file "log") do
    if line:find('"mistake"', 1, true) then
      return line
    end
  end
end

function Round:finish()
  local result = self.child:finish()
  local at = (self.folder:read "case" or "?"):gsub("%d%d$", "") -- the seed of the last case
  for line in result.out:gmatch "FINDING [^\n]*" do
    finding("%s", line)
  end
  tally.cases = tally.cases + (tonumber(result.out:match "DONE (%d+)") or 0)
  for times, fate in result.out:gmatch "FATE (%d+) ([^\n]+)" do
    tally.fates[fate] = (tally.fates[fate] or 0) + tonumber(times)
  end
  if result.timed_out then
    finding("FINDING %s: the client hangs", at)
  elseif result.code ~= 0 then
    finding("FINDING %s: the client ended with %s\n%s", at, result.code or result.signal,
      result.err)
  elseif result.err ~= "" then
    say("the client said: %s", result.err:sub(1, 2000))
  end
  for _, server in ipairs(self.servers) do
    local mistake = mistakes(server)
    if mistake then
      finding("FINDING %s: the server's script: %s", at, mistake:sub(1, 1000))
    end
    server:stop()
  end
  self.folder:close()
end

say("seeds from %d, for %d s; %s", SEED, SECONDS, CORPUS ~= "" and "with more from " .. CORPUS
  or "nothing but our own answers")
local began, seed = socket.gettime(), SEED
local left = REPEAT
repeat
  local rounds = {}
  for i = 1, CHILDREN do
    rounds[i] = start(seed, CASES, math.min(ROUND_SECONDS, SECONDS))
    seed = REPEAT > 0 and SEED or seed + CASES
  end
  for _, round in ipairs(rounds) do
    round:finish()
  end
  left = left - CHILDREN
  say("%5.0f s: %d cases, %d findings; next seed %d", socket.gettime() - began, tally.cases,
    tally.findings, seed)
until left <= 0 and (REPEAT > 0 or socket.gettime() - began >= SECONDS)
local fates = {}
for fate, times in pairs(tally.fates) do
  fates[#fates + 1] = ("%-32s %7d"):format(fate, times)
end
table.sort(fates)
print(table.concat(fates, "\n"))
os.exit(tally.findings == 0, true)
