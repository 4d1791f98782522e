--- The MiniMax video API on the loopback, to test scripts without paying.
--
--     local emu <close> = require "minimax.emulator".start { speed = 60 }
--     local client = require "minimax".new { base_url = emu.base_url, api_key = emu.api_key }
--
-- It runs in a child process, so that a script that blocks can be served, and
-- that process ends with its parent, even after SIGKILL. This face needs plain
-- Lua and lua-cjson, and `minimax` for its errors; the child needs lua-http.
-- @module minimax.emulator

local shell = require "minimax.common.shell"

local emulator = {}

-- Loaded when needed, so that `main` has set the paths before.
local function part(name)
  return require("minimax.emulator." .. name)
end

local Emulator = { __name = "minimax.emulator" }
Emulator.__index = Emulator

-- The interpreter that runs this script, where it says so.
local function interpreter()
  local lowest = 0
  while type(arg) == "table" and arg[lowest - 1] do
    lowest = lowest - 1
  end
  if lowest < 0 then
    return shell.word(arg[lowest])
  end
  local version = _VERSION:match("%d+%.%d+")
  return ('"$(command -v lua%s || command -v lua-%s || command -v lua%s || echo lua)"')
    :format(version, version, (version:gsub("%.", "")))
end

-- The paths are set before its first `require`.
local function program(path, cpath)
  return string.format("package.path, package.cpath = %q, %q", path, cpath)
    .. " require 'minimax.emulator.child'.run()"
end

-- Orders go through a named pipe that is open for both ways here: to write to a
-- pipe whose reader died would kill this program. Its names last only until both
-- sides have opened it.
local function command(lua, code)
  return "unset LD_PRELOAD; folder=$(mktemp -d) && mkfifo -m 600 \"$folder/orders\""
    .. " && echo \"$folder\" && echo $$ && exec " .. lua .. " -e " .. shell.word(code)
    .. " <\"$folder/orders\""
end

local function ask(self, order)
  if not self.orders then
    return nil, "the emulator has been stopped"
  end
  self.orders:write(part "json".encode(order), "\n")
  self.orders:flush()
  local line = self.answers:read("l")
  local answer = line and part "json".decode(line)
  if not answer then
    return nil, "the emulator has died"
  elseif answer.error then
    return nil, answer.error
  end
  return answer
end

local function launch(lua, code)
  local answers = assert(io.popen(command(lua, code), "r"))
  local folder = answers:read("l")
  if not folder then
    answers:close()
    return nil, "no pipe could be made for the emulator's process"
  end
  local pid = math.tointeger(answers:read("n", "l"))
  local orders = assert(io.open(folder .. "/orders", "r+"))
  return { orders = orders, answers = answers, folder = folder, pid = pid }
end

local function start(complete)
  local path, cpath = require "minimax.common.paths".found()
  if not path then
    return nil, cpath
  end
  local self, why = launch(complete.lua and shell.word(complete.lua) or interpreter(),
    program(path, cpath))
  if not self then
    return nil, why
  end
  local answer
  answer, why = ask(self, complete)
  os.remove(self.folder .. "/orders")
  os.remove(self.folder)
  setmetatable(self, Emulator)
  if not answer then
    self:stop()
    return nil, why
  end
  for name, value in pairs(answer) do
    self[name] = value
  end
  self.api_key = complete.api_keys[1]
  return self
end

--- Starts an emulator.
-- @param given a table of options, all optional:
--
--   * `speed`: how many times faster than real its tasks go (60)
--   * `seconds`: how long a task takes at speed 1 (60)
--   * `api_keys`: the keys that it accepts (`{ "sk-api-emulator" }`)
--   * `submit_rate`, `query_rate`: `{ count, seconds }`, in real seconds (none)
--   * `allowed_hosts`: names that it is called by, besides localhost and 127.0.0.1 (`{}`)
--   * `port`, `storage_port`: 0 for any free one (0)
--   * `path_prefix`: what a gateway puts before `/v1` (`""`)
--   * `auth_header`, `auth_scheme`: where the key stands (`Authorization`, `Bearer`)
--   * `wrap`: how deep a gateway wraps a query's reply: 0, 1 or 2 (0)
--   * `ids`: `"string"`, `"number"` (bare, everywhere) or `"ulid"` (`"string"`)
--   * `digits`: the length of ids (18 for template tasks, 15 for all others)
--   * `link_life`: seconds that a link serves (9 h for template tasks, else 1 h)
--   * `video_bytes`: the size of each video (that of a film of 1.5 s)
--   * `fail_rate`: the share of tasks that fail, from 0 to 1 (0)
--   * `seed`: for ids and failures; the same seed makes the same (1)
--   * `tls`: TLS with a certificate of its own, and HTTP/2 (false)
--   * `lua`: the interpreter of its process (the one that runs this script)
-- @return an object with `base_url`, `storage_url`, `port`, `storage_port`,
--   `api_key`, `pid`, `ca_file` (with `tls`), `env` (environment variables for a script
--   that is to use it) and the methods below; or nil and an error. It stops at the
--   end of a `<close>` variable's block, or when it is collected.
function emulator.start(given)
  local self, why = start(part "options".complete(given, 2))
  if not self then
    return nil, require "minimax.common.fault".new("io", "%s", why)
  end
  return self
end

--- The emulator as a program of its own, see doc/emulator.md; it does not return.
-- @param words its arguments (those of this script)
function emulator.main(words)
  require "minimax.common.paths".prepare()
  part "main".run(words or arg)
end

local function must(answer, why)
  if not answer then
    error("minimax.emulator: " .. why, 3)
  end
  return answer
end

--- Every request since the start or the last `clear`, in the order of arrival; of
-- more than 10,000 the newest.
-- @param filter `endpoint`, `method`, `path`: what an entry must have (optional)
-- @return a list of tables: `method`, `path`, `query`, `headers` (names in lower
--   case), `body` (decoded JSON, long strings shortened), `bytes`, `time` (Unix
--   seconds), `endpoint`, `attempt` (which of that endpoint, from 1), `http`
function Emulator:requests(filter)
  local found = {}
  for _, entry in ipairs(must(ask(self, { order = "requests" })).requests) do
    local fits = true
    for name, value in pairs(filter or {}) do
      fits = fits and entry[name] == value
    end
    if fits then
      found[#found + 1] = entry
    end
  end
  return found
end

--- Makes a request go wrong.
-- @param rule a table: `endpoint` ("submit", "query", "retrieve",
--   "retrieve_content", "upload", "list", "cancel", "storage", "call", or a path);
--   `fault`, one of those in doc/emulator.md; `attempt`, which requests of that
--   endpoint since the start or the last `clear` (a number, a list, or "all";
--   without it the next `times`, 1); `created`, whether the request does its
--   work all the same; and what the fault itself takes
function Emulator:fault(rule)
  local ok, why = part "faults".check(rule)
  if not ok then
    error("minimax.emulator: " .. why, 2)
  end
  must(ask(self, { order = "fault", rule = rule }))
end

--- Every task that was created: what a real account would have paid for.
-- @return a list of tables: `task_id`, `kind`, `state`, `file_id`, `deleted`, `request`
function Emulator:tasks()
  return must(ask(self, { order = "tasks" })).tasks
end

--- Every request to a `callback_url` since the start or the last `clear`; of more
-- than 10,000 the newest.
-- @return a list of tables: `task_id`, `url`, `body`; and once it is answered
--   `status` (HTTP) and `answer` (text), or `error`; `passed` for a challenge
function Emulator:callbacks()
  return must(ask(self, { order = "callbacks" })).callbacks
end

--- Moves all tasks on, as if that much time had passed at speed 1.
-- @param seconds number
function Emulator:advance(seconds)
  must(ask(self, { order = "advance", seconds = seconds }))
end

--- Forgets the requests, the counts of attempts and the faults; tasks stay.
function Emulator:clear()
  must(ask(self, { order = "clear" }))
end

--- Ends the emulator's process and waits for it. May be called again.
function Emulator:stop()
  local orders, answers = self.orders, self.answers
  self.orders, self.answers = nil, nil
  if orders then
    orders:write(part "json".encode { order = "stop" }, "\n")
    orders:close()
    answers:close()
  end
end

Emulator.__close = Emulator.stop
Emulator.__gc = Emulator.stop

return emulator
