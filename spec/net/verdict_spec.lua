-- src/net/verdict.c: whether a submit arrived is judged by what the server said, not
-- by how much of the body has left. A table of all that can become of an answer:
-- how often the server read the request, what the call returns, and the id.

local dump = require "spec.support.dump"
local minimax = require "minimax"
local socket = require "socket"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local ID = "401047179385389059"
local TEXT = '{"task_id":"' .. ID .. '","base_resp":{"status_code":0,"status_msg":"success"}}'
local KEPT = 50 -- bytes of it, with the whole id
local PATIENCE = 40 -- seconds until a timeout where none is needed

-- All codes of RFC 9113, section 7, that a server may end a stream with.
local CODES = { NO_ERROR = 0, PROTOCOL_ERROR = 1, INTERNAL_ERROR = 2, FLOW_CONTROL_ERROR = 3,
  STREAM_CLOSED = 5, REFUSED_STREAM = 7, CANCEL = 8, ENHANCE_YOUR_CALM = 11,
  HTTP_1_1_REQUIRED = 13 }

local PROTOCOLS = {
  ["HTTP/1.1"] = { serve = "serve", body = 5 << 20, framings = { "length", "chunks", "end" },
    endings = { "close", "reset", "shutdown", "stop", "read" } },
  ["HTTP/2"] = { serve = "serve_h2", tls = "h2", body = 256 << 10, framings = { "length", "end" },
    endings = { "close", "reset", "stop", "read", "goaway", "goaway behind it",
      "heeded, then close", "heeded, then reset", "heeded, then goaway",
      "heeded, then goaway behind it" } },
}

-- Where the end overtakes what was said before: a connection that breaks while
-- libcurl sends is given up with the answer still unread.
local ABRUPT = { close = true, reset = true, goaway = true, ["goaway behind it"] = true }

-- Whether it can't be told what the client has read.
local function is_race(protocol, fate)
  return ABRUPT[fate.ending] and (fate.open or protocol == "HTTP/2") or false
end

-- Over HTTP/1.1 and without an announced length the end of the connection tells
-- the answer's; where it does not come, only libcurl's still sending excuses it.
local function has_end(protocol, fate)
  if fate.framing ~= "end" or protocol == "HTTP/2" then
    return true
  end
  return fate.ending == "close" or fate.ending == "shutdown" or fate.open and fate.ending == "stop"
end

-- What is to come of it: "accepted", or "unknown" with or without the id.
local function expected(protocol, fate)
  if fate.answer == "none" then
    return "unknown, nil"
  elseif fate.answer == "begun" or not has_end(protocol, fate) then
    return "unknown, " .. ID
  end
  return "accepted, " .. ID
end

local function all_fates(protocol)
  local list = {}
  local function add(open, answer, framing, ending, code)
    list[#list + 1] = { open = open, answer = answer, framing = framing, ending = ending,
      code = code, text = TEXT, kept = KEPT }
  end
  for _, open in ipairs { true, false } do
    for _, answer in ipairs { "none", "begun", "complete" } do
      for _, framing in ipairs(answer == "none" and { "none" } or protocol.framings) do
        for _, ending in ipairs(protocol.endings) do
          add(open, answer, framing, ending)
        end
        for _, code in pairs(protocol.tls and CODES or {}) do
          add(open, answer, framing, "rst", code)
        end
      end
    end
  end
  return list
end

local function name_of(fate)
  local name = fate.ending
  for word, code in pairs(CODES) do
    name = fate.code == code and "RST_STREAM " .. word or name
  end
  return ("%s body, %s answer%s, then %s"):format(fate.open and "unfinished" or "whole",
    fate.answer == "none" and "no" or fate.answer,
    fate.answer == "none" and "" or " (" .. fate.framing .. ")", name)
end

local function new_client(server, timeout)
  return minimax.new { base_url = server.url, api_key = "sk-spec", ca_file = server.ca_file,
    max_connections = 200, request_timeout = timeout, stall_timeout = timeout }
end

-- Whether nothing but a timeout of ours ends it.
local function is_silent(name, fate)
  return (fate.ending == "stop" or fate.ending == "read") and expected(name, fate):find "unknown"
end

-- Submits once for each fate of a protocol, all at the same time, within a run.
local function submit_all(server, name, protocol, list)
  local patient, brief = new_client(server, PATIENCE), new_client(server, 2.5)
  for number, fate in ipairs(list) do
    minimax.spawn(function()
      local media = "data:image/png;base64,fate" .. number .. "x"
        .. (fate.open and ("A"):rep(protocol.body) or "")
      local client = is_silent(name, fate) and brief or patient
      local began = socket.gettime()
      fate.task, fate.err = client:submit { template_id = "1", media_inputs = { media } }
      fate.seconds = socket.gettime() - began
    end)
  end
end

-- How often the server read each request.
local function count_posts(server, list)
  for _, fate in ipairs(list) do
    fate.posts = 0
  end
  for _, report in ipairs(server:reports "post") do
    list[report.fate].posts = list[report.fate].posts + 1
  end
end

describe("a submit over", function()
  local lists, servers = {}, {}
  local folder

  for name, protocol in pairs(PROTOCOLS) do
    lists[name] = all_fates(protocol)
  end

  setup(function()
    folder = temp.folder()
    for name, protocol in pairs(PROTOCOLS) do
      local path = folder:write(protocol.serve, "return " .. dump(lists[name]))
      servers[name] = wire.start { tls = protocol.tls,
        serve = ('require "spec.support.upload_answers".%s((...), %q)')
          :format(protocol.serve, path) }
    end
    minimax.run(function()
      for name, protocol in pairs(PROTOCOLS) do
        submit_all(servers[name], name, protocol, lists[name])
      end
    end)
    for name, server in pairs(servers) do
      count_posts(server, lists[name])
    end
  end)

  teardown(function()
    for _, server in pairs(servers) do
      server:stop()
    end
    folder:close()
  end)

  for name, list in pairs(lists) do
    for _, fate in ipairs(list) do
      it(name .. " with " .. name_of(fate), function()
        local err = fate.err
        local id = err and err.task_id or fate.task and fate.task.task_id
        local outcome = (err and err.kind or "accepted") .. ", " .. tostring(id)
        assert.equal(1, fate.posts)
        assert.is_true(fate.seconds < PATIENCE / 2, "it ended by a timeout")
        if is_race(name, fate) then
          assert.is_truthy(outcome == "accepted, " .. ID and fate.answer == "complete"
            or outcome == "unknown, " .. ID and fate.answer ~= "none"
            or outcome == "unknown, nil", outcome)
        else
          assert.equal(expected(name, fate), outcome, tostring(err))
        end
        if err then
          assert.same({ "submit", 1, false }, { err.stage, err.attempts, err.retryable })
          assert.equal(err.task_id, err.task and err.task.task_id)
        end
      end)
    end
  end
end)
