--- A scripted server on the loopback, in a child process: for the answers that
-- no proper server gives. It ends with the program that started it.
--
--     local server <close> = wire.start {
--       steps = {
--         { "read_request" },
--         { "send", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{" },
--         { "reset" },
--       },
--     }
--     -- use server.url …
--     server:requests()[1].method
--
-- A step is the name of a method of `connection.lua` and its arguments, or
-- `{ "again" }`, which begins anew on the same connection until the client
-- closes it. A list of such lists plays the first on the first connection and
-- so on; the last is for all that follow. What steps cannot say is said in Lua:
--
--     serve = [[
--       local connection, shared = ...
--       while connection:read_request() do
--         shared.count = (shared.count or 0) + 1
--         connection:reply(200, {}, '{"count":' .. shared.count .. '}')
--       end
--     ]]

local dump = require "spec.support.dump"
local luasocket = require "socket"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"

local wire = {}

local Server = {}
Server.__index = Server
Server.__name = "wire.server"

local function launch(folder)
  assert(os.execute("exec env --unset=LD_PRELOAD mkfifo " .. shell.quote(folder:file("orders"))))
  local words = { "env", "--unset=LD_PRELOAD", shell.interpreter(),
    "spec/support/wire_server.lua", folder.path }
  local pipe = assert(io.popen("exec " .. shell.join(words) .. " <"
    .. shell.quote(folder:file("orders")), "r"))
  -- Opened for both ways, so that an order to a server that died kills nobody.
  local orders = assert(io.open(folder:file("orders"), "r+"))
  orders:setvbuf("no")
  return pipe, orders
end

local function url_of(host, port, tls)
  local shown = host:find(":", 1, true) and "[" .. host .. "]" or host
  return (tls and "https://" or "http://") .. shown .. ":" .. port
end

--- Starts a server and waits until it listens.
-- @param options
--   `steps` or `serve`, see above; `host` (127.0.0.1); `port` (any free one);
--   `tls`: the kind of certificate it shows, see `certificates.lua`, or
--   `"later"` for a script that calls `starttls` itself;
--   `accept = false`: it listens and never accepts;
--   `keep_bodies`: each request's `body_file` holds its whole body
-- @return a server with `port`, `url` and, with TLS, `ca_file`
function wire.start(options)
  local folder = temp.folder()
  local host = options.host or "127.0.0.1"
  folder:write("config", "return " .. dump {
    steps = options.steps, serve = options.serve, host = host, port = options.port or 0,
    tls = options.tls, accept = options.accept, keep_bodies = options.keep_bodies,
  })
  folder:write("log", "")
  local pipe, orders = launch(folder)
  local port = math.tointeger(tonumber(pipe:read("l") or nil))
  local self = setmetatable({ port = port, pipe = pipe, orders = orders, folder = folder }, Server)
  if not port then
    self:stop()
    error("the scripted server did not start", 2)
  end
  self.url = url_of(host, port, options.tls)
  self.ca_file = options.tls and folder:file("ca.pem") or nil
  return self
end

--- What was reported so far, in its order.
-- @param kind `"request"`, `"connection"`, `"handshake"`, `"end"`; all if nil
-- @return a list of tables; raises if the script itself made a mistake
function Server:reports(kind)
  local list = {}
  for line in io.lines(self.folder:file("log")) do
    local entry = assert(load(line, "=report", "t", {}))()
    if entry.type == "mistake" then
      error("the server's script: " .. entry.message, 2)
    elseif not kind or entry.type == kind then
      list[#list + 1] = entry
    end
  end
  return list
end

--- The requests that arrived, as `connection.lua` describes them.
function Server:requests()
  return self:reports("request")
end

--- How many connections were accepted.
function Server:connections()
  return #self:reports("connection")
end

--- Waits, blocking, until so much has been reported.
-- @param kind as for `reports`
-- @param count
-- @param seconds how long at most (10)
-- @return whether it came to that
function Server:await(kind, count, seconds)
  self.orders:write("await ", kind, " ", count, " ", seconds or 10, "\n")
  return self.pipe:read("l") == "yes"
end

--- Says the word that a script awaits with `connection:await`.
function Server:tell(word)
  self.orders:write("tell ", word, "\n")
end

--- Ends the server and removes what it kept; a second call does nothing.
function Server:stop()
  if self.pipe then
    self.orders:write("stop\n")
    self.pipe:close()
    self.orders:close()
    self.folder:close()
    self.pipe = nil
  end
end

Server.__close = Server.stop
Server.__gc = Server.stop

--- A port of the loopback that refuses connections for as long as it is held;
-- a server can be started on it meanwhile.
-- @return an object with `port` and `url`; close it when done
function wire.refused()
  local holder = assert(luasocket.tcp4())
  assert(holder:setoption("reuseport", true))
  assert(holder:bind("127.0.0.1", 0))
  local _, port = holder:getsockname()
  local close = function()
    holder:close()
  end
  local refused = { port = math.tointeger(tonumber(port)), close = close }
  refused.url = url_of("127.0.0.1", refused.port)
  return setmetatable(refused, { __close = close })
end

return wire
