--- Runs spec files, each by busted in a process of its own, and watches them: an
-- example that hangs or ends its process is named and counts as failed, and the
-- other files go on. The last line is `N passed, N failed`.
--
--     lua5.4 spec/support/run.lua [--busted-option=...] [FILE or FOLDER ...]
--
-- SPEC_SECONDS says how long an example may take (120), SPEC_JOBS how many files
-- run at a time (one more than there are processors); where it is more than one,
-- what a file prints is shown when it ends. Ctrl-C ends them all.

local lfs = require "lfs"
local native = require "spec.support.native"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"

local SECONDS = tonumber(os.getenv "SPEC_SECONDS") or 120
local HUP, INT, KILL, TERM = 1, 2, 9, 15

local posix = native.module "posix"
local JOBS = tonumber(os.getenv "SPEC_JOBS") or posix.processors() + 1
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

-- Starts a file; where others run beside it, what it prints is kept.
-- @return its process, and what is known of it: its `path`, its `folder` with its
--   report and what it printed, and `since` when the report has had its `size`
local function start(path, options, is_alone)
  local folder = temp.folder()
  local words = { shell.interpreter(), "spec/support/busted.lua", "-Xoutput",
    folder:file "report" }
  table.move(options, 1, #options, #words + 1, words)
  words[#words + 1] = path
  local pid = is_alone and posix.spawn(table.unpack(words))
    or posix.spawn_into(folder:file "printed", table.unpack(words))
  return pid, { path = path, folder = folder, size = 0, since = posix.now() }
end

-- Kills a file's process where its report stands still.
local function watch(pid, file)
  local size = lfs.attributes(file.folder:file "report", "size") or 0
  if size ~= file.size then
    file.size, file.since = size, posix.now()
  elseif not file.why and posix.now() - file.since > SECONDS then
    file.why = ("hung for %d s and was killed\n    with its processes: %s")
      :format(SECONDS, kill_tree(pid))
  end
end

-- Shows and counts a file whose process has ended, with a code or by a signal.
local function finish(file, code, signal)
  io.write(file.folder:read "printed" or "")
  local report = read_report(file.folder)
  if report.now ~= "the end" or not code or code ~= 0 and report.failed == 0 then
    print(("%s: %s\n  failed: %s"):format(file.path, report.now,
      file.why or code and "ended with code " .. code or "died of signal " .. signal))
    report.failed = report.failed + 1
  end
  for name, count in pairs(total) do
    total[name] = count + report[name]
  end
  io.flush()
  file.folder:close()
end

-- What is said last.
local function conclude()
  if total.pending > 0 then
    print(total.pending .. " pending, see above")
  end
  print(total.passed .. " passed, " .. total.failed .. " failed")
end

-- Ends all files and this process, as the signal would have.
local function leave(signal, running)
  for pid in pairs(running) do
    kill_tree(pid)
  end
  for _, file in pairs(running) do
    finish(file, nil, signal)
  end
  conclude()
  os.exit(128 + signal, true)
end

-- Runs the files, so many at a time.
local function run(files, options, jobs)
  local running, count, next_file = {}, 0, 1
  while count > 0 or files[next_file] do
    while count < jobs and files[next_file] do
      local pid, file = start(files[next_file], options, jobs == 1)
      running[pid], count, next_file = file, count + 1, next_file + 1
    end
    local pid, code, signal = posix.wait_any(1)
    if posix.caught() ~= 0 then
      leave(posix.caught(), running)
    end
    if running[pid] then
      finish(running[pid], code, signal)
      running[pid], count = nil, count - 1
    end
    for each, file in pairs(running) do
      watch(each, file)
    end
  end
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
for _, signal in ipairs { HUP, INT, TERM } do
  posix.catch(signal)
end
run(files, options, math.min(JOBS, #files))
conclude()
os.exit(total.failed == 0, true)
