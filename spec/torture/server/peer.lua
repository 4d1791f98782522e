--- The server's half: reads requests and answers each as the seed of its case
-- decides. API calls carry a mark of their case; others are of the case under way,
-- which the client writes into the file `case` of their common folder. Each POST
-- or DELETE is noted in `sent` as soon as its head was read, with what its answer
-- will tell.

local answers = require "spec.torture.server.answers"
local frames = require "spec.torture.server.frames"
local h2 = require "spec.support.h2"
local lfs = require "lfs"
local mutation = require "spec.torture.server.mutation"
local plan = require "spec.torture.server.plan"

local peer = {}

local FLOOD_BYTES = 50000

--- How often a case can be played and its requests told apart.
peer.PLAYS = 100

local Peer = {}
Peer.__index = Peer

-- A number from words, the same on each machine.
local function hash(text)
  local value = 5381
  for at = 1, #text do
    value = (value * 33 + text:byte(at)) & 0xffffffff
  end
  return value
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

--- The texts in a folder.
-- @return bodies, whole answers of HTTP/1
function peer.load_corpus(folder)
  local texts, http = {}, {}
  if folder == "" then
    return texts, http
  end
  for name in lfs.dir(folder) do
    if name:find "%.json$" then
      texts[#texts + 1] = name
    elseif name:find "%.http$" then
      http[#http + 1] = name
    end
  end
  table.sort(texts)
  table.sort(http)
  for _, list in ipairs { texts, http } do
    for i, name in ipairs(list) do
      list[i] = read(folder .. "/" .. name)
    end
  end
  return texts, http
end

-- Digits that HTTP/2's code makes longer, so that it leaves them as they are.
local DIGITS, DIGIT = '!"#$()+<>@', '[!"#$()+<>@]'

--- The mark of a case: its number in letters that stand as they are in the head
-- of a request, over HTTP/2 too (in the first one of each connection).
function peer.mark(number)
  return (("%020d"):format(number):gsub("%d", function(digit)
    return DIGITS:sub(digit + 1, digit + 1)
  end))
end

local function number_of(head)
  local mark = head:match(DIGIT:rep(20))
  return mark and math.tointeger(tonumber((mark:gsub(".", function(letter)
    return DIGITS:find(letter, 1, true) - 1
  end))))
end

-- The number of the case that a request is of: its seed, and which play of it.
function Peer:number(request)
  self.marked = number_of(request.head) or self.marked
  return self.marked or math.tointeger(tonumber(read(self.folder .. "/case")))
end

--- The id of the task of a case.
function peer.id(seed)
  return ("4%017d"):format(seed)
end

-- Draws from here on what this request of this case gets. Over HTTP/2 the path
-- is not read, and the count of requests stands for it.
function Peer:draw(request)
  local number = self:number(request)
  local seed = number // peer.PLAYS
  if self.shared.seed ~= seed then
    self.shared.seed, self.shared.counts = seed, {}
  end
  local words = request.method .. " " .. (request.path or "")
  local count = (self.shared.counts[words] or 0) + 1
  self.shared.counts[words] = count
  math.randomseed(seed, hash(words .. count))
  local link = self.url .. "/storage/v.mp4?Expires=" .. os.time() + 3600
  return { number = number, seed = seed, id = peer.id(seed), link = link, corpus = self.corpus,
    http = self.http }
end

function Peer:note(request, context, answer)
  if request.method ~= "GET" then
    local file <close> = assert(io.open(self.folder .. "/sent", "ab"))
    file:write(("%d %s %s %s %s %s\n"):format(context.number, request.method, request.path or "-",
      answer.limit and "limit" or "-", answer.sure and "sure" or answer.part and "part" or "-",
      answer.framing or "-"))
  end
end

-- Each answer as it goes out, where somebody wants to read it.
local function trace(answer)
  local path = os.getenv "TRACE"
  if path then
    local file <close> = assert(io.open(path, "ab"))
    for i, piece in ipairs(answer.pieces) do
      file:write(("after %.3f s: %q\n"):format(answer.pauses[i] or 0, piece))
    end
    file:write("then ", answer.finish, "\n\n")
  end
end

-- A little at a time, or as much as the client takes.
local function say_for_ever(connection, answer)
  local drips = answer.finish == "drip"
  local bytes = drips and answer.drip or answer.drip:rep(FLOOD_BYTES // #answer.drip)
  while connection:send(bytes) do
    connection:pause(drips and 0.003 or 0)
  end
end

function Peer:send(answer)
  local connection = self.connection
  trace(answer)
  for i, piece in ipairs(answer.pieces) do
    connection:pause(answer.pauses[i] or 0)
    if #piece > 0 and not connection:send(piece) then
      return
    end
  end
  if answer.finish == "keep" then
    return true
  elseif answer.finish == "shutdown" then
    connection:shutdown()
    connection:hang()
  elseif answer.finish == "drip" or answer.finish == "flood" then
    say_for_ever(connection, answer)
  else
    connection[answer.finish](connection)
  end
end

function Peer:answer_h1(request)
  local context = self:draw(request)
  local answer
  if request.path:find("storage", 1, true) then
    answer = plan.storage(request, context)
  else
    answer = plan.answer(answers.place(request.method, request.path), context)
  end
  return answer, context
end

-- Some answers go out before the body was read, and some POSTs are cut off.
local ways = {}

function ways.http(self)
  local connection = self.connection
  local head = connection:read_head()
  while head do
    local request = connection.parse_head(head)
    request.path = request.path:gsub("^http://[^/]*", "") -- of one that is relayed
    local answer, context = self:answer_h1(request)
    self:note(request, context, answer)
    local early = math.random(20) == 1
    if not early then
      connection:read_body(request)
    end
    if not self:send(answer) or early then
      return
    end
    head = connection:read_head()
  end
end

function Peer:answer_h2(request)
  local context = self:draw(request)
  local fate = math.random(30)
  if fate == 1 then
    return plan.nothing(), context
  end
  local dirty = plan.is_dirty(context.seed)
  if request.method == "GET" and fate <= 12 then
    local status, bytes, fields = plan.stored(nil, nil, context.seed)
    return frames.answer(request.stream, bytes, status, { fields = fields, wild = dirty,
      id = context.id }), context
  end
  local place = request.method == "GET" and mutation.pick { "query", "query", "list", "file" }
    or answers.place(request.method)
  local body, status = plan.body(place, context)
  return frames.answer(request.stream, body, status, { wild = true, id = context.id }), context
end

function ways.h2(self)
  local session = h2.accept(self.connection)
  if not session then
    return
  end
  local planned = {}
  session.on_head = function(request)
    local answer, context = self:answer_h2(request)
    planned[request.stream] = answer
    self:note(request, context, answer)
  end
  for request in session.read_request, session do
    local answer = planned[request.stream]
    planned[request.stream] = nil
    if request.whole and not self:send(answer) then
      return
    end
  end
end

-- What may come in the place of a handshake: alerts, records that are none, other
-- protocols.
local GREETINGS = { "", "\x15\3\3\0\2\2\x50", "\x15\3\3\0\2\1\0", "\x15\3\3\0\2\2\x2a",
  "\x16\3\3\0\4\2\0\0\0", "\x16\3\3\xff\xff\2", ("\0"):rep(100), "SSH-2.0-x\r\n",
  "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "\x14\3\3\0\1\1" }

-- How a proxy says that its tunnel stands.
local TUNNELS = { "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 200 Connection established\r\n\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTrace-Id: proxy\r\nRetry-After: 86400\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 299 Odd\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" }

-- Some handshakes are broken; those of other connections succeed.
function ways.later(self)
  self:draw { method = "handshake", head = "" }
  local greeting = mutation.pick(GREETINGS)
  if math.random(3) == 1 then
    greeting = mutation.bytes(greeting)
  end
  local answer = { pieces = { greeting }, pauses = {},
    finish = mutation.pick { "close", "reset", "hang", "shutdown" } }
  local ahead = mutation.pick { 0, 5, 100 }
  if math.random(2) == 1 then
    return self.connection:starttls "http/1.1" and ways.http(self)
  elseif ahead == 0 or self.connection.socket:read(-ahead) then
    return self:send(answer)
  end
end

ways.https = ways.http -- wire has begun TLS

-- Sometimes the tunnel stands, and what is behind it is a server as any other.
function ways.tunnel(self)
  local head = self.connection:read_head()
  if not head then
    return
  end
  local context = self:draw(self.connection.parse_head(head))
  if math.random(3) > 1 then
    self.connection:send(mutation.pick(TUNNELS))
    return self.connection:starttls "http/1.1" and ways.http(self)
  end
  local answer = plan.refusal(context)
  return self:send(answer) and self.connection:hang()
end

--- A script's work on one connection.
-- @param connection, shared from `wire_server.lua`
-- @param options `folder`, `corpus` (a folder of `.json` and `.http` files, or
--   empty), `way` to serve: `http`, `https`, `h2`, `later` or `tunnel`
function peer.serve(connection, shared, options)
  if not shared.corpus then
    shared.corpus, shared.http = peer.load_corpus(options.corpus)
  end
  local self = setmetatable({ connection = connection, shared = shared, folder = options.folder,
    corpus = shared.corpus, http = shared.http }, Peer)
  local _, _, port = connection.socket:localname()
  self.url = (options.way == "http" and "http" or "https") .. "://127.0.0.1:" .. tostring(port)
  return ways[options.way](self)
end

return peer
