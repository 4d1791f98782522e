--- Lua-cURLv3 with lua-cjson, where `require "lcurl"` succeeds.
--
--     peer_lcurl.lua queries COUNT IN_FLIGHT BASE   (0 in flight: one easy handle)
--     peer_lcurl.lua fleet COUNT INTERVAL POLLS BASE

local cjson = require "cjson"
local curl = require "lcurl"
local socket = require "socket" -- for a clock

local PATH = "/v1/query/video_template_generation?task_id="
local FIRST_ID = 401047179385000000
local HEADERS = { "Authorization: Bearer bench-key" }

local function new_request()
  local request = { pieces = {} }
  request.easy = curl.easy {
    httpheader = HEADERS,
    writefunction = function(bytes)
      request.pieces[#request.pieces + 1] = bytes
      return #bytes
    end,
  }
  return request
end

local function aim(request, base, id)
  request.pieces = {}
  request.easy:setopt_url(base .. PATH .. id)
end

local function decode(request)
  assert(request.easy:getinfo_response_code() == 200)
  return cjson.decode(table.concat(request.pieces))
end

local function report(requests, began)
  print(("requests=%d cpu=%.6f"):format(requests, os.clock() - began))
end

local function query_in_turn(base, count)
  local request = new_request()
  for i = 1, count do
    aim(request, base, FIRST_ID + i)
    request.easy:perform()
    assert(decode(request).status == "Processing")
  end
end

-- Calls `heed` with each request that has ended.
local function collect(multi, requests, heed)
  while true do
    local easy, ok, err = multi:info_read(true)
    if easy == 0 then
      return
    end
    assert(ok, err)
    heed(requests[easy])
  end
end

local function query_many(base, count, in_flight)
  local multi, requests = curl.multi(), {}
  multi:setopt_maxconnects(in_flight)
  local started, ended = 0, 0
  local function start(request)
    started = started + 1
    aim(request, base, FIRST_ID + started)
    multi:add_handle(request.easy)
  end
  for _ = 1, in_flight do
    local request = new_request()
    requests[request.easy] = request
    start(request)
  end
  while ended < count do
    multi:perform()
    collect(multi, requests, function(request)
      assert(decode(request).status == "Processing")
      ended = ended + 1
      if started < count then
        start(request)
      end
    end)
    if ended < count then
      multi:wait(1000)
    end
  end
end

-- What one would write by hand: a coroutine for each task, a hundred easy handles,
-- and two queues: of those whose poll is due, and of those that sleep. All sleep
-- equally long, so whoever slept first wakes first.
local function run_fleet(base, count, interval)
  local multi, requests, idle = curl.multi(), {}, {}
  local due, asleep = { first = 1, last = 0 }, { first = 1, last = 0 }
  local ended, in_flight = 0, 0
  multi:setopt_maxconnects(100)
  for i = 1, 100 do
    idle[i] = new_request()
    requests[idle[i].easy] = idle[i]
  end

  local function put(queue, item)
    queue.last = queue.last + 1
    queue[queue.last] = item
  end
  local function take(queue)
    local item = queue[queue.first]
    queue[queue.first] = nil
    queue.first = queue.first + 1
    return item
  end

  local function live(id)
    local task = { id = id, thread = coroutine.running() }
    repeat
      local status = coroutine.yield(task)
      if status.status ~= "Success" then
        task.wakes = socket.gettime() + interval
        put(asleep, task)
      end
    until status.status == "Success"
    ended = ended + 1
  end

  for i = 1, count do
    local thread = coroutine.create(live)
    local _, task = coroutine.resume(thread, tostring(FIRST_ID + i))
    put(due, task)
  end
  while ended < count do
    while asleep[asleep.first] and asleep[asleep.first].wakes <= socket.gettime() do
      put(due, take(asleep))
    end
    while due[due.first] and #idle > 0 do
      local request = table.remove(idle)
      request.task = take(due)
      aim(request, base, request.task.id)
      multi:add_handle(request.easy)
      in_flight = in_flight + 1
    end
    multi:perform()
    collect(multi, requests, function(request)
      in_flight = in_flight - 1
      idle[#idle + 1] = request
      assert(coroutine.resume(request.task.thread, decode(request)))
    end)
    if in_flight > 0 then
      multi:wait(1000)
    elseif asleep[asleep.first] and not due[due.first] then
      socket.sleep(asleep[asleep.first].wakes - socket.gettime())
    end
  end
end

local works = {}

function works.queries(count, in_flight, base)
  count, in_flight = tonumber(count), tonumber(in_flight)
  local began = os.clock()
  if in_flight == 0 then
    query_in_turn(base, count)
  else
    query_many(base, count, in_flight)
  end
  report(count, began)
end

function works.fleet(count, interval, polls, base)
  count, polls = tonumber(count), tonumber(polls)
  local began = os.clock()
  run_fleet(base .. "/fleet" .. polls, count, tonumber(interval))
  report(count * polls, began)
end

works[arg[1]](table.unpack(arg, 2))
