--- Finds lua-http where it was installed for another Lua.

local paths = {}

-- Debian installs lua-http and what it needs of plain Lua for older versions only.
-- The same files run on this one, so those folders stand at the end of the path.
local SYSTEM = "/usr/share/lua/%s/?.lua;/usr/share/lua/%s/?/init.lua"

local function extended(path)
  for minor = tonumber(_VERSION:match("%.(%d+)")) - 1, 1, -1 do
    local folders = SYSTEM:gsub("%%s", "5." .. minor)
    if not path:find(folders, 1, true) then
      path = path .. ";" .. folders
    end
  end
  return path
end

--- Looks for lua-http, and extends `package.path` only if that finds it.
-- @return true, or nil and what to install
function paths.prepare()
  if package.searchpath("http.server", package.path) then
    return true
  end
  local longer = extended(package.path)
  if package.searchpath("http.server", longer) then
    package.path = longer
    return true
  end
  return nil, "minimax.emulator needs lua-http: install the rock 'http' "
    .. "(luarocks install http) or Debian's package 'lua-http'"
end

return paths
