--- A pgbouncer of the spec's own before a cluster, on a socket in a temporary folder.

local cluster = require "spec.support.cluster"
local lfs = require "lfs"
local minimax = require "minimax"
local process = require "spec.support.process"
local temp = require "spec.support.temp"

local pooler = {}

local Pooler = {}
Pooler.__index = Pooler

local PATIENCE = 30 -- seconds

--- Why there can be none here, or nil.
function pooler.missing()
  local why = cluster.missing()
  if not why and process.run { command = { "sh", "-c", "command -v pgbouncer" } }.code ~= 0 then
    why = "pgbouncer is not installed (Debian: apt-get install pgbouncer)"
  end
  return why
end

--- The version as a number: 1.18 is 1018.
function pooler.version()
  local text = process.run { command = { "pgbouncer", "--version" } }.out
  local major, minor = text:match "(%d+)%.(%d+)"
  return major * 1000 + minor
end

local CONFIG = [[
[databases]
* = host=%s
[pgbouncer]
listen_port = 6432
listen_addr =
unix_socket_dir = %s
auth_type = trust
auth_file = %s
logfile = %s
]]

--- Starts one.
-- @param server a cluster
-- @param settings lines of its configuration, by name
-- @return an object with `address`, for `minimax.batch.open`
function pooler.start(server, settings)
  local folder = temp.folder()
  local self = setmetatable({ folder = folder }, Pooler)
  local users = folder:write("users", '"minimax" ""\n')
  local lines = CONFIG:format(server.folder.path, folder.path, users, folder:file "log")
  for name, value in pairs(settings) do
    lines = lines .. name .. " = " .. value .. "\n"
  end
  local config = folder:write("ini", lines)
  local user = cluster.user(folder)
  self.words = user and { "pgbouncer", "-u", user, config } or { "pgbouncer", config }
  self.socket = folder:file ".s.PGSQL.6432"
  self:run()
  self.address = "postgresql://minimax@/postgres?port=6432&host=" .. folder.path:gsub("/", "%%2F")
  return self
end

--- Runs it, and waits until it is there.
function Pooler:run()
  self.process = process.start { command = self.words, directory = "/", timeout = 1200 }
  local deadline = os.time() + PATIENCE
  while not lfs.attributes(self.socket) do
    assert(os.time() < deadline, "pgbouncer does not start: " .. self.process:errors())
    minimax.sleep(0.02)
  end
end

--- Stops it by KILL: what a gentler signal means differs by version.
function Pooler:stop()
  self.process:close()
  os.remove(self.socket)
end

--- Stops it for good; a second call does nothing.
function Pooler:close()
  if self.folder.path then
    self:stop()
    self.folder:close()
  end
end

Pooler.__close = Pooler.close

return pooler
