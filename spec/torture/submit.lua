--- Submits whose answer is lost, in each way and on each kind of connection:
--
--     lua spec/torture/submit.lua [count] [place] [way]
--
-- Prints how many POSTs the server read and how many submits were reported
-- unknown, `count` of each (1000); then how many that never arrived were
-- accepted once. Any other number ends it with 1.

local many_submits = require "spec.support.many_submits"
local lost_answers = require "spec.support.lost_answers"
local minimax = require "minimax"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local COUNT = math.tointeger(tonumber(arg[1])) or 1000

local PLACES = {
  { name = "fresh" },
  { name = "after a query", ask_first = true },
  { name = "fresh, TLS", tls = "good" },
  { name = "after a query, HTTP/2", ask_first = true, tls = "h2" },
}

local well = true

local function say(place, way, posts, outcomes, word)
  print(("%-22s %-18s %5d POSTs, %5d %s"):format(place, way, posts, outcomes, word))
  io.stdout:flush()
  well = well and posts == COUNT and outcomes == COUNT
end

-- How many POSTs arrived; none of them twice.
local function posts_of(server)
  local count, seen = 0, {}
  for _, request in ipairs(server:requests()) do
    if request.method == "POST" then
      local number = request.body:match '"number":(%d+)'
      assert(not seen[number], "submit " .. number .. " arrived twice")
      seen[number] = true
      count = count + 1
    end
  end
  return count
end

local function count_of(outcomes, is_right)
  local count = 0
  for _, outcome in ipairs(outcomes) do
    count = count + (is_right(outcome) and 1 or 0)
  end
  return count
end

local function lose(place, way)
  local server <close> = wire.start { tls = place.tls,
    serve = lost_answers.script(place.tls == "h2" and "serve_h2" or "serve") }
  local client <close> = minimax.new { base_url = server.url, api_key = "sk-spec",
    ca_file = server.ca_file, max_connections = 64, request_timeout = way == "hang" and 2 or 60 }
  local outcomes = many_submits.submit(client, many_submits.requests({ way }, COUNT), nil,
    place.ask_first and function()
      assert(client:query "401047179385389059")
    end)
  say(place.name, way, posts_of(server), count_of(outcomes, function(outcome)
    return outcome.kind == "unknown" and outcome.attempts == 1
  end), "unknown")
end

local function never_arrive()
  local folder <close> = temp.folder()
  local server <close> = wire.start { tls = "later",
    serve = lost_answers.script("serve_tls", folder:file "up", "") }
  local options = { base_url = server.url, ca_file = server.ca_file }
  local outcomes = many_submits.submit_while_down(options, COUNT, function()
    folder:write("up", "")
  end)
  say("never arrived", "TLS handshake", posts_of(server), count_of(outcomes, function(outcome)
    return outcome.task_id ~= nil
  end), "accepted")
end

local function ways_of(place)
  local ways = { table.unpack(lost_answers.WAYS) }
  ways[#ways + 1] = "hang"
  if place.tls == "h2" then
    table.move(lost_answers.H2_WAYS, 1, #lost_answers.H2_WAYS, #ways + 1, ways)
  end
  return ways
end

for _, place in ipairs(PLACES) do
  for _, way in ipairs(ways_of(place)) do
    if place.name == (arg[2] or place.name) and way == (arg[3] or way) then
      lose(place, way)
    end
  end
end
if not arg[2] then
  never_arrive()
end
os.exit(well, true)
