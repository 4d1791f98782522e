-- Checks that each rockspec lists every C source and every Lua module, and
-- nothing else; what is missing is printed as it has to be written.

local lfs = require "lfs"

local function each_file(folder, pattern, found)
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    if name ~= "." and name ~= ".." and lfs.attributes(path, "mode") == "directory" then
      each_file(path, pattern, found)
    elseif name:find(pattern) then
      found[path] = true
    end
  end
  return found
end

local function read(path)
  local rockspec = {}
  assert(loadfile(path, "t", rockspec))()
  return rockspec
end

local function module_name(path)
  return path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
end

-- What the rockspec lists as a path, and the name of each Lua module there.
local function listed_files(modules)
  local listed = {}
  for name, module in pairs(modules) do
    if type(module) == "string" then
      listed[module] = name
    else
      for _, source in ipairs(module.sources) do
        listed[source] = name
      end
    end
  end
  return listed
end

local complaints = {}

local function complain(path, ...)
  table.insert(complaints, path .. ": " .. string.format(...))
end

local function check(path, present)
  local listed = listed_files(read(path).build.modules)
  for file in pairs(present) do
    if not listed[file] and file:find("%.c$") then
      complain(path, 'missing source: "%s",', file)
    elseif not listed[file] then
      complain(path, 'missing module: ["%s"] = "%s",', module_name(file), file)
    elseif file:find("%.lua$") and listed[file] ~= module_name(file) then
      complain(path, "%s is no name for %s", listed[file], file)
    end
  end
  for file in pairs(listed) do
    if not present[file] then
      complain(path, "there is no %s", file)
    end
  end
end

local present = each_file("src", "%.c$", {})
each_file("lua", "%.lua$", present)
for _, path in ipairs(arg) do
  check(path, present)
end
table.sort(complaints)
for _, complaint in ipairs(complaints) do
  io.stderr:write(complaint, "\n")
end
if #complaints > 0 then
  os.exit(1)
end
