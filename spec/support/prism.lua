--- Runs Prism, which nobody here wrote, on an OpenAPI document: as a mock that
-- answers from the document, or as a proxy that checks both directions.
--
--     assert(prism.install())
--     local proxy <close> = prism.proxy("spec/openapi/files.yaml", upstream)
--     -- ... requests to proxy.url ...
--     assert.same({}, proxy:violations())
--
-- What to know of Prism 5: a body above 10 MB is refused with 413; any body that
-- is not JSON passes as UTF-8 text, which spoils binary ones; a schema that it
-- cannot compile is silently not checked, so each one needs a case that fails.

local cqueues = require "cqueues"
local npm = require "spec.support.npm"
local request = require "http.request"
local temp = require "spec.support.temp"

local prism = {}

local Server = {}
Server.__index = Server
Server.__name = "prism"

local FOLDER = "build/prism"
local PROGRAM = FOLDER .. "/node_modules/.bin/prism"
local START_SECONDS = 120
local LOG_SECONDS = 30

-- The last release that runs on Debian 12's Node 18. Its parts ask for any newer
-- part, and those need Node 20: so each is named.
local PACKAGE = [[{
  "dependencies": { "@stoplight/prism-cli": "5.12.0" },
  "overrides": {
    "@stoplight/prism-core": "5.8.0",
    "@stoplight/prism-http": "5.12.0",
    "@stoplight/prism-http-server": "5.12.0"
  }
}]]

--- Installs Prism from npm under build/prism, once.
-- @return true, or nil and the reason
function prism.install()
  return npm.install("Prism", FOLDER, PROGRAM, PACKAGE)
end

--- Installs Prism, and says how a spec file declares a case that needs it.
-- @param it, pending busted's
-- @return `it`, or a function that declares the case as pending with the reason
-- @return whether Prism is there
function prism.cases(it, pending)
  local installed, why = prism.install()
  if installed then
    return it, true
  end
  return function(title)
    pending(title .. ": " .. why)
  end, false
end

-- The child ends when its standard input does: with close, or with us. A Ctrl-C
-- reaches the shell too and must leave it the time to end the server.
local RUN = [[
  trap : INT
  log="$1"; shift
  "$@" >"$log" 2>&1 </dev/null & child=$!
  cat >/dev/null
  exec 2>/dev/null
  kill "$child"; wait "$child"
]]

-- Reads the log until `find(text)` gives a value.
local function wait_for(server, seconds, find)
  local deadline = cqueues.monotime() + seconds
  repeat
    local text = server:log()
    local value = find(text)
    if value then
      return value
    end
    cqueues.sleep(0.01)
  until text:find("fatal", 1, true) or cqueues.monotime() > deadline
  error("Prism's log does not say what was awaited:\n" .. server:log():sub(1, 1000), 0)
end

local function get(url)
  local headers, stream = request.new_from_uri(url):go(LOG_SECONDS)
  if not headers then
    return nil, stream
  end
  local body, err = stream:get_body_as_string(LOG_SECONDS)
  stream:shutdown()
  return body, err
end

local function start(...)
  local folder = temp.folder()
  local words = npm.tool(RUN, folder:file("log"), PROGRAM, ...)
  local pipe = assert(io.popen(words, "w"))
  local server = setmetatable({ pipe = pipe, folder = folder, marks = 0 }, Server)
  local ok, result = pcall(wait_for, server, START_SECONDS, function(text)
    return text:match("Prism is listening on (http://[%d.:]+)")
  end)
  if ok then
    server.url = result
    ok, result = get(result .. "/ready")
  end
  if not ok then
    server:close()
    error(result, 0)
  end
  return server
end

--- Starts a mock server for a document; it answers with the examples.
-- @return a server with `url`
function prism.mock(document)
  return start("mock", "-h", "127.0.0.1", "-p", "0", "--errors", document)
end

--- Starts a proxy that answers 4xx for a request and 500 for a reply that the
-- document does not allow.
-- @param upstream the base URL of the server behind it
-- @return a server with `url`
function prism.proxy(document, upstream)
  return start("proxy", "-h", "127.0.0.1", "-p", "0", "--errors", document, upstream)
end

--- What Prism has logged so far.
function Server:log()
  return self.folder:read("log") or ""
end

-- The log is written behind the replies: it holds all of the requests before
-- one of our own as soon as it holds that one.
local function settled_log(server)
  server.marks = server.marks + 1
  local mark = "/mark-" .. server.marks .. "-"
  assert(get(server.url .. mark))
  return wait_for(server, LOG_SECONDS, function(text)
    return text:find(mark, 1, true) and text
  end)
end

local function is_ours(line)
  return line:find(" /ready ", 1, true) or line:find(" /mark%-%d+%- ")
end

--- The complaints of either direction so far, errors and warnings.
-- @return a list of log lines
function Server:violations()
  local found = {}
  for line in settled_log(self):gmatch("[^\n]+") do
    local complaint = line:find("Violation:", 1, true) or line:find(" error ", 1, true)
    if complaint and not is_ours(line) then
      found[#found + 1] = line
    end
  end
  return found
end

--- The replies that came through a proxy so far.
-- @return a list such as `{ "/v1/video_generation 200" }`
function Server:replies()
  local found = {}
  for path, status in settled_log(self):gmatch("call to (%S+) has returned (%d+)") do
    found[#found + 1] = path .. " " .. status
  end
  return found
end

--- Ends the server; a second call does nothing.
function Server:close()
  if self.pipe then
    self.pipe:close()
    self.pipe = nil
    self.folder:close()
  end
end

Server.__close = Server.close
Server.__gc = Server.close

return prism
