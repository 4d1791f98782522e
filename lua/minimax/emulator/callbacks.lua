--- Callbacks: the challenge to a task's `callback_url`, then a push whenever its
-- status changes.

local condition = require "cqueues.condition"
local cqueues = require "cqueues"
local http_request = require "http.request"
local json = require "minimax.emulator.json"
local record = require "minimax.emulator.record"
local tls = require "minimax.emulator.tls"

local callbacks = {}
callbacks.__index = callbacks

local CHALLENGE_SECONDS = 3
local LONGEST_ANSWER = 65536 -- bytes

-- The first family knows three words here, in lower case.
local WORDS = { preparing = "processing", queued = "processing", running = "processing",
  succeeded = "success", failed = "failed", cancelled = "failed" }

--- @param account that it serves
-- @param states by kind: what a query says of a task
function callbacks.new(account, states)
  local self = { account = account, states = states, sent = {}, moved = condition.new() }
  return setmetatable(self, callbacks)
end

-- One POST, which goes where it was told to and no further. Returns the HTTP
-- status and the body; or nil and why not.
local function post(url, object)
  local deadline = cqueues.monotime() + CHALLENGE_SECONDS
  local request = http_request.new_from_uri(url)
  request.follow_redirects = false
  request.headers:upsert(":method", "POST")
  request.headers:upsert("content-type", "application/json")
  request:set_body(json.encode(object))
  if request.tls then
    request.ctx = tls.trusting_context()
  end
  local headers, stream = request:go(CHALLENGE_SECONDS)
  if not headers then
    return nil, tostring(stream)
  end
  local left = math.max(0, deadline - cqueues.monotime())
  local body, why = stream:get_body_chars(LONGEST_ANSWER, left)
  stream:shutdown()
  return body and tonumber(headers:get(":status")), body or tostring(why)
end

local function send(self, task, object)
  local entry = { task_id = task.id, url = task.request.callback_url, body = object }
  record.keep(self.sent, entry)
  local ok, status, answer = pcall(post, entry.url, object)
  if ok and status then
    entry.status, entry.answer = status, answer
  else
    entry.error = tostring(ok and answer or status)
  end
  return entry
end

local function uuid()
  local text = string.format("%016x%016x", math.random(0), math.random(0))
  return (text:gsub("^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)", "%1-%2-%3-%4-"))
end

-- Whether the other side owns its URL: it must return the challenge in time.
local function challenge(self, task)
  local value = uuid()
  local entry = send(self, task, { challenge = value })
  local is_success = entry.status and entry.status >= 200 and entry.status < 300
  local answer = is_success and json.decode(entry.answer)
  entry.passed = type(answer) == "table" and answer.challenge == value
  return entry.passed
end

-- The words of a push and its body: the query's, without the picture's size.
local function push_of(self, task)
  local object = self.states[task.kind](self.account, task)
  if task.kind == "video2" then
    return object.task.status, object
  end
  local stage = self.account.tasks:stage(task)
  object.status, object.video_width, object.video_height = WORDS[stage], nil, nil
  object.base_resp = object.base_resp or { status_code = 0, status_msg = "success" }
  return object.status, object
end

local function follow(self, task)
  if not challenge(self, task) then
    return
  end
  local shown, left
  repeat
    local word, object = push_of(self, task)
    if word ~= shown and not task.deleted then
      shown, left = word, 0 -- while it is sent, the task may move on
      send(self, task, object)
    else
      left = self.account.tasks:until_next(task)
      if left then
        cqueues.poll(self.moved, left / self.account.options.speed)
      end
    end
  until not left
end

--- Begins to tell of a task, if its request asks for that.
function callbacks:watch(task)
  if type(task.request.callback_url) == "string" and task.request.callback_url ~= "" then
    self.account.controller:wrap(follow, self, task)
  end
end

--- Says that tasks have moved by other means than time.
function callbacks:wake()
  self.moved:signal()
end

return callbacks
