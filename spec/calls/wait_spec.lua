-- client:wait: what ends it, what does not, and when it asks.

local host = require "spec.support.host"
local minimax = require "minimax"
local native = require "spec.support.native"
local process = require "spec.support.process"
local tasks = require "spec.support.tasks"
local wire = require "spec.support.wire"

describe("client:wait", function()
  local api, client

  local function start(plans, options)
    api = tasks.start(plans)
    client = api:client(options)
  end

  -- Runs a script whose time goes `factor` times as fast; what it printed.
  local function fast(factor, script)
    local result = process.run {
      script = ([[
        local minimax = require "minimax"
        local client = minimax.new { base_url = %q, api_key = "sk-spec" }
      ]]):format(api.url) .. script,
      env = { LD_PRELOAD = native.library "clock", CLOCK_FACTOR = tostring(factor) },
    }
    assert.equal("", result.err)
    return result.out
  end

  after_each(function()
    if api then
      client:close()
      api:stop()
      api = nil
    end
  end)

  describe("ends", function()
    it("with the status when the task succeeded", function()
      start { lion = { "Preparing", "Processing", "Success" } }
      local status = assert(client:wait("lion"))
      assert.equal("succeeded", status.state)
      assert.equal("Success", status.status)
      assert.equal("lion", status.task_id)
      assert.equal("template", status.kind)
      assert.equal("https://example.com/v.mp4", status.url)
      assert.equal(3, api:polls("lion"))
    end)

    it("with kind failed, the code and err.status when the task failed", function()
      start { lion = { "Processing", { "Fail", code = 1027 } } }
      local status, err = client:wait("lion")
      assert.is_nil(status)
      assert.equal("failed", err.kind)
      assert.equal(1027, err.code)
      assert.equal("failed", err.status.state)
      assert.equal("lion", err.task_id)
      assert.equal("wait", err.stage)
      assert.equal("lion", err.task.task_id)
    end)

    it("with kind failed when the server cancelled the task", function()
      start { lion = { "Cancelled" } }
      local _, err = client:wait("lion")
      assert.equal("failed", err.kind)
      assert.equal("cancelled", err.status.state)
    end)

    it("with kind timeout at its own deadline, naming the task", function()
      start { lion = { "Processing" } }
      local status, err = client:wait("lion", { timeout = 0.2 })
      assert.is_nil(status)
      assert.equal("timeout", err.kind)
      assert.equal("lion", err.task_id)
      assert.is_true(err.attempts >= 1)
      assert.is_true(err.retryable)
    end)

    it("at its deadline without saying that a task goes on which has ended without a result",
      function()
        start { lion = { { http = 200, body = '{"status":"Success","task_id":"lion"}' } } }
        local _, err = client:wait("lion", { timeout = 0.2, interval = 0.05 })
        assert.equal("timeout", err.kind)
        assert.equal("lion", err.task_id)
        assert.is_nil(err.message:find("goes on", 1, true))
        assert.matches("the task has ended, and nothing says where its result is", err.message)
      end)

    it("at its deadline in the middle of a poll that is not answered", function()
      start { lion = { "hang" } }
      local _, err = client:wait("lion", { timeout = 0.1 })
      assert.equal("timeout", err.kind)
    end)

    it("at the client's wait_timeout when it names none itself", function()
      start({ lion = { "Processing" } }, { wait_timeout = 0.1 })
      assert.equal("timeout", select(2, client:wait("lion")).kind)
    end)

    it("never by time with timeout = false", function()
      start({ lion = { "Processing", "Processing", "Processing", "Success" } },
        { wait_timeout = 0.001 })
      assert.equal("succeeded", assert(client:wait("lion", { timeout = false })).state)
    end)

    for name, case in pairs {
      ["a wrong key (1004)"] = { { code = 1004 }, "auth" },
      ["HTTP 401"] = { { http = 401, body = '{"error":{"message":"no"}}' }, "auth" },
      ["an unknown task (2013)"] = { { code = 2013 }, "invalid" },
      ["HTTP 404 in plain text"] = { { http = 404, body = "404 page not found" }, "invalid" },
      ["an empty account (1008)"] = { { code = 1008 }, "balance" },
      ["content that is refused (1026)"] = { { code = 1026 }, "content" },
    } do
      it("at once at a definite refusal: " .. name, function()
        start { lion = { "Processing", case[1], "Success" } }
        local status, err = client:wait("lion")
        assert.is_nil(status)
        assert.equal(case[2], err.kind)
        assert.equal("lion", err.task_id)
        assert.equal(2, api:polls("lion"))
      end)
    end

    it("at once when the certificate is no good", function()
      api = tasks.start({}, { tls = "good" })
      client = api:client { ca_file = "/dev/null" }
      local _, err = client:wait("lion")
      assert.equal("tls", err.kind)
    end)

    it("alone: a definite refusal ends no other wait", function()
      start { lion = { { code = 2013 } }, tiger = { "Processing", "Success" } }
      local state, kind
      minimax.spawn(function()
        state = assert(client:wait("tiger")).state
      end)
      minimax.run(function()
        kind = select(2, client:wait("lion")).kind
      end)
      assert.equal("invalid", kind)
      assert.equal("succeeded", state)
    end)
  end)

  describe("goes on", function()
    -- Side by side, each with a client of its own: after a poll that failed
    -- each takes a second.
    local failures = {
      ["a connection that is reset"] = "reset",
      ["a connection that is closed"] = "close",
      ["HTTP 500"] = { http = 500 },
      ["HTTP 503 with a page"] = { http = 503, body = "<html>Service Unavailable</html>" },
      ["an HTML page with HTTP 200"] = { http = 200, body = "<html>Sign in</html>" },
      ["an empty answer"] = { http = 200, body = "" },
      ["a cut answer"] = { http = 200, body = '{"task_id":"x","sta' },
      ["success without a link"] = { http = 200,
        body = '{"task_id":"lion","status":"Success","base_resp":{"status_code":0}}' },
      ["an answer without a status"] = { http = 200, body = '{"base_resp":{"status_code":0}}' },
      ["an internal error of the API (1000)"] = { code = 1000 },
      ["a code that nobody documented"] = { code = 4711 },
      ["a non-zero code beside an empty status"] = { "", code = 1024 },
    }
    local results, polls = {}, {}

    lazy_setup(function()
      local plans = {}
      local ids = {}
      for name, step in pairs(failures) do
        ids[name] = name:gsub("%W+", "-")
        plans[ids[name]] = { "Processing", step, "Success" }
      end
      local server <close> = tasks.start(plans)
      for name, id in pairs(ids) do
        minimax.spawn(function()
          local own <close> = server:client()
          results[name] = table.pack(own:wait(id))
          polls[name] = server:polls("=" .. id)
        end)
      end
      minimax.run()
    end)

    for name in pairs(failures) do
      it("after " .. name, function()
        local status, err = table.unpack(results[name])
        assert(status, err)
        assert.equal("succeeded", status.state)
        assert.equal(3, polls[name])
      end)
    end

    it("after a poll that was never answered", function()
      start({ lion = { "hang", "Success" } }, { request_timeout = 0.5 })
      assert.equal("succeeded", assert(client:wait("lion")).state)
      assert.equal(2, api:polls("lion"))
    end)

    it("however often polls fail, more often than the client's retries", function()
      start({ lion = { "Processing", "reset", "reset", "Success" } }, { retries = 0 })
      assert.equal("succeeded", assert(client:wait("lion")).state)
    end)

    it("while nobody listens, until somebody does", function()
      local refused = wire.refused()
      client = minimax.new { api_key = "sk-spec", base_url = refused.url, poll_interval = 0.02 }
      local co = coroutine.create(client.wait)
      assert(coroutine.resume(co, client, "lion"))
      local watcher = minimax.new { api_key = "sk-spec", base_url = refused.url, retries = 0 }
      assert.equal("network", select(2, watcher:query("lion")).kind)
      refused.close()
      api = tasks.start({}, { port = refused.port })
      assert.equal("succeeded", host.drive(co).state)
    end)

    it("when the answer says that the limit is reached", function()
      start { lion = { { code = 1002 }, { http = 429 }, "Success" } }
      assert.equal("succeeded\n", fast(1000, [[ print(assert(client:wait("lion")).state) ]]))
      assert.equal(3, api:polls("lion"))
    end)
  end)

  describe("asks", function()
    it("at once for a task that it did not submit itself", function()
      start({ lion = { "Success" } }, { poll_interval = 60 })
      assert(client:wait("lion"))
      assert(client:wait({ task_id = "lion", kind = "template" }))
    end)

    it("for the first time one interval after a submit of this client", function()
      start({}, { poll_interval = 0.2 })
      local task = assert(client:submit { template_id = "1" })
      assert(client:wait(task))
      local submitted, asked
      for _, request in ipairs(api:requests()) do
        if request.method == "POST" then
          submitted = request.time
        else
          asked = asked or request.time
        end
      end
      assert.is_true(asked - submitted > 0.15)
    end)

    it("at the interval of the call, which comes before the client's", function()
      start({ lion = { "Processing", "Success" } }, { poll_interval = 600 })
      assert(client:wait("lion", { interval = 0.01 }))
    end)

    it("with an interval of its own, about as long", function()
      start { lion = { "Processing", "Processing", "Success" } }
      assert(client:wait("lion", { interval = 0.1 }))
      local times = {}
      for i, request in ipairs(api:requests()) do
        times[i] = request.time
      end
      assert.is_true(times[2] - times[1] >= 0.09)
      assert.is_true(times[3] - times[2] >= 0.09)
    end)

    it("over one connection, however many polls there are", function()
      start { any = { "Processing", "Processing", "Processing", "Processing", "Success" } }
      assert(client:wait("lion"))
      assert(client:wait("tiger"))
      assert.equal(1, api:connections())
    end)

    it("while another's answer is late, over plain HTTP and over TLS", function()
      for _, tls in ipairs { false, "good" } do
        local late <close> = tasks.start({ held = { { word = "go", "Success" } } },
          { tls = tls or nil })
        local own <close> = late:client()
        local state
        minimax.spawn(function()
          state = assert(own:wait("held")).state
        end)
        minimax.run(function()
          assert(own:wait("quick"))
          late:tell("go")
        end)
        assert.equal("succeeded", state)
      end
    end)
  end)

  describe("hears the same again and again", function()
    local A, B, C = "401047179385389059", "401047179385389060", "401047179385389061"

    it("and ends each of many tasks with its own result", function()
      start({
        [A] = { "Processing", "Processing", "Success" },
        [B] = { "Processing", "Processing", "Fail" },
        [C] = { "Queueing", "Processing", "Queueing", "Success" },
      }, { poll_interval = 0.02 })
      local states = {}
      for _, id in ipairs { A, B, C } do
        minimax.spawn(function()
          local status, err = client:wait(id)
          status = status or err.status
          states[status.task_id] = status.state
        end)
      end
      minimax.run()
      assert.same({ [A] = "succeeded", [B] = "failed", [C] = "succeeded" }, states)
      assert.same({ 3, 3, 4 }, { api:polls(A), api:polls(B), api:polls(C) })
    end)

    it("and takes no id for a word of the answer", function()
      local body = '{"status":"%s","file_id":"9"}'
      start({
        Processing = { { http = 200, body = body:format "Processing" }, "Success" },
        Success = { { http = 200, body = body:format "Success" } },
      }, { poll_interval = 0.02 })
      assert(client:wait("Processing"))
      assert.equal("succeeded", assert(client:wait("Success", { timeout = 5 })).state)
    end)

    it("and knows each end, also one that others were told in the same words", function()
      local link = '"video_url":"https://x.test/v"'
      local ends = {
        succeeded = '{"task_id":"%s","status":"Success",' .. link .. "}",
        failed = '{"task_id":"%s","status":"Fail"}',
        cancelled = '{"task":{"task_id":"%s","status":"cancelled"}}',
        invalid = '{"task_id":"%s","base_resp":{"status_code":2013}}',
        ["succeeded without an id"] = '{"status":"Success",' .. link .. "}",
        ["failed without an id"] = '{"status":"Fail"}',
      }
      for ending, body in pairs(ends) do
        local plans = {}
        local ids = { A, B, C, "short", "t1" }
        for _, id in ipairs(ids) do
          local last = { http = 200, body = body:format(id) }
          plans[id] = { "Processing", "Processing", last }
        end
        start(plans, { poll_interval = 0.01 })
        for _, id in ipairs(ids) do
          local status, err = client:wait(id, { timeout = 5 })
          local seen = status and status.state or err.status and err.status.state or err.kind
          assert.equal(ending:match "^%a+", seen, id)
          assert.equal(3, api:polls("=" .. id))
        end
        client:close()
        api:stop()
      end
      start {}
    end)

    it("and tells answers apart by where the id stands in them", function()
      start({
        [A] = { { http = 200, body = '{"' .. A .. 'status":"Success","task_id":"",'
          .. '"video_url":"https://x.test/v","data":{"status":"Processing"}}' } },
        [B] = { { http = 200, body = '{"status":"Success","task_id":"' .. B .. '",'
          .. '"video_url":"https://x.test/v","data":{"status":"Processing"}}' } },
      }, { poll_interval = 0.01 })
      assert.equal("timeout", select(2, client:wait(A, { timeout = 0.2 })).kind)
      assert.equal("succeeded", assert(client:wait(B, { timeout = 2 })).state)
    end)

    it("and forgets that polls failed before", function()
      start({ [A] = { "Processing", { http = 503 }, "Processing" } }, { poll_interval = 0.02 })
      local _, err = client:wait(A, { timeout = 1.5 })
      assert.equal("timeout", err.kind)
      assert.is_true(api:polls(A) > 2)
      assert.not_matches("poll failed", err.message, 1, true)
    end)
  end)

  describe("on_status", function()
    it("is called after every answered poll, the last one too", function()
      start { lion = { "Queueing", "reset", "Processing", "Success" } }
      local states = {}
      local status = assert(client:wait("lion", { on_status = function(status, ...)
        states[#states + 1] = status.state
        assert.equal(0, select("#", ...))
        assert.equal("minimax.status", getmetatable(status).__name)
      end }))
      assert.equal("succeeded", status.state)
      assert.same({ "queued", "running", "succeeded" }, states)
    end)

    it("is called for the status of a task that failed", function()
      start { lion = { "Fail" } }
      local states = {}
      client:wait("lion", { on_status = function(status)
        states[#states + 1] = status.state
      end })
      assert.same({ "failed" }, states)
    end)

    it("runs in the caller's own coroutine and may yield there", function()
      start { lion = { "Processing", "Success" } }
      local yielded = {}
      local co
      co = coroutine.create(function()
        return client:wait("lion", { on_status = function(status)
          assert.equal(co, coroutine.running())
          yielded[#yielded + 1] = coroutine.yield(status.state)
        end })
      end)
      local ok, got = coroutine.resume(co)
      while coroutine.status(co) ~= "dead" do
        assert.is_true(ok)
        if type(got) == "string" then
          ok, got = coroutine.resume(co, "seen " .. got)
        else
          host.sleep()
          ok, got = coroutine.resume(co)
        end
      end
      assert.is_true(ok, got)
      assert.equal("succeeded", got.state)
      assert.same({ "seen running", "seen succeeded" }, yielded)
    end)

    it("raises its error to the caller, and the wait is over", function()
      start { lion = { "Processing" } }
      local mine = {}
      local ok, err = pcall(client.wait, client, "lion", { on_status = function()
        error(mine)
      end })
      assert.is_false(ok)
      assert.equal(mine, err)
      assert.is_nil(minimax.timeout())
    end)

    it("hands the caller alone its error: other waits go on", function()
      start { any = { "Processing", "Processing", "Success" } }
      local state
      minimax.spawn(function()
        state = assert(client:wait("tiger")).state
      end)
      minimax.run(function()
        assert(not pcall(client.wait, client, "lion", { on_status = error }))
      end)
      assert.equal("succeeded", state)
    end)

    it("may use the client itself", function()
      start { lion = { "Processing", "Success" } }
      local others = 0
      assert(client:wait("lion", { on_status = function()
        others = others + #assert(client:wait("other")).task_id
      end }))
      assert.equal(10, others)
    end)
  end)

  describe("client:notify", function()
    it("moves the next poll of that task to now", function()
      start({ lion = { "Processing", "Success" }, tiger = { "Processing", "Success" } },
        { poll_interval = 600 })
      local co, other = coroutine.create(client.wait), coroutine.create(client.wait)
      assert(coroutine.resume(co, client, "lion"))
      assert(coroutine.resume(other, client, "tiger"))
      assert.is_true(host.step_until(function()
        return api:polls() == 2 and minimax.timeout() > 10
      end))
      assert.equal(1, client:notify { task_id = "lion" })
      assert.equal("succeeded", host.drive(co).state)
      assert.equal(1, api:polls("tiger"))
      assert.equal(0, client:notify { task_id = "nobody" })
      coroutine.close(other)
    end)
  end)

  it("says once that there was no answer for 60 s, as a warning and an event", function()
    start { lion = { "Processing", "reset" } }
    local result = process.run {
      script = ([[
        local minimax = require "minimax"
        local events = 0
        local client = minimax.new { base_url = %q, api_key = "sk-spec", poll_interval = 10,
          on_event = function(event)
            if event.type == "retry" and (event.message or ""):find("no answer for 60 s") then
              events = events + 1
            end
          end }
        warn "@on"
        local status, err = client:wait("lion", { timeout = 150 })
        print(status, err.kind, events)
      ]]):format(api.url),
      env = { LD_PRELOAD = native.library "clock", CLOCK_FACTOR = "30" },
    }
    assert.equal("nil\ttimeout\t1\n", result.out)
    assert.equal("Lua warning: minimax: no answer for 60 s about task lion; the wait goes on\n",
      result.err)
  end)

  it("runs all its deadlines on the monotonic clock", function()
    start { lion = { "Processing" } }
    -- Only that clock is made to run: half an hour is over in two seconds.
    assert.matches("^timeout\ttrue\t%d+\n$", fast(1000, [[
      local began = os.time()
      local _, err = client:wait("lion", { interval = 60 })
      print(err.kind, os.time() - began < 300, err.attempts)
    ]]))
  end)
end)
