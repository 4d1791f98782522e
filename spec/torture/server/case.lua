--- One case: a client with options drawn from the case's seed, and a call, alone,
-- among others, or ended by the program in its middle.

local calls = require "spec.torture.server.calls"
local laws = require "spec.torture.server.laws"
local minimax = require "minimax"
local mutation = require "spec.torture.server.mutation"
local peer = require "spec.torture.server.peer"
local socket = require "socket"

local case = {}

local Case = {}
Case.__index = Case

local pick = mutation.pick

-- What may be under way beside the call that is looked at: no POST.
local BYSTANDERS = { "query", "wait", "list", "each", "retrieve", "download to a function" }

-- A call ends within its timeout and this; `generate` takes no timeout as a whole.
local GRACE, GENERATE_SECONDS = 1, 4

local function new_client(self)
  return minimax.new {
    base_url = self.url, ca_file = self.ca_file, proxy = self.proxy, api_key = mutation.KEY,
    headers = { ["X-Case"] = peer.mark(self.number) },
    request_timeout = pick { 0.2, 0.5 }, connect_timeout = 0.5, stall_timeout = 0.5,
    retries = pick { 0, 0, 1, 3 }, poll_interval = pick { 0.01, 0.05 },
    max_connections = pick { 1, 8 }, max_response_bytes = pick { 65536, 8 << 20 },
    on_event = function(event)
      local ok, err = pcall(laws.keyless, "an event", event)
      self.broken = self.broken or not ok and err or nil
      if event.stage == "submit" and event.type == "rate_limit" then
        self.refused = self.refused + 1
      end
    end,
  }
end

-- The server reads it at any time: it is there whole, or as it was.
local function note(path, text)
  local file = assert(io.open(path .. ".new", "wb"))
  file:write(text)
  file:close()
  assert(os.rename(path .. ".new", path))
end

-- What the server noted of requests whose method and path match. Where others
-- are on the same connection, the end of one answer may be that of all.
function Case:sent(pattern)
  local list = {}
  for line in io.lines(self.folder .. "/sent") do
    local number, request, limit, sure, framing =
      line:match "^(%d+) (%S+ %S+) (%S+) (%S+) (%S+)"
    if tonumber(number) == self.number and request:find(pattern) then
      list[#list + 1] = { line = line, limit = limit == "limit",
        sure = sure == "sure" and not (self.crowded and framing == "h2"), part = sure == "part" }
    end
  end
  return list
end

-- Notes a call that took too long, and its results pass through.
function Case:timed(name, call, ...)
  local began = socket.gettime()
  local results = table.pack(pcall(call, ...))
  local seconds = socket.gettime() - began
  if seconds > self.timeout + GRACE and name ~= "generate" then
    self.late = ("%s took %.2f s with a timeout of %.2f s"):format(name, seconds, self.timeout)
  end
  if not results[1] then
    error(name .. " raised: " .. tostring(results[2]), 0)
  end
  return table.unpack(results, 2, results.n)
end

--- Calls a method of the client and checks what every call promises.
function Case:call(name, ...)
  local results = table.pack(self:timed(name, self.client[name], self.client, ...))
  local err = results[1] == nil and results[2] or nil
  laws.outcome(results[1], err)
  local fate = name .. " " .. (err and err.kind or "fine")
  self.tally[fate] = (self.tally[fate] or 0) + 1
  return table.unpack(results, 1, results.n)
end

local styles = {}

function styles.plain(self)
  calls[self.name](self)
end

function styles.run(self)
  minimax.run(calls[self.name], self)
end

function styles.crowd(self)
  self.crowded = true
  local others = { pick(BYSTANDERS), pick(BYSTANDERS) }
  minimax.run(function()
    for _, name in ipairs(others) do
      minimax.spawn(calls[name], self)
    end
    calls[self.name](self)
  end)
end

-- The program ends the call itself after a while.
function styles.ended(self)
  local how = pick { "close", "abort", "coroutine" }
  local pause = math.random() * pick { 0.003, 0.05 }
  self.disturbed = true
  minimax.run(function()
    local co = minimax.spawn(calls[self.name], self)
    minimax.sleep(pause)
    if how == "close" then
      self.client:close()
    elseif how == "abort" then
      self.client:abort(self.id)
    else
      coroutine.close(co)
    end
  end)
end

-- `generate` may wait long for its turn: then the program has had enough.
function styles.generate(self)
  minimax.run(function()
    local guard = minimax.spawn(function()
      minimax.sleep(GENERATE_SECONDS)
      self.disturbed = true
      self.client:close()
    end)
    calls[self.name](self)
    coroutine.close(guard)
  end)
end

--- Plays a case.
-- @param seed
-- @param play how often it was played before
-- @param world `folder`, `places`: a list of `url`, `ca_file` and `proxy`; `corpus`, `http`;
--   `tally` counts what became of calls
-- @return the call's name, what broke or nil, whether that is lateness alone
function case.play(seed, play, world)
  local number = seed * peer.PLAYS + play
  note(world.folder .. "/case", tostring(number))
  note(world.folder .. "/sent", "")
  math.randomseed(seed, 0)
  local place = world.places[seed % #world.places + 1]
  local self = setmetatable({ seed = seed, number = number, id = peer.id(seed),
    folder = world.folder, url = place.url, ca_file = place.ca_file, proxy = place.proxy,
    link = place.url .. "/storage/v.mp4",
    tally = world.tally, corpus = world.corpus, http = world.http, timeout = pick { 0.3, 0.6 },
    name = pick(calls.NAMES), random = math.random, refused = 0 }, Case)
  local style = self.name == "generate" and "generate"
    or pick { "plain", "plain", "run", "run", "crowd", "ended" }
  self.client = new_client(self)
  local ok, err = pcall(styles[style], self)
  self.client:close()
  local what = ("%s %s %s"):format(place.url:match "^%w+", self.name, style)
  if not ok or self.broken then
    return what, not ok and tostring(err) or self.broken
  end
  return what, self.late, self.late ~= nil
end

return case
