-- Checks the four floors of src/ (the table is the file `floors` beside this
-- one): a file includes only headers of its own and of lower floors, Lua's
-- headers from the third floor up, libcurl's on the second alone.

local here = arg[0]:match("^(.*/)") or "./"
local faults = {}

local function complain(...)
  faults[#faults + 1] = string.format(...)
end

local function read_floors(path)
  local floor_of = {}
  for line in io.lines(path) do
    local number, names = line:match("^(%d) (.*)$")
    for name in names:gmatch("%S+") do
      floor_of[name] = tonumber(number)
    end
  end
  return floor_of
end

local floor_of = read_floors(here .. "floors")

local LUA_HEADERS = { ["lua.h"] = true, ["lauxlib.h"] = true, ["lualib.h"] = true }

local function check_include(at, floor, header, is_system)
  local other = floor_of[header:match("^(.*)%.h$")]
  if LUA_HEADERS[header] then
    if floor < 3 then
      complain("%s: %s belongs to floors 3 and 4, this file stands on floor %d", at, header, floor)
    end
  elseif header:find("^curl/") then
    if floor ~= 2 then
      complain("%s: %s belongs to floor 2, this file stands on floor %d", at, header, floor)
    end
  elseif not is_system and not other then
    complain("%s: %s is on no floor", at, header)
  elseif not is_system and other > floor then
    complain("%s: %s stands on floor %d, this file on floor %d", at, header, other, floor)
  end
end

local function check_file(path)
  local name = path:match("([^/]+)%.[ch]$")
  local floor = floor_of[name]
  if not floor then
    return complain("%s: on no floor: add %s to spec/lint/floors", path, name)
  end
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    local open, header = line:match('^%s*#%s*include%s*([<"])([^>"]+)')
    if open then
      check_include(path .. ":" .. number, floor, header, open == "<")
    end
  end
end

for _, path in ipairs(arg) do
  check_file(path)
end

for _, fault in ipairs(faults) do
  io.stderr:write(fault, "\n")
end
if #faults > 0 then
  os.exit(1)
end
print(#arg .. " files stand on their floors")
