--- Runs spec files, each by busted in a process of its own, and watches them: an
-- example that hangs or ends its process is named and counts as failed, and the
-- other files go on. The last line is `N passed, N failed`.
--
--     lua5.4 spec/support/run.lua [--busted-option=...] [FILE or FOLDER ...]
--
-- SPEC_SECONDS says how long an example may take (120).

local lfs = require "lfs"
local native = require "spec.support.native"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"

local SECONDS = tonumber(os.getenv "SPEC_SECONDS") or 120
local KILL = 9

local posix = native.module "posix"
local total = { passed = 0, failed = 0, pending = 0 }

-- The spec files among and below the paths, in order.
local function collect(path, files)
  if lfs.attributes(path, "mode") ~= "directory" then
    files[#files + 1] = path
    return
  end
  local names = {}
  for name in lfs.dir(path) do
    local mode = lfs.attributes(path .. "/" .. name, "mode")
    if not name:find "^%." and (mode == "directory" or name:find "_spec%.lua$") then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    collect(path .. "/" .. name, files)
  end
end

-- How far a file is: `now` is what runs, as summary.lua wrote it.
local function read_report(folder)
  local last = (folder:read "report" or ""):match "([^\n]*)\n[^\n]*$" or ""
  local passed, failed, pending, now = last:match "^(%d+)\t(%d+)\t(%d+)\t(.*)$"
  return { passed = tonumber(passed) or 0, failed = tonumber(failed) or 0,
    pending = tonumber(pending) or 0, now = now or "its first example" }
end

local function read_all(path)
  local file = io.open(path)
  local text = file and file:read "a"
  if file then
    file:close()
  end
  return text or ""
end

-- A process and all that it started, each as { pid, command }.
local function tree(pid, found)
  found = found or {}
  found[#found + 1] = { pid, (read_all("/proc/" .. pid .. "/cmdline"):gsub("%z", " ")) }
  for name in lfs.dir "/proc" do
    local parent = name:find "^%d+$" and read_all("/proc/" .. name .. "/stat"):match "%) %S+ (%d+)"
    if tonumber(parent) == pid then
      tree(tonumber(name), found)
    end
  end
  return found
end

-- Kills a process and all that it started.
-- @return the commands of the latter, for people
local function kill_tree(pid)
  local commands = {}
  for i, process in ipairs(tree(pid)) do
    posix.kill(process[1], KILL)
    commands[i] = process[2]:sub(1, 200)
  end
  table.remove(commands, 1)
  return #commands > 0 and table.concat(commands, "\n      ") or "none"
end

-- Waits for a file's process, and kills it where its report stands still.
-- @return its code, or nil and why there is none
local function watch(pid, folder)
  local size, since = 0, posix.now()
  while true do
    local code, signal = posix.wait(pid, 1)
    if code then
      return code
    elseif code == nil then
      return nil, "died of signal " .. signal
    end
    local now = lfs.attributes(folder:file "report", "size") or 0
    if now ~= size then
      size, since = now, posix.now()
    elseif posix.now() - since > SECONDS then
      local commands = kill_tree(pid)
      posix.wait(pid)
      return nil, ("hung for %d s and was killed\n    with its processes: %s")
        :format(SECONDS, commands)
    end
  end
end

local function run_file(path, options)
  local folder <close> = temp.folder()
  local words = { shell.interpreter(), "spec/support/busted.lua", "-Xoutput",
    folder:file "report" }
  table.move(options, 1, #options, #words + 1, words)
  words[#words + 1] = path
  local pid = posix.spawn(table.unpack(words))
  local ended, code, why = pcall(watch, pid, folder)
  if not ended then -- Ctrl-C
    kill_tree(pid)
    error(code, 0)
  end
  local report = read_report(folder)
  if report.now ~= "the end" or not code or code ~= 0 and report.failed == 0 then
    print(("%s: %s\n  failed: %s"):format(path, report.now, why or "ended with code " .. code))
    report.failed = report.failed + 1
  end
  for name, count in pairs(total) do
    total[name] = count + report[name]
  end
  io.flush()
end

local files, options = {}, {}
for _, word in ipairs(arg) do
  if word:find "^%-" then
    options[#options + 1] = word
  else
    collect(word, files)
  end
end
if #files == 0 then
  collect("spec", files)
end
for _, path in ipairs(files) do
  run_file(path, options)
end
if total.pending > 0 then
  print(total.pending .. " pending, see above")
end
print(total.passed .. " passed, " .. total.failed .. " failed")
os.exit(total.failed == 0, true)
