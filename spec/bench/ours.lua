--- This module at work, measured from its first request on.
--
--     ours.lua queries COUNT IN_FLIGHT BASE [CA_FILE]   (0 in flight: no coroutines)
--     ours.lua fleet COUNT INTERVAL POLLS BASE
--     ours.lua submit BASE IMAGE
--     ours.lua download BASE

local minimax = require "minimax"

local FIRST_ID = 401047179385000000

local function new_client(base, options)
  options = options or {}
  options.base_url = base
  options.api_key = "bench-key"
  return minimax.new(options)
end

local function report(requests, began)
  print(("requests=%d cpu=%.6f"):format(requests, os.clock() - began))
end

-- Asks for one task again and again, as a wait by hand would.
local function query_some(client, id, count)
  for _ = 1, count do
    local status = assert(client:query(id))
    assert(status.state == "running")
  end
end

local works = {}

function works.queries(count, in_flight, base, ca_file)
  count, in_flight = tonumber(count), tonumber(in_flight)
  local client = new_client(base, { max_connections = math.max(in_flight, 1), ca_file = ca_file })
  local share = count // math.max(in_flight, 1)
  local began = os.clock()
  if in_flight == 0 then
    query_some(client, tostring(FIRST_ID), share)
  end
  for i = 1, in_flight do
    minimax.spawn(query_some, client, tostring(FIRST_ID + i), share)
  end
  minimax.run()
  report(share * math.max(in_flight, 1), began)
end

-- Each task in a coroutine of its own; the server lets it succeed at its last poll.
function works.fleet(count, interval, polls, base)
  count, interval, polls = tonumber(count), tonumber(interval), tonumber(polls)
  local client = new_client(base .. "/fleet" .. polls, { max_connections = 100 })
  local ended = 0
  local function wait(id)
    local status = assert(client:wait(id, { interval = interval, kind = "template" }))
    assert(status.task_id == id and status.url)
    ended = ended + 1
  end
  local began = os.clock()
  for i = 1, count do
    minimax.spawn(wait, tostring(FIRST_ID + i))
  end
  minimax.run()
  assert(ended == count)
  report(count * polls, began)
end

function works.submit(base, image)
  local client = new_client(base)
  assert(client:submit {
    template_id = "393769180141805569",
    media_inputs = { minimax.file(image) },
  })
end

function works.download(base)
  local client = new_client(base)
  local info = assert(client:download(base .. "/video.mp4", assert(io.open("/dev/null", "wb"))))
  assert(info.bytes == 1 << 30)
end

works[arg[1]](table.unpack(arg, 2))
