--- The places where a wait can be called: each a program that runs the cases of
-- `place_cases.lua` in its own loop.
--
--     for _, place in ipairs(places.list) do
--       local child = places.start(place, api, folder)
--       -- "a poll that fails" → "fine", for each case
--       local results = places.finish(child)
--     end

local headers = require "spec.support.headers"
local process = require "spec.support.process"

local places = {}

--- The places, each a table: `name`, `script`, and `alone` where no coroutine
-- goes on beside the wait.
places.list = {}

-- A script calls `cases.run(place)` where it is to wait.
local function add(name, script)
  table.insert(places.list, { name = name, script = script,
    alone = not script:find("place.spawn", 1, true) })
end

add("the main thread", [[
  cases.run(place)
]])

add("a sort comparator in a coroutine", [[
  coroutine.wrap(function()
    local ran
    table.sort({ 1, 2 }, function(a, b)
      if not ran then
        ran = true
        cases.run(place)
      end
      return a < b
    end)
  end)()
]])

add("a gsub callback in a coroutine", [[
  coroutine.wrap(function()
    local _ = ("x"):gsub("x", function()
      cases.run(place)
    end)
  end)()
]])

add("a chunk that is required in a coroutine", [[
  package.preload.chunk = function()
    cases.run(place)
  end
  coroutine.wrap(function()
    require "chunk"
  end)()
]])

local RUN = [[
  place.spawn = minimax.spawn
  function place.nap()
    minimax.sleep(0.001)
  end
  local ok, err = pcall(minimax.run, cases.run, place)
  tolerate(ok, err)
]]

add("minimax.run", RUN)

-- A loop like a game's: each coroutine is resumed once a frame.
add("bare coroutines", [[
  local socket = require "socket"
  local crew = {}
  function place.spawn(fn)
    crew[#crew + 1] = coroutine.create(fn)
  end
  place.nap = coroutine.yield
  place.spawn(function()
    cases.run(place)
  end)
  while #crew > 0 do
    for i = #crew, 1, -1 do
      if coroutine.status(crew[i]) ~= "dead" then
        tolerate(coroutine.resume(crew[i]))
      else
        table.remove(crew, i)
      end
    end
    socket.sleep(0.001)
  end
]])

-- A coroutine that ends with an error, or was closed, ends the loop's turn.
local CQUEUES = [[
  local cqueues = require "cqueues"
  local controller = cqueues.new()
  function place.spawn(fn)
    controller:wrap(fn)
  end
  function place.nap()
    cqueues.sleep(0.001)
  end
]]

add("cqueues", CQUEUES .. [[
  controller:wrap(cases.run, place)
  repeat
    tolerate(controller:loop())
  until controller:empty()
]])

add("a handler of lua-http", CQUEUES .. [[
  local headers = require "http.headers"
  local request = require "http.request"
  local server = assert(require "http.server".listen {
    host = "127.0.0.1", port = 0, cq = controller,
    onstream = function(_, stream)
      assert(stream:get_headers())
      cases.run(place)
      local reply = headers.new()
      reply:append(":status", "200")
      assert(stream:write_headers(reply, false))
      assert(stream:write_chunk("served", true))
    end,
  })
  assert(server:listen())
  local served
  controller:wrap(function()
    local _, _, port = server:localname()
    local asked = request.new_from_uri("http://127.0.0.1:" .. port .. "/")
    local _, stream = assert(asked:go())
    served = stream:get_body_as_string()
  end)
  while not served or place.ticking do
    tolerate(controller:step())
  end
  assert(served == "served")
]])

add("luv", [[
  local uv = require "luv"
  require "minimax.luv"
  function place.spawn(fn)
    tolerate(coroutine.resume(coroutine.create(fn)))
  end
  function place.nap()
    local co, timer = coroutine.running(), uv.new_timer()
    timer:start(1, 0, function()
      timer:close()
      tolerate(coroutine.resume(co))
    end)
    coroutine.yield()
  end
  place.spawn(function()
    cases.run(place)
  end)
  uv.run()
]])

-- The loop of old copas never ends, so the script steps it; and it has no sleep.
local COPAS = [[
  local copas = require "copas"
  require "minimax.copas"
  local ended = false
  function place.spawn(fn)
    copas.addthread(fn)
  end
  function place.nap()
    (copas.sleep or minimax.sleep)(0.001)
  end
  copas.addthread(function()
    cases.run(place)
    ended = true
  end)
  while not ended or place.ticking do
    copas.step()
  end
]]

add("copas", COPAS)

-- Debian has an old one; MINIMAX_COPAS may name a LUA_PATH to a newer.
if os.getenv "MINIMAX_COPAS" then
  add("the copas of MINIMAX_COPAS", ("package.path = %q .. ';' .. package.path\n")
    :format(os.getenv "MINIMAX_COPAS") .. COPAS)
end

-- The script itself is a coroutine of the host, which knows but one.
add("a host with poll(2)", RUN)

local PRELUDE = [[
  io.stdout:setvbuf "line"
  local cases = require "spec.support.place_cases"
  local minimax = require "minimax"
  local place = {}
  function place.new_client()
    return minimax.new { base_url = os.getenv "SERVER", api_key = "sk-places",
      poll_interval = 0.01 }
  end
  place.client = place.new_client()
  -- The errors that the cases leave to the loop.
  local function tolerate(ok, err)
    err = tostring(err)
    if not ok and not err:find("mine", 1, true) and not err:find("dead coroutine", 1, true) then
      error(err, 0)
    end
  end
]]

--- What the API of `tasks.lua` must play.
places.plans = {
  any = { "Processing", "Processing", "Success" }, lost = { "Fail" }, between = { "Processing" },
  broken = { "reset", { http = 503 }, "Processing", "Success" }, endless = { "Processing" },
  held = { { word = "never", "Success" } },
}

--- Builds the host in C of `doc/examples`.
-- @param folder where it is to stand
function places.build_host(folder)
  local built = process.run { timeout = 180, command = { "sh", "-c",
    "cc -std=c11 -D_GNU_SOURCE -Isrc " .. headers.flags()
      .. " doc/examples/host.c src/*.c src/*/*.c "
      .. headers.flags "--libs" .. ' -o "$0"', folder:file "host" } }
  assert(built.code == 0, built.err)
end

--- Starts the program of a place.
-- @param place of the list
-- @param api that plays `places.plans`
-- @param folder with the host of `build_host`
-- @return a process
function places.start(place, api, folder)
  local script = PRELUDE .. place.script .. "\ncases.finish()\n"
  local options = { script = script, env = { SERVER = api.url }, timeout = 15 }
  if place.name == "a host with poll(2)" then
    options.command = { folder:file "host", folder:write("script.lua", script) }
  end
  return process.start(options)
end

--- Waits for its end.
-- @return a table from the name of a case to `"fine"` or an error, besides
--   `code` and `err` of the process
function places.finish(child)
  local result = child:finish()
  local ends = { code = result.code, err = result.err }
  for name, outcome in result.out:gmatch("([^\t\n]+)\t([^\n]*)\n") do
    ends[name] = outcome
  end
  return ends
end

return places
