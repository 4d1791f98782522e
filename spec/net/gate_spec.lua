-- Who may send when: connections, rate budgets, outages.

local limits = require "spec.support.limits"
local minimax = require "minimax"
local tasks = require "spec.support.tasks"
local wire = require "spec.support.wire"

-- Answers after a while, with how many requests were there at once at most.
local CROWD = [==[
local connection, shared = ...
shared.inside = shared.inside or 0
shared.most = shared.most or 0
while true do
  local request = connection:read_request()
  if not request then
    return
  end
  shared.inside = shared.inside + 1
  shared.most = math.max(shared.most, shared.inside)
  if request.method == "POST" then
    connection:await "go"
  else
    connection:pause(0.01)
  end
  shared.inside = shared.inside - 1
  connection:reply(200, {}, ('{"task_id":"1","status":"Success","video_url":"https://x.test/v",'
    .. '"most":%d,"base_resp":{"status_code":0}}'):format(shared.most))
end
]==]

describe("max_connections", function()
  local server

  before_each(function()
    server = wire.start { serve = CROWD }
  end)

  after_each(function()
    server:stop()
  end)

  local function client(most)
    return minimax.new { base_url = server.url, api_key = "sk-spec", max_connections = most }
  end

  for _, most in ipairs { 1, 3, 8 } do
    it("is kept, and made use of: " .. most, function()
      local own <close> = client(most)
      local seen = 0
      for i = 1, 40 do
        minimax.spawn(function()
          seen = math.max(seen, assert(own:query("t" .. i)).most)
        end)
      end
      minimax.run()
      assert.equal(most, seen)
      assert.equal(most, server:connections())
    end)
  end

  it("leaves room for queries while submits are under way", function()
    local own <close> = client(4)
    local accepted = 0
    for _ = 1, 6 do
      minimax.spawn(function()
        assert(own:submit { template_id = "1" })
        accepted = accepted + 1
      end)
    end
    minimax.run(function()
      for i = 1, 3 do
        assert(own:query("t" .. i))
      end
      assert.equal(0, accepted)
      server:tell("go")
    end)
    assert.equal(6, accepted)
  end)

  it("gives a place back when a call that has one is closed, aborted or times out", function()
    local own <close> = client(1)
    local co = coroutine.create(own.query)
    assert(coroutine.resume(co, own, "a"))
    assert(coroutine.resume(co))
    coroutine.close(co)
    assert(own:query("b"))
    assert.equal("unknown", select(2, own:submit({ template_id = "1" }, { timeout = 0.05 })).kind)
    assert(own:query("c"))
  end)

  it("lets a call that waits for its turn be closed, and those behind it go on", function()
    local own <close> = client(1)
    local first, second, third =
      coroutine.create(own.query), coroutine.create(own.query), coroutine.create(own.query)
    for i, co in ipairs { first, second, third } do
      assert(coroutine.resume(co, own, "t" .. i))
      assert(coroutine.resume(co))
    end
    coroutine.close(second)
    assert.equal("succeeded", assert(own:query("d")).state)
    for _, co in ipairs { first, third } do
      local ok, status
      repeat
        minimax.step()
        ok, status = coroutine.resume(co)
        assert.is_true(ok)
      until coroutine.status(co) == "dead"
      assert.equal("succeeded", status.state)
    end
  end)
end)

-- Over HTTP/2 one connection carries many requests. The first connection speaks
-- that: a request alone is answered, and then all once they are as many as the
-- spec says, with how many there were at most. The others speak HTTP/1.1.
local STREAMS = [==[
  local connection, shared = ...
  local ANSWER = '{"task_id":"1","status":"Success","video_url":"https://x.test/v","most":%%d,'
    .. '"base_resp":{"status_code":0}}'
  if connection.number > 1 then
    connection:starttls "good"
    while connection:read_request() do
      shared.inside = (shared.inside or 0) + 1
      shared.most = math.max(shared.most or 0, shared.inside)
      connection:pause(0.02)
      shared.inside = shared.inside - 1
      connection:reply(200, {}, ANSWER:format(shared.most))
    end
    return
  end
  connection:starttls "h2"
  local session = assert(require "spec.support.h2".accept(connection))
  session:reply(assert(session:read_request()), 200, ANSWER:format(1))
  local open, request = {}, session:read_request()
  while request do
    open[#open + 1] = request
    if #open == %d then
      session:goaway(request.stream)
      for _, each in ipairs(open) do
        session:reply(each, 200, ANSWER:format(#open))
      end
    end
    request = session:read_request()
  end
]==]

describe("HTTP/2", function()
  local MANY = 40

  it("carries many requests where HTTP/1.1 has max_connections", function()
    local server <close> = wire.start { tls = "later", serve = STREAMS:format(MANY) }
    local own <close> = minimax.new { base_url = server.url:gsub("^http:", "https:"),
      api_key = "sk-spec", max_connections = 2, insecure = true, request_timeout = 5, retries = 0 }
    local function ask()
      local seen = {}
      minimax.run(function()
        for i = 1, MANY do
          minimax.spawn(function()
            seen[i] = assert(own:query("t" .. i)).most
          end)
        end
      end)
      table.sort(seen)
      return seen[1], seen[MANY]
    end
    assert.equal(1, assert(own:query "alone").most)
    assert.same({ MANY, MANY }, { ask() })
    -- The host has gone over to HTTP/1.1, which the first answer tells.
    assert(own:query "alone")
    local _, most = ask()
    assert.equal(2, most)
  end)
end)

-- A function that the module calls in the middle of a transfer may ask for more.
describe("a function of the program's own", function()
  local server, api

  before_each(function()
    api = tasks.start {}
    server = wire.start { serve = [[
      local connection = ...
      local video = require "spec.support.video"
      while connection:read_request() do
        connection:reply(200, {}, video.make(3000000))
      end
    ]] }
  end)

  after_each(function()
    api:stop()
    server:stop()
  end)

  for _, most in ipairs { 1, 2, 8 } do
    it("that takes a download may use the client, be all places taken: " .. most, function()
      local own <close> = api:client { max_connections = most }
      local submitted, ended = 0, 0
      for i = 1, most do
        minimax.spawn(function()
          local first = true
          assert(own:download(server.url .. "/" .. i, function()
            if first then
              first = false
              assert(own:submit({ template_id = "1" }, { timeout = 10 }))
              assert(own:query("x", { timeout = 10 }))
              submitted = submitted + 1
            end
          end, { timeout = 20 }))
          ended = ended + 1
        end)
      end
      minimax.run()
      assert.same({ most, most }, { submitted, ended })
      assert(own:query("x", { timeout = 10 }))
    end)

    it("that clears a submit may use the client, be all places taken: " .. most, function()
      local own <close> = api:client { max_connections = most }
      local ended = 0
      for _ = 1, most do
        minimax.spawn(function()
          assert(own:submit({ template_id = "1" }, { timeout = 10, on_send = function()
            assert(own:query("x", { timeout = 5 }))
          end }))
          ended = ended + 1
        end)
      end
      minimax.run()
      assert.equal(most, ended)
    end)
  end

  it("that fails or is closed gives back the place it was lent", function()
    local crowd <close> = wire.start { serve = CROWD }
    local own <close> = minimax.new { base_url = crowd.url, api_key = "sk-spec",
      max_connections = 1 }
    assert.has_error(function()
      own:download(server.url, function()
        error "mine"
      end)
    end)
    local co = coroutine.create(function()
      own:submit({ template_id = "1" }, { on_send = coroutine.yield })
    end)
    repeat
      local _, value = coroutine.resume(co)
      minimax.step()
    until value == nil
    coroutine.close(co)
    local seen = 0
    for i = 1, 6 do
      minimax.spawn(function()
        seen = math.max(seen, assert(own:call("GET", "/" .. i, { timeout = 10 })).most)
      end)
    end
    minimax.run()
    assert.equal(1, seen)
  end)
end)

-- The most that fell into any `window` seconds.
local function most_in(times, window)
  local most, first = 0, 1
  for last = 1, #times do
    while times[first] <= times[last] - window do
      first = first + 1
    end
    most = math.max(most, last - first + 1)
  end
  return most
end

describe("a rate budget", function()
  -- Departures are counted where they leave: on a busy machine some arrive late.
  it("that is configured is never exceeded, whatever asks", function()
    local api <close> = limits.start { factor = 60, seconds = 30 }
    local left = api:run([[
      for i = 1, 40 do
        minimax.spawn(function()
          local task = assert(client:submit { template_id = "1" })
          assert(client:wait(task))
          assert(client:query(task))
        end)
      end
      minimax.run()
    ]], [[submit_rate = { 20, 60 }, query_rate = { 60, 60 }, on_event = function(event)
      if event.type == "request" then
        print(event.method, posix.now())
      end
    end]])
    local times = { GET = {}, POST = {} }
    for method, instant in left:gmatch("(%u+)\t(%S+)\n") do
      table.insert(times[method], tonumber(instant))
    end
    assert.equal(40, #times.POST)
    assert.equal(40, #api:times("POST", "fine"))
    assert.equal(20, most_in(times.POST, 60))
    assert.equal(60, most_in(times.GET, 60))
  end)

  -- What it comes to over an hour, with its figures, is in spec/torture.
  it("is learned: all tasks end, few requests meet the limit, little time is lost", function()
    local TASKS, SUBMITS = 100, 20
    local api <close> = limits.start { factor = 30, submits = SUBMITS, queries = 120,
      seconds = 90 }
    local ended, seconds = api:run(([[
      local began = posix.now()
      local ended = 0
      for i = 1, %d do
        minimax.spawn(function()
          local task = assert(client:submit { template_id = "1" })
          assert(client:wait(task))
          ended = ended + 1
        end)
      end
      minimax.run()
      print(ended, posix.now() - began)
    ]]):format(TASKS)):match("^(%d+)\t(%S+)\n$")
    assert.equal(TASKS, tonumber(ended))
    assert.equal(TASKS, #api:times("POST", "fine"))
    local best = (TASKS / SUBMITS - 1) * 60 + 90
    assert.is_true(tonumber(seconds) <= 1.4 * best, seconds .. " s, at best " .. best)
    local limited = #api:times("POST", "limited", 60) + #api:times("GET", "limited", 60)
    local all = #api:times("POST", "fine", 60) + #api:times("GET", "fine", 60) + limited
    assert.is_true(limited <= 0.05 * all, limited .. " of " .. all)
  end)

  it("goes to the next in the queue when the first gives up its turn", function()
    local api <close> = limits.start { factor = 1000 }
    assert.equal("succeeded\n", api:run([[
      local host = require "spec.support.host"
      assert(client:query("a"))
      local first, second = coroutine.create(client.query), coroutine.create(client.query)
      for _, co in ipairs { first, second } do
        assert(coroutine.resume(co, client, "x"))
        assert(coroutine.resume(co))
      end
      coroutine.close(first)
      print(host.drive(second).state)
    ]], "query_rate = { 1, 60 }"))
  end)

  it("that submits have used up does not hold up queries", function()
    local api <close> = limits.start { factor = 1, submits = 1 }
    local out = api:run [[
      assert(client:submit { template_id = "1" })
      local submitted = false
      minimax.spawn(function()
        assert(client:submit { template_id = "2" })
        submitted = true
      end)
      minimax.run(function()
        for i = 1, 20 do
          assert(client:query("x"))
        end
        print(submitted)
        os.exit(0, true) -- it would take the true minute
      end)
    ]]
    assert.equal("false\n", out)
    assert.equal(1, #api:times("POST", "limited"))
  end)
end)

describe("an outage of reads", function()
  local TASKS, FROM, TO = 200, 20, 80
  local api, out, probes

  lazy_setup(function()
    api = limits.start { factor = 20, outage = { FROM, TO }, seconds = 60 }
    out = api:run(([[
      local ended, lost = 0, 0
      for i = 1, %d do
        minimax.spawn(function()
          local status = client:wait("x" .. i)
          if status then
            ended = ended + 1
          else
            lost = lost + 1
          end
        end)
      end
      minimax.run()
      print(ended, lost)
    ]]):format(TASKS))
    probes = api:times("GET", "down")
  end)

  lazy_teardown(function()
    api:stop()
  end)

  it("loses no wait", function()
    assert.equal(TASKS .. "\t0\n", out)
  end)

  it("is probed by one request at a time for the whole client, at most one a second", function()
    -- Eight more were on their way when it began.
    assert.is_true(#probes >= 4, #probes .. " probes")
    assert.is_true(#probes <= TO - FROM + 8, #probes .. " probes")
  end)

  it("is over for all waits within one interval of its end", function()
    local times = api:times("GET", "fine", TO)
    -- An interval is ten seconds; a busy machine may need some more.
    assert.is_true(times[1] - TO <= 20, "the first after " .. times[1] - TO .. " s")
    local count = 0
    for _, time in ipairs(times) do
      count = count + (time - times[1] <= 20 and 1 or 0)
    end
    assert.is_true(count >= TASKS, count .. " polls")
  end)

  it("that hangs leaves a place for what a person asks for", function()
    local hanging <close> = tasks.start { any = { "hang" }, person = { "Success" } }
    local own <close> = hanging:client { max_connections = 3 }
    minimax.run(function()
      local crew = {}
      for i = 1, 10 do
        crew[i] = minimax.spawn(own.wait, own, "w" .. i)
      end
      minimax.sleep(0.1)
      assert(own:query("person", { timeout = 5 }))
      for _, co in ipairs(crew) do
        coroutine.close(co)
      end
    end)
  end)

  it("has nobody stand behind the patient waits", function()
    local broken <close> = tasks.start { any = { "reset" },
      slow = { { word = "go", "Success" } }, quick = { "Success" } }
    local own <close> = broken:client { max_connections = 1, retries = 0 }
    minimax.run(function()
      local crew = {}
      for i = 1, 10 do
        crew[i] = minimax.spawn(own.wait, own, "w" .. i)
      end
      minimax.sleep(0.2)
      minimax.spawn(function()
        assert(own:query("slow", { timeout = 10 }))
      end)
      minimax.sleep(0.05)
      local quick = minimax.spawn(function()
        assert(own:query("quick", { timeout = 0.9 }))
        for _, co in ipairs(crew) do
          coroutine.close(co)
        end
      end)
      minimax.sleep(0.05)
      broken:tell "go"
      assert(quick)
    end)
  end)

  it("does not hold up a query, which is tried by itself", function()
    local other <close> = limits.start { factor = 60, outage = { 5, 3600 }, seconds = 3600 }
    local count = other:run [[
      local probes, waits = 0, {}
      client = minimax.new { base_url = URL, api_key = "sk-spec", retries = 0,
        on_event = function(event)
          probes = probes + (event.type == "request" and event.stage == "wait" and 1 or 0)
        end }
      minimax.run(function()
        for i = 1, 50 do
          waits[i] = minimax.spawn(client.wait, client, "w" .. i, { interval = 5 })
        end
        repeat
          local _, err = client:query("x")
        until err
        local before = probes
        for _ = 1, 30 do
          local _, err = client:query("x")
          assert(err.kind == "server")
        end
        print(probes - before)
        client:close()
      end)
    ]]
    assert.is_true(tonumber(count) <= 10, count)
  end)
end)
