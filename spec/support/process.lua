--- Runs a script in a child process and collects what became of it.
--
--     local result = process.run {
--       script = [[ print(os.getenv "NAME") ]],
--       env = { NAME = "value", OTHER = false },
--       timeout = 10,
--     }
--     -- result.code, result.signal, result.out, result.err, result.timed_out

local needs = require "spec.support.needs"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"

local process = {}

local Process = {}
Process.__index = Process
Process.__name = "process"

-- A sanitizer is loaded into Lua alone, not into the tools around it.
local PRELOAD = os.getenv("LD_PRELOAD")

--- The words that start Lua as here, for commands of other tools.
process.lua = { "env", "LD_PRELOAD=" .. (PRELOAD or ""), shell.interpreter() }

local function environment(env, preload)
  local words = { "env" }
  for name, value in pairs(env) do
    if value == false then
      table.insert(words, 2, "--unset=" .. name)
    elseif name == "LD_PRELOAD" and preload then
      words[#words + 1] = name .. "=" .. preload .. " " .. value -- a sanitizer comes first
    else
      words[#words + 1] = name .. "=" .. value
    end
  end
  if preload and env.LD_PRELOAD == nil then
    words[#words + 1] = "LD_PRELOAD=" .. preload
  end
  return words
end

local function command(options, folder)
  local words = environment(options.env or {}, not options.command and PRELOAD)
  if options.command then
    table.move(options.command, 1, #options.command, #words + 1, words)
  else
    table.move(options.under or {}, 1, #(options.under or {}), #words + 1, words)
    words[#words + 1] = shell.interpreter()
    words[#words + 1] = options.file or folder:write("script.lua", options.script)
    needs.all_of(words[#words])
    table.move(options.args or {}, 1, #(options.args or {}), #words + 1, words)
  end
  return words
end

--- Starts a child and returns at once.
-- @param options
--   `script` Lua source, or `file` a Lua file, or `command` a list of words;
--   `args` for the script; `under` a list of words that runs the interpreter;
--   `env` name to value, false takes a variable away;
--   `stdin` a string (nothing by default); `directory`;
--   `timeout` seconds until the child is killed (60)
-- @return a process with `pid`, the child's own
function process.start(options)
  local folder = temp.folder()
  local stdin = options.stdin and folder:write("stdin", options.stdin) or "/dev/null"
  local inner = "exec 2>" .. shell.quote(folder:file("stderr")) .. " <" .. shell.quote(stdin)
    .. '; echo $$; cd "$1" || exit 126; shift; exec "$@"'
  local words = { "env", "--unset=LD_PRELOAD", "timeout", "--kill-after=2", options.timeout or 60,
    "sh", "-c", inner, "sh", options.directory or "." }
  local child = command(options, folder)
  table.move(child, 1, #child, #words + 1, words)
  local pipe = assert(io.popen("exec " .. shell.join(words), "r"))
  local pid = assert(tonumber(pipe:read("l")), "the child did not start")
  local deadline = os.time() + (options.timeout or 60)
  return setmetatable({ pid = pid, pipe = pipe, folder = folder, deadline = deadline }, Process)
end

--- Reads from what the child prints, as `file:read` does; waits for it.
function Process:read(...)
  return self.pipe:read(...)
end

--- Sends a signal by its name, such as "INT".
function Process:signal(name)
  local kill = "kill -" .. name .. " " .. self.pid .. " 2>/dev/null"
  return os.execute("exec " .. shell.join { "env", "--unset=LD_PRELOAD", "sh", "-c", kill })
end

--- What the child has written to its standard error so far.
function Process:errors()
  return self.folder:read("stderr")
end

--- Waits for the child's end.
-- @return a table: `code` its exit code, or `signal` the number that killed it;
--   `timed_out`; `out` and `err`, what it printed and was not read before
function Process:finish()
  local out = self.pipe:read("a")
  local _, how, number = self.pipe:close()
  self.pipe = nil
  local result = { out = out, err = self:errors() or "" }
  if how == "signal" then
    result.signal = number
  elseif number > 128 then
    result.signal = number - 128
  else
    result.code = number
  end
  -- `timeout` says 124 for itself, and dies of the KILL that it has to send.
  result.timed_out = number == 124 or result.signal == 9 and os.time() >= self.deadline
  self:close()
  return result
end

--- Kills the child if it still runs and removes what was kept for it.
function Process:close()
  if self.pipe then
    self:signal("KILL")
    self.pipe:close()
    self.pipe = nil
  end
  self.folder:close()
end

Process.__close = Process.close
Process.__gc = Process.close

--- Runs a child to its end.
-- @param options as for `start`
-- @return as `finish`
function process.run(options)
  return process.start(options):finish()
end

return process
