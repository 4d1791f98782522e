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

local function check_system_header(at, floor, header)
  if header:find("^curl/") and floor ~= 2 then
    complain("%s: <%s> belongs to floor 2, this file stands on floor %d", at, header, floor)
  elseif (header == "lua.h" or header == "lauxlib.h" or header == "lualib.h") and floor < 3 then
    complain("%s: <%s> belongs to floors 3 and 4, this file stands on floor %d", at, header, floor)
  end
end

local function check_own_header(at, floor, header)
  local other = floor_of[header:match("^(.*)%.h$")]
  if not other then
    complain('%s: "%s" is on no floor', at, header)
  elseif other > floor then
    complain('%s: "%s" stands on floor %d, this file on floor %d', at, header, other, floor)
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
      local check = header:find("^l%a*%.h$") and floor_of[header:sub(1, -3)] == nil
        and check_system_header or open == "<" and check_system_header or check_own_header
      check(path .. ":" .. number, floor, header)
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
