--- src/base/rate.c: a rate budget, configured or learned. Time is an argument here,
-- so these specs are exact and wait for nothing.

local pure = require "pure"

local MINUTE = 60000

-- A server with a limit a minute. Options: `kind` ("sliding", "fixed" or
-- "bucket", which begins with `burst` and gets one more each 60/limit s),
-- `limit` (a number or a function of time), `phase` of the fixed window,
-- `retry_after` (whether it names a time; a number: always that one, in ms),
-- `counts_refused`, `stray` (the number of the request that is refused for no
-- reason, with a second to wait).
local function new_server(options)
  local server = { refused = 0, refused_late = 0 }
  local log, first, window, count, came = {}, 1, nil, 0, 0
  local level, filled = 0, nil -- of the bucket, in ms of filling

  local function used(now, limit)
    if options.kind == "bucket" then
      level = math.max(0, level - (now - (filled or now)))
      filled = now
      return level + MINUTE // limit > options.burst * MINUTE // limit and limit or 0
    elseif options.kind == "fixed" then
      local current = (now + options.phase) // MINUTE
      if current ~= window then
        window, count = current, 0
      end
      return count
    end
    while log[first] and log[first] <= now - MINUTE do
      first = first + 1
    end
    return #log - first + 1
  end

  local function refuse(now, limit)
    server.refused = server.refused + 1
    if now > server.began + MINUTE then
      server.refused_late = server.refused_late + 1
    end
    if not options.retry_after then
      return false, 0
    elseif type(options.retry_after) == "number" then
      return false, options.retry_after
    elseif options.kind == "bucket" then
      return false, level + MINUTE // limit - options.burst * MINUTE // limit
    elseif options.kind == "fixed" then
      return false, MINUTE - (now + options.phase) % MINUTE
    end
    return false, math.max(1, log[first] + MINUTE - now)
  end

  function server.take(now)
    server.began = server.began or now
    local limit = options.limit
    limit = type(limit) == "function" and limit(now - server.began) or limit
    came = came + 1
    if came == options.stray then
      server.refused = server.refused + 1
      return false, 1000
    end
    local accepts = used(now, limit) < limit
    if accepts or options.counts_refused then
      log[#log + 1] = now
      count = count + 1
      level = level + MINUTE // limit
    end
    if accepts then
      return true
    end
    return refuse(now, limit)
  end

  return server
end

-- What happens next, by time; what falls together, in the order it was put in.
local function new_agenda()
  local agenda, events = { now = 1000000 }, {}
  function agenda.at(instant, event)
    local place = #events
    while place > 0 and events[place].instant <= instant do
      place = place - 1
    end
    table.insert(events, place + 1, { instant = instant, event = event })
  end
  function agenda.step()
    local next_event = table.remove(events)
    agenda.now = next_event.instant
    next_event.event()
  end
  return agenda
end

-- A client that has `requests` to make as fast as it may: `gap` ms between two
-- of them, `connections` at a time, each answered after `latency` ms (a
-- range). A refused request is made again. With `minutes` it ends then.
local function simulate(options)
  local rate, server, agenda = options.rate or pure.rate(), new_server(options), new_agenda()
  local waiting, under_way, done, woken, next_start = options.requests, 0, 0, nil, 0
  local began, state = agenda.now, options.seed or 1
  local shortest, longest = table.unpack(options.latency or { 50, 300 })
  local start

  local function answer(accepted, retry_after)
    under_way = under_way - 1
    if accepted then
      done = done + 1
      rate:answered(agenda.now)
    else
      waiting = waiting + 1
      rate:limited(agenda.now, retry_after)
    end
    start()
  end

  local function send()
    local random, latency
    random, state = pure.retry_random(state)
    latency = shortest + (random >> 1) % (longest - shortest + 1)
    assert(rate:depart(agenda.now))
    waiting, under_way = waiting - 1, under_way + 1
    next_start = agenda.now + (options.gap or 0)
    agenda.at(agenda.now + latency // 2, function()
      local accepted, retry_after = server.take(agenda.now)
      agenda.at(agenda.now + latency - latency // 2, function()
        answer(accepted, retry_after)
      end)
    end)
  end

  function start()
    while waiting > 0 and under_way < (options.connections or 8) do
      local ready = math.max(rate:ready(agenda.now), next_start)
      if ready <= agenda.now then
        send()
      elseif woken == ready then
        return
      else
        woken = ready
        return agenda.at(ready, start)
      end
    end
  end

  start()
  local ends = options.minutes and began + options.minutes * MINUTE or math.huge
  while done < options.requests and agenda.now < ends do
    agenda.step()
  end
  return {
    seconds = (agenda.now - began) / 1000,
    accepted = done,
    refused = server.refused,
    refused_late = server.refused_late,
    count = (rate:figures()),
  }
end

-- The least time in which the limit lets these requests pass: a burst, which
-- the client's own gap stretches, then one window for each further burst.
local function least_seconds(options)
  local burst = options.limit * (options.gap or 0)
  return ((options.requests / options.limit - 1) * MINUTE + burst) / 1000
end

local function describe_run(options, result)
  return ("%s, gap %d, phase %d, Retry-After %s: %.0f s of %.0f s, %d refused, %d late"):format(
    options.kind, options.gap or 0, options.phase or 0, options.retry_after, result.seconds,
    least_seconds(options), result.refused, result.refused_late)
end

local function assert_learns(options)
  local result = simulate(options)
  local what = describe_run(options, result)
  assert.is_true(result.seconds <= 1.1 * least_seconds(options), what)
  assert.is_true(result.refused_late <= 0.01 * options.requests, what)
end

-- Sends as fast as the rate allows until `stop`; returns the departures.
local function departures(rate, now, stop)
  local list = {}
  while true do
    now = math.max(now, rate:ready(now))
    if now > stop then
      return list
    end
    assert(rate:depart(now))
    list[#list + 1] = now
  end
end

local function most_in_window(list, window)
  local most, first = 0, 1
  for last = 1, #list do
    while list[first] <= list[last] - window do
      first = first + 1
    end
    most = math.max(most, last - first + 1)
  end
  return most
end

describe("rate", function()
  it("holds nothing back where no limit is known", function()
    local rate = pure.rate()
    for now = 1, 5000 do
      assert.equal(now, rate:ready(now))
      assert.is_true(rate:depart(now))
    end
  end)

  it("lets a configured count leave at once, then waits for the window", function()
    local rate = pure.rate(5, 10000)
    for at = 0, 4 do
      assert.equal(1000 + at, rate:ready(1000 + at))
      rate:depart(1000 + at)
    end
    for at = 0, 4 do
      -- 2 % more than the window, since answers are counted on arrival
      assert.equal(11200 + at, rate:ready(2000))
      rate:depart(11200 + at)
    end
  end)

  it("takes at least 20 ms more than the window", function()
    local rate = pure.rate(1, 100)
    rate:depart(1000)
    assert.equal(1120, rate:ready(1000))
  end)

  it("never exceeds a configured count in any window", function()
    for _, case in ipairs {
      { 1, 1000 }, { 5, MINUTE }, { 120, MINUTE }, { 1024, MINUTE }, { 7, 9 },
    } do
      local count, window = table.unpack(case)
      local list = departures(pure.rate(count, window), 1000, 1000 + window * 20)
      assert.equal(count, most_in_window(list, window))
      local taken = window + math.max(20, window // 50)
      assert.equal(count * (window * 20 // taken + 1), #list)
    end
  end)

  it("keeps a count above what it remembers as the same rate", function()
    local list = departures(pure.rate(5000, 60000), 1000, 1000 + 3 * MINUTE)
    assert.is_true(most_in_window(list, 60000) <= 5000)
    assert.is_true(#list > 5000 * 3 * 0.97)
    local _, ceiling = pure.rate(0xFFFFFFFF, MINUTE):figures()
    assert.is_true(ceiling > 1000 and ceiling <= 1024)
  end)

  it("remembers few departures for a client that makes few", function()
    local rate = pure.rate()
    assert.equal(0, select(3, rate:figures()))
    for at = 1, 10 do
      rate:depart(at)
    end
    assert.equal(16, select(3, rate:figures()))
    for at = 1, 1000 do
      rate:depart(at * MINUTE) -- one a minute
    end
    assert.equal(16, select(3, rate:figures()))
    for at = 1, 5000 do
      rate:depart(1001 * MINUTE + at)
    end
    assert.equal(1024, select(3, rate:figures()))
  end)

  it("works afresh after its memory was released, which may be done twice", function()
    local rate = pure.rate(2, 1000)
    rate:depart(1000)
    rate:depart(1000)
    rate:free()
    rate:free()
    assert.equal(1001, rate:ready(1001))
    assert.is_true(rate:depart(1001))
  end)

  it("waits as long as the server asks, and keeps the longest wait", function()
    local rate = pure.rate()
    rate:limited(1100, 7000)
    assert.equal(8100, rate:ready(1100))
    rate:limited(1200, 1000)
    assert.equal(8100, rate:ready(1200))
    assert.equal(9000, rate:ready(9000))
  end)

  it("waits no longer than an hour for a server that asks for ages", function()
    for _, ages in ipairs { 3600001, math.maxinteger, -1 } do
      local rate = pure.rate()
      rate:limited(1000, ages)
      assert.equal(3601000, rate:ready(1000))
    end
  end)

  it("doubles its own wait while limits go on, up to 15 s, until an answer", function()
    local rate, now, waits = pure.rate(), 1000000, {}
    for round = 1, 5 do
      rate:limited(now)
      waits[round] = rate:ready(now) - now
      now = rate:ready(now)
    end
    assert.same({ 1875, 3750, 7500, 15000, 15000 }, waits)
    rate:answered(now)
    rate:limited(now)
    assert.equal(1875, rate:ready(now) - now)
  end)

  it("takes limits of requests that left before the wait as one", function()
    local rate = pure.rate()
    for round = 1, 8 do
      rate:limited(1100 + round)
    end
    assert.equal(1101 + 1875, rate:ready(1200))
  end)

  it("learns the count from what was accepted in the window before", function()
    local rate = pure.rate()
    for at = 1, 50 do
      rate:depart(at) -- long ago
    end
    for at = 1, 128 do
      rate:depart(2 * MINUTE + at)
    end
    for at = 1, 8 do
      rate:limited(2 * MINUTE + 200 + at)
      assert.equal(128 - at, (rate:figures()))
    end
    -- the oldest 8 of the 128 leave the window first
    assert.equal(3 * MINUTE + 1200 + 9, rate:ready(2 * MINUTE + 5000))
  end)

  it("learns no count where nothing was accepted, and comes back when it was told to", function()
    local rate = pure.rate()
    rate:depart(1000)
    rate:limited(1100, 2000)
    assert.equal(0, (rate:figures()))
    for now = 3100, 3110 do
      assert.equal(now, rate:ready(now))
      rate:depart(now)
    end
  end)

  it("never learns less than one a window", function()
    local rate, now = pure.rate(), 1000000
    rate:depart(now) -- accepted
    for _ = 1, 20 do
      now = rate:ready(now)
      rate:depart(now)
      rate:limited(now + 100)
      assert.equal(1, (rate:figures()))
      now = now + 2 * MINUTE
    end
  end)

  it("lowers a count that has served by no more than three tenths at once", function()
    local rate, now = pure.rate(), 1000000
    local result = simulate { rate = rate, kind = "sliding", limit = 120, requests = 800 }
    assert.is_true(result.count >= 119 and result.count <= 122)
    now = now + 1000000
    -- somebody else has used the limit up: a first request is refused
    rate:depart(now)
    rate:limited(now + 100)
    assert.is_true((rate:figures()) >= result.count * 0.7 - 1)
    assert.is_true((rate:figures()) < result.count * 0.75)
  end)

  it("raises a learned count by one after each full window without a limit", function()
    local rate, now = pure.rate(), 1000000
    for _ = 1, 11 do
      rate:depart(now)
    end
    rate:limited(now + 10)
    local count, changed, raises = 10, now, 0
    while raises < 20 do
      now = rate:ready(now)
      rate:depart(now)
      rate:answered(now)
      local current = rate:figures()
      if current ~= count then
        assert.equal(count + 1, current)
        assert.is_true(now - changed >= MINUTE and now - changed <= 1.25 * MINUTE)
        count, changed, raises = current, now, raises + 1
      end
    end
  end)

  it("does not raise it for windows that were not used", function()
    local rate, now = pure.rate(), 1000000
    for at = 1, 11 do
      rate:depart(now + at)
    end
    rate:limited(now + 100)
    for _ = 1, 100 do
      now = now + MINUTE
      for at = 1, 4 do
        rate:depart(now + at)
        rate:answered(now + at)
      end
    end
    assert.equal(10, (rate:figures()))
  end)

  it("keeps a configured figure above all that it learns", function()
    local rate = pure.rate(60, MINUTE)
    local result = simulate { rate = rate, kind = "sliding", limit = 120, requests = 300 }
    assert.equal(0, result.refused)
    assert.is_true(result.seconds >= 240)
    local _, ceiling = rate:figures()
    assert.equal(60, ceiling)
  end)
end)

describe("rate with a server that allows 120 a minute", function()
  for _, retry_after in ipairs { false, true } do
    local words = retry_after and ", which says when to come back" or ""

    it("learns a sliding window" .. words, function()
      for _, gap in ipairs { 0, 100, 250, 400 } do
        for _, counts_refused in ipairs { false, true } do
          assert_learns {
            kind = "sliding", limit = 120, requests = 1500, gap = gap,
            retry_after = retry_after, counts_refused = counts_refused,
          }
        end
      end
    end)

    it("learns a fixed window, wherever in it we begin" .. words, function()
      for _, gap in ipairs { 0, 100, 250, 400 } do
        for phase = 0, 45000, 15000 do
          assert_learns {
            kind = "fixed", limit = 120, requests = 1500, gap = gap, phase = phase,
            retry_after = retry_after,
          }
        end
      end
    end)
  end

  it("is never refused below the limit", function()
    local result = simulate { kind = "sliding", limit = 120, requests = 1000, gap = 520 }
    assert.equal(0, result.refused)
  end)

  it("learns it below a configured figure that is too high, in any window", function()
    for _, figure in ipairs { { 300, MINUTE }, { 10, 1000 }, { 1000, 6 * MINUTE } } do
      assert_learns {
        kind = "sliding", limit = 120, requests = 1500, rate = pure.rate(table.unpack(figure)),
      }
    end
  end)

  it("learns it with slow answers and many connections", function()
    assert_learns {
      kind = "sliding", limit = 120, requests = 2000, latency = { 1000, 4000 }, connections = 40,
    }
  end)
end)

-- Ten minutes of a client that has a request each 150 ms.
local function ten_minutes(options)
  options.requests, options.minutes, options.gap = math.huge, 10, 150
  return simulate(options)
end

describe("rate with a time that the server names", function()
  it("learns nothing from a stray limit, and goes on when it was told to", function()
    local rate = pure.rate()
    rate:depart(1000000) -- accepted
    rate:depart(1000200)
    rate:limited(1000300, 1000)
    assert.equal(1001300, rate:ready(1000300))
    assert.equal(0, (rate:figures()))
    for _, stray in ipairs { 2, 100, 1000 } do
      local result = ten_minutes { kind = "sliding", limit = 10000, retry_after = true,
        stray = stray }
      assert.is_true(result.accepted >= 3900, result.accepted)
      assert.equal(1, result.refused)
    end
  end)

  it("heeds it before what it learned", function()
    local rate, now = pure.rate(), 1000000
    for at = 1, 6 do
      rate:depart(now + at)
    end
    rate:limited(now + 100) -- five a minute
    assert.equal(5, (rate:figures()))
    now = now + 2 * MINUTE
    for at = 1, 5 do
      rate:depart(now + at)
    end
    assert.equal(now + 1 + 1.02 * MINUTE, rate:ready(now + 10))
    rate:limited(now + 100, 1000)
    assert.equal(now + 1100, rate:ready(now + 100))
    rate:depart(now + 1100)
    assert.equal(now + 2100, rate:ready(now + 1100)) -- one tries it
    rate:answered(now + 1200)
    assert.is_true(rate:ready(now + 1200) > now + MINUTE)
  end)

  it("learns once two such times in a row were not kept", function()
    local rate, now = pure.rate(), 1000000
    for at = 1, 5 do
      rate:depart(now + at)
    end
    for _ = 1, 2 do
      rate:depart(now + 10)
      rate:limited(now + 20, 1000)
      assert.equal(0, (rate:figures()))
      now = rate:ready(now + 20)
    end
    rate:depart(now)
    rate:limited(now + 10, 1000)
    assert.equal(5, (rate:figures()))
    assert.is_true(rate:ready(now) >= 1000000 + MINUTE)
  end)

  it("begins anew with any other answer", function()
    for _, other in ipairs { "answered", "limited" } do
      local rate, now = pure.rate(), 1000000
      rate:depart(now)
      for round = 1, 12 do
        rate:depart(now + 10)
        if round % 3 == 0 and other == "limited" then
          rate:limited(now + 20, 2 * MINUTE) -- as a window may: it is learned
          assert.is_true((rate:figures()) > 0)
          break
        elseif round % 3 == 0 then
          rate:answered(now + 20)
        else
          rate:limited(now + 20, 1000)
        end
        assert.equal(0, (rate:figures()))
        now = rate:ready(now + 20)
      end
    end
  end)

  it("takes limits of requests that left before it as one", function()
    local rate = pure.rate()
    for at = 1, 20 do
      rate:depart(1000000 + at)
    end
    for at = 1, 8 do
      rate:limited(1000100 + at, 1000)
      assert.equal(0, (rate:figures()))
    end
    assert.equal(1001108, rate:ready(1000200))
  end)

  -- Each with the least that it must accept, and the most that it may refuse.
  for name, case in pairs {
    ["a sliding window that names the true time"] =
      { 50, 20, { kind = "sliding", limit = 5, retry_after = true } },
    ["a sliding window that names none"] = { 50, 20, { kind = "sliding", limit = 5 } },
    ["a sliding window that always says a second"] =
      { 45, 60, { kind = "sliding", limit = 5, retry_after = 1000 } },
    ["a fixed window that names the true time"] =
      { 50, 60, { kind = "fixed", limit = 5, phase = 0, retry_after = true } },
    ["a bucket that names the true time"] =
      { 150, 150, { kind = "bucket", limit = 60, burst = 5, retry_after = true } },
    ["a limit of 120 with a stray one"] =
      { 1200, 60, { kind = "sliding", limit = 120, retry_after = true, stray = 30 } },
  } do
    it("makes the most of " .. name, function()
      local result = ten_minutes(case[3])
      local figures = ("%d accepted, %d refused"):format(result.accepted, result.refused)
      assert.is_true(result.accepted >= case[1], figures)
      assert.is_true(result.refused <= case[2], figures)
    end)
  end
end)

describe("rate with other servers", function()
  it("learns limits of 5 and of 300 a minute", function()
    assert_learns { kind = "sliding", limit = 300, requests = 4000, connections = 64 }
    local result = simulate { kind = "fixed", limit = 5, requests = 300, phase = 0 }
    assert.is_true(result.seconds <= 1.1 * 59 * 60, result.seconds)
    assert.is_true(result.refused_late <= 6, result.refused_late)
  end)

  it("follows a limit that falls, and one that rises", function()
    local result = simulate {
      kind = "sliding", requests = 2000,
      limit = function(elapsed) return elapsed < 5 * MINUTE and 200 or 80 end,
    }
    -- 1000 in the first five minutes, the rest at 80 a minute
    assert.is_true(result.seconds <= 1.1 * (5 + 1000 / 80) * 60, result.seconds)
    assert.is_true(result.count >= 79 and result.count <= 82)
    result = simulate {
      kind = "sliding", requests = 1500,
      limit = function(elapsed) return elapsed < 5 * MINUTE and 20 or 200 end,
    }
    assert.is_true(result.count >= 40, result.count)
  end)
end)
