--- Has the module's calls played in a child while one allocation or system call
-- after the other fails (starved.lua), and collects what went wrong.
--
--     local host <close> = starving.start()
--     local runs, wrong = host:play("lua", "submit", 7)

local native = require "spec.support.native"
local process = require "spec.support.process"
local wire = require "spec.support.wire"

local starving = {}

local Host = {}
Host.__index = Host

--- The calls that are played. `cqueues` is one more: that library gives up each
-- coroutine that it has no memory to resume, and so the one that steps for us.
starving.CASES = { "new", "submit", "asked", "refused", "dry", "wait", "query", "each", "download",
  "resume", "sink", "redirect", "generate", "cancel", "callback", "files", "list", "call", "run",
  "bare", "dropped", "strange", "local_errors" }

-- By the manual pages, not what only a mistake in the call can bring.
--- The system calls of each, and how they fail.
starving.CALLS = {
  module = {
    open = "EACCES EDQUOT EINTR EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENOENT ENOMEM ENOSPC "
      .. "ENOTDIR EROFS ETXTBSY EPERM EIO",
    fopen = "EACCES EMFILE ENOMEM EINTR",
    read = "EAGAIN EINTR EIO", write = "EAGAIN EINTR EIO ENOSPC EPIPE",
    pread = "EINTR EIO EISDIR", pwrite = "EINTR EIO ENOSPC EDQUOT EFBIG",
    fsync = "EINTR EIO ENOSPC EROFS EINVAL EDQUOT", ftruncate = "EINTR EIO EFBIG EPERM EINVAL",
    sync_file_range = "EIO ENOMEM ENOSPC EINVAL", flock = "EINTR ENOLCK EWOULDBLOCK EINVAL",
    rename = "EACCES EBUSY EDQUOT EISDIR ELOOP ENOENT ENOMEM ENOSPC EROFS EXDEV EPERM",
    link = "EACCES EDQUOT EEXIST EIO EMLINK ENOMEM ENOSPC EPERM EROFS EXDEV",
    unlink = "EACCES EBUSY EIO ENOENT ENOMEM EPERM EROFS",
    access = "EACCES EIO ELOOP ENOENT ENOMEM EROFS",
    fstat = "EIO ENOMEM", stat = "EACCES ELOOP ENOENT ENOMEM", lstat = "EACCES ELOOP ENOENT ENOMEM",
    fcntl = "EINTR EMFILE EACCES", getrandom = "EAGAIN EINTR ENOSYS",
    epoll_create1 = "EMFILE ENFILE ENOMEM", epoll_ctl = "ENOMEM ENOSPC EPERM",
    epoll_wait = "EINTR", timerfd_create = "EMFILE ENFILE ENODEV ENOMEM",
    timerfd_settime = "EINVAL", ppoll = "EINTR ENOMEM EINVAL", pipe2 = "EMFILE ENFILE",
    socket = "EACCES EMFILE ENFILE ENOBUFS ENOMEM", getsockname = "ENOBUFS",
    getpeername = "ENOBUFS", recv = "EAGAIN EINTR ENOMEM ECONNRESET",
    pthread_create = "EAGAIN",
  },
  libcurl = {
    connect = "EACCES EADDRNOTAVAIL EAGAIN ECONNREFUSED EINTR ENETUNREACH ETIMEDOUT",
    getsockopt = "ENOBUFS ENOMEM", setsockopt = "ENOBUFS ENOMEM",
    getsockname = "ENOBUFS", getpeername = "ENOBUFS", fcntl = "EINTR",
    send = "EAGAIN EINTR ENOBUFS ENOMEM EPIPE ECONNRESET",
    recv = "EAGAIN EINTR ENOMEM ECONNRESET", poll = "EINTR ENOMEM",
    socketpair = "EMFILE ENFILE ENOMEM", socket = "EMFILE ENFILE ENOBUFS ENOMEM",
  },
}

-- What a line of the child's begins with where something went wrong.
local WRONG = { TWICE = true, LOST = true, CLOSED = true, LEFT = true, LEAKED = true,
  BROKEN = true, ENDED = true }

local SERVE = [==[
  local connection, shared = ...
  local storage = require "spec.support.storage"
  local OK = '"base_resp":{"status_code":0,"status_msg":"success"}'
  shared.posts, shared.looks = shared.posts or {}, shared.looks or {}

  local function look(id)
    shared.looks[id] = (shared.looks[id] or 0) + 1
    return shared.looks[id]
  end

  local function submitted(request)
    local number = request.body:match '"number":"?(%d+)'
    shared.posts[number] = (shared.posts[number] or 0) + 1
    if request.body:find '"refused"' then
      return '{"base_resp":{"status_code":1026,"status_msg":"not this one"},"trace_id":"t"}'
    end
    return '{"task_id":"9' .. number .. '","trace_id":"0631",' .. OK .. '}'
  end

  local function answer(request)
    local path, query = request.path:match "^([^?]*)%??(.*)$"
    local origin = "http://" .. request.headers.host
    local id = query:match "task_id=([^&]*)" or path:match "[^/]*$"
    if path == "/count" then
      return '{"posts":' .. (shared.posts[query:match "number=(%d+)"] or 0) .. '}'
    elseif request.method == "POST" and path:find "_generation$" then
      return submitted(request)
    elseif request.method == "DELETE" then
      return '{"task_id":"' .. id .. '","action":"cancelled","status":"cancelled"}'
    elseif path:find "^/v2/query/video_generation/" then
      return '{"task":{"id":"' .. id .. '","status":"queued"},' .. OK .. '}'
    elseif path:find "^/v1/query" then
      local done = look(id) > 1
      return '{"task_id":"' .. id .. '","status":"' .. (done and "Success" or "Processing")
        .. '","video_url":"' .. (done and origin .. "/video.mp4" or "") .. '",' .. OK .. '}'
    elseif path:find "^/v1/files/" then
      return '{"file":{"file_id":335797537439947,"download_url":"' .. origin .. '/video.mp4"},'
        .. OK .. '}'
    end
    return '{"items":[{"id":"1","status":"queued"}],"total":1,' .. OK .. '}'
  end

  while true do
    local request = connection:read_request()
    if not request then
      return
    elseif request.path:find "^/video%.mp4" then
      storage.answer(connection, request, { size = 60000 })
    elseif request.path:find "^/cut%.mp4" then
      if not storage.answer(connection, request, { size = 60000, cut = 30000 }) then
        return
      end
    elseif request.path:find "^/moved%.mp4" then
      connection:reply(302, { Location = "/video.mp4?a=b" })
    else
      connection:reply(200, { ["Content-Type"] = "application/json" }, answer(request))
    end
  end
]==]

--- Starts the server that they ask.
function starving.start()
  return setmetatable({ server = wire.start { serve = SERVE } }, Host)
end

-- Reads what the child prints into `report`; whether it came to its end.
local function follow(child, report)
  local finished = false
  for line in function() return child:read "l" end do
    local word, rest = line:match "^(%a+) (.*)$"
    if word == "at" then
      report.at = math.tointeger(tonumber(rest))
      report.runs = report.runs + 1
    elseif word == "done" then -- there was no such call to fail
      finished = true
      report.runs = report.runs - 1
    elseif WRONG[word] then
      table.insert(report.wrong, line)
    elseif os.getenv "VERBOSE" then
      print(line)
    end
  end
  return finished
end

local function cause_of(result)
  if result.signal == 14 then
    return "it hung"
  end
  return result.signal and "signal " .. result.signal or "code " .. tostring(result.code)
end

--- Plays a case in one way until nothing is left to fail.
-- @param way, case see starved.lua
-- @param every 7: each seventh failure only (1)
-- @param under a list of words that runs the interpreter
-- @return how many failures were tried, a list of what went wrong, in words
function Host:play(way, case, every, under)
  local report = { runs = 0, wrong = {}, at = 1 - (every or 1) }
  local finished
  repeat
    local before = report.at
    local child = process.start { file = "spec/support/starved.lua", timeout = 3000, under = under,
      args = { self.server.url, case, way, tostring(before + (every or 1)), tostring(every or 1) },
      env = { LD_PRELOAD = native.library "faulty", MINIMAX_API_KEY = "sk-spec-key" } }
    finished = follow(child, report)
    local result = child:finish()
    if not finished or result.code ~= 0 then
      table.insert(report.wrong, ("DIED %d %s"):format(report.at, cause_of(result)))
    end
    if result.err ~= "" then
      table.insert(report.wrong, result.err)
    end
  until finished or report.at == before
  return report.runs, report.wrong
end

function Host:close()
  self.server:stop()
end

Host.__close = Host.close

return starving
