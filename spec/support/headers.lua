--- How a program in C finds the headers of the Lua that runs the specs, and of
-- libcurl.
--
--     "cc -Isrc " .. headers.flags() .. " host.c " .. headers.flags "--libs"

local headers = {}

--- The version of this Lua, such as "5.4".
headers.version = _VERSION:match("%d+%.%d+")

local function output(command)
  local pipe = assert(io.popen(command .. " 2>/dev/null"))
  local text = pipe:read("a")
  return pipe:close() and text:gsub("%s+$", "")
end

--- The name that pkg-config knows this Lua by, or nil: it differs from system to
-- system, and plain `lua` may be another version.
function headers.package()
  local version = headers.version
  for _, name in ipairs { "lua" .. version, "lua-" .. version, "lua" .. version:gsub("%.", ""),
    "lua" } do
    local modversion = output("pkg-config --modversion " .. name)
    if modversion and modversion:find(version, 1, true) == 1 then
      return name
    end
  end
end

--- What the compiler has to be told.
-- @param what "--cflags" (also where nothing is given) or "--libs"
-- @return words for the shell
function headers.flags(what)
  local name = headers.package()
  return name and output(("pkg-config %s %s libcurl"):format(what or "--cflags", name)) or ""
end

return headers
