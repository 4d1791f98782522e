--- An API on the scripted server that reads each submit whole and then loses
-- its answer, in the way that the request itself names in its field `way`.
--
--     local server <close> = wire.start { serve = lost_answers.script() }
--     client:submit { template_id = "1", way = "reset", number = 1 }
--
-- A GET is answered as the query of a task that runs. `way = "accept"` loses
-- nothing.

local h2 = require "spec.support.h2"
local lfs = require "lfs"

local lost_answers = {}

local PAGE = "<html><head><title>Whatever</title></head><body>Try again.</body></html>"
local ACCEPTED = '{"task_id":"%s","base_resp":{"status_code":0,"status_msg":"success"}}'
local RUNNING = '{"status":"Processing","base_resp":{"status_code":0}}'
local STATUSES = { 500, 502, 503, 504, 529 }

--- The ways of losing an answer over any protocol; `hang` is one more, which
-- lasts until the client gives up.
lost_answers.WAYS = { "reset", "close", "status", "html", "empty", "cut" }

--- Those that only HTTP/2 knows.
lost_answers.H2_WAYS = { "refused_stream", "http_1_1_required", "goaway" }

local function number_of(request)
  return math.tointeger(request.body:match('"number":(%d+)')) or 1
end

local function accepted(request)
  return ACCEPTED:format(number_of(request))
end

local function status_of(request)
  return STATUSES[number_of(request) % #STATUSES + 1]
end

-- After these there is no connection left to read from.
local ENDS = { reset = true, close = true, cut = true, goaway = true }

local h1_ways = {
  accept = function(peer, request) peer:reply(200, {}, accepted(request)) end,
  reset = function(peer) peer:reset() end,
  close = function(peer) peer:close() end,
  hang = function(peer) peer:hang() end,
  status = function(peer, request) peer:reply(status_of(request), {}, PAGE) end,
  html = function(peer) peer:reply(200, { ["Content-Type"] = "text/html" }, PAGE) end,
  empty = function(peer) peer:reply(200, {}, "") end,
  cut = function(peer, request)
    local text = accepted(request)
    peer:send("HTTP/1.1 200 OK\r\nContent-Length: " .. #text .. "\r\n\r\n" .. text:sub(1, -9))
    peer:close()
  end,
}

local h2_ways = {
  accept = function(peer, request) peer:reply(request, 200, accepted(request)) end,
  reset = function(peer) peer.connection:reset() end,
  close = function(peer) peer.connection:close() end,
  hang = function() end,
  status = function(peer, request) peer:reply(request, status_of(request), PAGE) end,
  html = function(peer, request) peer:reply(request, 200, PAGE) end,
  empty = function(peer, request) peer:reply(request, 200, "") end,
  cut = function(peer, request)
    peer:reply(request, 200, accepted(request):sub(1, -9), true)
    peer.connection:close()
  end,
  refused_stream = function(peer, request) peer:refuse(request, h2.REFUSED_STREAM) end,
  http_1_1_required = function(peer, request) peer:refuse(request, h2.HTTP_1_1_REQUIRED) end,
  goaway = function(peer)
    peer:goaway(0)
    peer.connection:close()
  end,
}

local function serve(peer, ways, answer_get)
  for request in peer.read_request, peer do
    if request.method == "GET" then
      answer_get(peer, request)
    else
      local way = request.body:match('"way":"([%w_]+)"')
      ways[way](peer, request)
      if ENDS[way] then
        return
      end
    end
  end
end

--- Plays the API on a connection over HTTP/1.1.
function lost_answers.serve(connection)
  serve(connection, h1_ways, function(peer)
    peer:reply(200, {}, RUNNING)
  end)
end

--- The same over HTTP/2, where `tls = "h2"` made the client choose it.
function lost_answers.serve_h2(connection)
  local session = h2.accept(connection)
  if session then
    serve(session, h2_ways, function(peer, request)
      peer:reply(request, 200, RUNNING)
    end)
  end
end

local function is_up(path)
  return lfs.attributes(path, "mode") ~= nil
end

--- A server that lets no TLS handshake come to its end before a file exists.
-- @param connection
-- @param path of that file
-- @param words what it says instead of a handshake, before it closes
function lost_answers.serve_tls(connection, path, words)
  if is_up(path) then
    return connection:starttls("good") and lost_answers.serve(connection)
  end
  connection:send(words)
  connection:close()
end

--- A proxy that leads to an API over TLS once a file exists.
-- @param connection
-- @param path of that file
-- @param words what it answers before, ere it closes
function lost_answers.serve_proxy(connection, path, words)
  if not connection:read_head() then
    return
  elseif is_up(path) then
    connection:send("HTTP/1.1 200 Connection established\r\n\r\n")
    return connection:starttls("good") and lost_answers.serve(connection)
  end
  connection:send(words)
  connection:close()
end

--- A script for `wire.start`.
-- @param name of the function above (`serve`)
-- @param ... its further arguments, strings
function lost_answers.script(name, ...)
  local arguments = ""
  for _, argument in ipairs { ... } do
    arguments = arguments .. (", %q"):format(argument)
  end
  return ('require "spec.support.lost_answers".%s((...)%s)'):format(name or "serve", arguments)
end

return lost_answers
