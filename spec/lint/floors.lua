-- Checks the floors of src/, which are its folders: a file includes headers of
-- its own and of lower floors only, Lua's headers from the third floor up,
-- libcurl's on the second alone; and no two files need each other.

local FLOORS = { base = 1, net = 2, api = 3, run = 4, calls = 5 }
local TOP = 6 -- minimax.c
local LUA_HEADERS = { ["lua.h"] = true, ["lauxlib.h"] = true, ["lualib.h"] = true }

local faults = {}
local needs = {} -- what each file includes; a header and its source are one

local function complain(...)
  faults[#faults + 1] = string.format(...)
end

local function floor_of(path)
  local folder = path:match("^(%l+)/")
  return folder and FLOORS[folder] or not folder and TOP
end

local function check_include(at, floor, header, is_system)
  local other = floor_of(header)
  if LUA_HEADERS[header] then
    if floor < FLOORS.api then
      complain("%s: %s belongs to the floors from api up", at, header)
    end
  elseif header:find("^curl/") then
    if floor ~= FLOORS.net then
      complain("%s: %s belongs to net alone", at, header)
    end
  elseif not is_system and other == TOP then
    complain("%s: %s has no folder: it is included as folder/name.h", at, header)
  elseif not is_system and (not other or other > floor) then
    complain("%s: %s stands on a higher floor, or on none", at, header)
  end
end

local function check_file(path)
  local name = path:match("%f[%w]src/(.*)%.[ch]$")
  local floor = name and floor_of(name)
  if not floor then
    return complain("%s: on no floor", path)
  end
  local needed = needs[name] or {}
  needs[name] = needed
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    local open, header = line:match('^%s*#%s*include%s*([<"])([^>"]+)')
    if open then
      check_include(path .. ":" .. number, floor, header, open == "<")
      if open == '"' then
        needed[header:gsub("%.h$", "")] = true
      end
    end
  end
end

-- Files that lead back to themselves (Tarjan): each such group is one complaint.
local function find_circles()
  local order, low, stack, on_stack, count = {}, {}, {}, {}, 0
  local function visit(file)
    count = count + 1
    order[file], low[file] = count, count
    table.insert(stack, file)
    on_stack[file] = true
    for other in pairs(needs[file] or {}) do
      if other ~= file and not order[other] then
        visit(other)
        low[file] = math.min(low[file], low[other])
      elseif other ~= file and on_stack[other] then
        low[file] = math.min(low[file], order[other])
      end
    end
    if low[file] == order[file] then
      local group = {}
      repeat
        local last = table.remove(stack)
        on_stack[last] = nil
        table.insert(group, last)
      until last == file
      if #group > 1 then
        table.sort(group)
        complain("a circle of %d files: %s", #group, table.concat(group, " "))
      end
    end
  end
  for file in pairs(needs) do
    if not order[file] then
      visit(file)
    end
  end
end

for _, path in ipairs(arg) do
  check_file(path)
end
find_circles()

for _, fault in ipairs(faults) do
  io.stderr:write(fault, "\n")
end
if #faults > 0 then
  os.exit(1)
end
print(#arg .. " files stand on their floors, and none needs itself")
