--- A PostgreSQL server of the spec's own: made with initdb in a temporary
-- folder, listening on a socket there and nowhere else.

local lfs = require "lfs"
local process = require "spec.support.process"
local temp = require "spec.support.temp"

local cluster = {}

local Cluster = {}
Cluster.__index = Cluster

-- The folder of PostgreSQL's programs, which Debian keeps out of PATH.
local function find_programs()
  local newest
  local where = "/usr/lib/postgresql"
  if lfs.attributes(where, "mode") == "directory" then
    for version in lfs.dir(where) do
      local folder = where .. "/" .. version .. "/bin"
      if lfs.attributes(folder .. "/initdb", "mode") == "file" and folder > (newest or "") then
        newest = folder
      end
    end
  end
  if newest then
    return newest
  end
  local path = process.run { command = { "sh", "-c", "command -v initdb" } }.out
  return path:match("^(.*)/initdb\n$")
end

-- PostgreSQL refuses to run as root.
local function as_server(words)
  local user = process.run { command = { "id", "-u" } }.out
  if user ~= "0\n" then
    return words
  end
  return table.move(words, 1, #words, 5, { "runuser", "-u", "postgres", "--" })
end

local function run(words)
  local result = process.run { command = as_server(words), directory = "/", timeout = 120 }
  if result.code ~= 0 then
    error(table.concat(words, " ") .. ": " .. result.out .. result.err, 2)
  end
end

--- The user of the servers where root starts them, whom a folder then is given to;
-- nil elsewhere.
function cluster.user(folder)
  if process.run { command = { "id", "-u" } }.out == "0\n" then
    run { "true" } -- is there a user postgres at all?
    assert(process.run { command = { "chown", "-R", "postgres", folder.path } }.code == 0)
    return "postgres"
  end
end

--- Why there can be no cluster here, or nil.
function cluster.missing()
  if not find_programs() then
    return "PostgreSQL is not installed (Debian: apt-get install postgresql)"
  elseif not pcall(require, "dbd.postgresql") then
    return "LuaDBI's PostgreSQL driver is not installed (Debian: lua-dbi-postgresql)"
  end
end

--- Makes and starts one.
-- @return an object with `address`, for `minimax.batch.open`
function cluster.start()
  local folder = temp.folder()
  local self = setmetatable({ folder = folder, programs = find_programs() }, Cluster)
  cluster.user(folder)
  run { self.programs .. "/initdb", "-D", folder:file "data", "-A", "trust", "-U", "minimax",
    "--no-sync" }
  self:up()
  self.address = "postgresql://minimax@/postgres?host=" .. folder.path:gsub("/", "%%2F")
  return self
end

--- Starts the server, and waits until it answers.
-- @param fsync false: without waiting for the disk
function Cluster:up()
  run { self.programs .. "/pg_ctl", "-D", self.folder:file "data", "-w", "-t", "60", "-l",
    self.folder:file "log", "-o", "-k " .. self.folder.path .. " -h '' -c max_connections=40",
    "start" }
end

--- Stops it.
-- @param mode "fast" (default) or "immediate", which is a crash
function Cluster:down(mode)
  run { self.programs .. "/pg_ctl", "-D", self.folder:file "data", "-w", "-m", mode or "fast",
    "stop" }
end

--- Stops it and removes all of it; a second call does nothing.
function Cluster:close()
  if self.folder.path then
    pcall(self.down, self, "immediate")
    self.folder:close()
  end
end

Cluster.__close = Cluster.close
Cluster.__gc = Cluster.close

return cluster
