--- The API as a spec wants it for the moment: a server on the loopback whose
-- replies are set anew for each case, and clients of it.
--
--     local server <close> = api.start()
--     server:answer('{"base_resp":{"status_code":1008}}', { status = 502, body = "<html>" })
--     local status, err = server:client():query "401047179385389059"
--     server:asked()[1].path

local dump = require "spec.support.dump"
local minimax = require "minimax"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local api = {}

local Server = {}
Server.__index = Server
Server.__name = "api.server"

--- The key of each client made here; it must appear nowhere.
api.KEY = "sk-api-5tR0nglyS3cret"

-- The replies are read afresh for each request. A reply without a body of its
-- own says how the connection ends instead.
local SERVE = [[
  local connection, shared = ...
  local path = %q
  while connection:read_request() do
    local case = dofile(path)
    if shared.case ~= case.number then
      shared.case, shared.count = case.number, 0
    end
    shared.count = shared.count + 1
    local reply = case.replies[math.min(shared.count, #case.replies)]
    if reply.reset then
      return connection:reset()
    elseif reply.close then
      return connection:close()
    elseif reply.hang then
      return connection:hang()
    elseif reply.raw then
      connection:send(reply.raw)
      return connection:close()
    end
    connection:reply(reply.status or 200, reply.headers, reply.body)
  end
]]

--- Starts a server.
-- @param options those of `wire.start` but for the script
-- @return a server with `url` and, with TLS, `ca_file`
function api.start(options)
  local folder = temp.folder()
  local all = { serve = SERVE:format(folder:file("case")) }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  local server = wire.start(all)
  return setmetatable({ wire = server, folder = folder, url = server.url,
    ca_file = server.ca_file, case = 0, seen = 0 }, Server)
end

--- Sets the replies to the next requests, whatever they ask; the last one is
-- for all that follow.
-- @param ... JSON text, or tables: `status` (200), `headers`, `body`; or one of
--   `reset`, `close`, `hang` (true) and `raw` (all bytes of the answer)
function Server:answer(...)
  local replies = { ... }
  for i, reply in ipairs(replies) do
    replies[i] = type(reply) == "string" and { body = reply } or reply
  end
  -- A request of the case before, whose call has ended, may be on its way: the
  -- server reads all that is there between two orders.
  for _ = 1, 3 do
    self.wire:await("request", 0)
  end
  self.case = self.case + 1
  self.seen = #self.wire:requests()
  self.folder:write("next", "return " .. dump { number = self.case, replies = replies })
  assert(os.rename(self.folder:file "next", self.folder:file "case"))
end

--- The requests that came since the replies were set.
function Server:asked()
  local all = self.wire:requests()
  return table.move(all, self.seen + 1, #all, 1, {})
end

--- A client of this server, with a key, quick to poll, without retries, and
-- with an end to each wait, so that a spec fails rather than hangs.
-- @param options of `minimax.new`, which go before those
function Server:client(options)
  local all = { base_url = self.url, api_key = api.KEY, ca_file = self.ca_file,
    poll_interval = 0.01, wait_timeout = 20, request_timeout = 20, retries = 0 }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  return minimax.new(all)
end

--- Ends the server; a second call does nothing.
function Server:close()
  self.wire:stop()
  self.folder:close()
end

Server.__close = Server.close

return api
