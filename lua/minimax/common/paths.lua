--- Where the emulator's process finds its modules: lua-http also where it was
-- installed for another Lua, and nothing in the folder where it happens to run.

local shell = require "minimax.common.shell"

local paths = {}

-- Debian installs lua-http and what it needs of plain Lua for older versions only.
-- The same files run on this one, so those folders stand at the end of the path.
local SYSTEM = "/usr/share/lua/%s/?.lua;/usr/share/lua/%s/?/init.lua"

local LUA_HTTP = "http.server"

local function extended(path)
  for minor = tonumber(_VERSION:match("%.(%d+)")) - 1, 1, -1 do
    local folders = SYSTEM:gsub("%%s", "5." .. minor)
    if not path:find(folders, 1, true) then
      path = path .. ";" .. folders
    end
  end
  return path
end

-- The entries that mean the same file in each folder.
local function absolute(path)
  local kept = {}
  for entry in path:gmatch("[^;]+") do
    kept[#kept + 1] = entry:sub(1, 1) == "/" and entry or nil
  end
  return table.concat(kept, ";")
end

-- A tree of ours that was reached by a relative entry is found all the same, after
-- everything else.
local function with_own(path, given)
  local here = "minimax.common.paths"
  local own = not package.searchpath(here, path) and package.searchpath(here, given)
  local root = own and own:match("^(.*)minimax/common/paths%.lua$")
  return root and path .. ";" .. shell.folder() .. "/" .. root .. "?.lua" or path
end

--- The paths for a process of the emulator, without a change to those of this one.
-- @return `package.path` and `package.cpath` for it; or nil and what to install
function paths.found()
  local path, cpath = with_own(absolute(package.path), package.path), absolute(package.cpath)
  if package.searchpath(LUA_HTTP, path) then
    return path, cpath
  end
  path = extended(path)
  if package.searchpath(LUA_HTTP, path) then
    return path, cpath
  end
  return nil, "minimax.emulator needs lua-http: install the rock 'http' "
    .. "(luarocks install http) or Debian's package 'lua-http'"
end

--- Sets the paths of this process, which is the emulator's.
-- @return true, or nil and what to install
function paths.prepare()
  local path, cpath = paths.found()
  if not path then
    return nil, cpath
  end
  package.path, package.cpath = path, cpath
  return true
end

return paths
