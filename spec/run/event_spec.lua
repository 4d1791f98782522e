--- src/run/event.c: what the listener hears.

local api = require "spec.support.api"
local process = require "spec.support.process"
local temp = require "spec.support.temp"
local video = require "spec.support.video"

local PENDING = '{"task_id":"17","status":"Processing"}'
local SUCCESS = '{"task_id":"17","status":"Success","file_id":"1"}'

describe("on_event", function()
  local server, events, client

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  before_each(function()
    events = {}
    client = server:client { retries = 1, on_event = function(event)
      events[#events + 1] = event
    end }
  end)

  after_each(function()
    client:close()
  end)

  local function types()
    local list = {}
    for i, event in ipairs(events) do
      list[i] = event.type
    end
    return list
  end

  it("hears each request and response, with what belongs to it", function()
    server:answer('{"task_id":"17"}', PENDING)
    local task = assert(client:submit { model = "m" })
    assert(task:query())
    assert.same({ "request", "response", "request", "response" }, types())
    local request, response, other = table.unpack(events)
    assert.equal("submit", request.stage)
    assert.equal("POST", request.method)
    assert.equal("/v1/video_generation", request.path)
    assert.equal(13, request.bytes)
    assert.equal(1, request.attempt)
    assert.is_nil(request.task_id)
    assert.is_true(math.abs(request.time - os.time()) < 5)
    assert.equal(200, response.http_status)
    assert.equal(16, response.bytes)
    assert.is_true(response.seconds >= 0)
    assert.equal("query", other.stage)
    assert.equal("GET", other.method)
    assert.equal("/v1/query/video_generation?task_id=17", other.path)
    assert.equal("17", other.task_id)
  end)

  it("hears each retry, with its delay", function()
    server:answer({ status = 503 }, PENDING)
    assert(client:query "17")
    assert.same({ "request", "response", "retry", "request", "response" }, types())
    assert.equal(503, events[2].http_status)
    assert.equal(503, events[3].http_status)
    assert.is_true(events[3].delay >= 0)
    assert.equal("17", events[3].task_id)
    assert.equal(2, events[4].attempt)
  end)

  it("hears why a request got no response", function()
    server:answer({ reset = true }, PENDING)
    assert(client:query "17")
    local response = events[2]
    assert.equal("response", response.type)
    assert.is_nil(response.http_status)
    assert.equal("string", type(response.message))
  end)

  it("hears a rate limit", function()
    server:answer { status = 429, body = "{}" }
    client:query("17", { timeout = 0.05 })
    assert.same({ "request", "response", "rate_limit" }, types())
    assert.equal(429, events[3].http_status)
    assert.is_true(events[3].delay > 0)
  end)

  it("hears each status of a wait", function()
    server:answer(PENDING, PENDING, SUCCESS)
    assert(client:wait("17", { interval = 0 }))
    local states = {}
    for _, event in ipairs(events) do
      if event.type == "status" then
        assert.equal("wait", event.stage)
        assert.equal("17", event.task_id)
        states[#states + 1] = event.state .. " " .. event.status
      end
    end
    assert.same({ "running Processing", "running Processing", "succeeded Success" }, states)
  end)

  it("hears the progress of a download, and the renewal of its link", function()
    local folder <close> = temp.folder()
    local link = ',"video_url":"' .. server.url .. '/v.mp4?Expires=1&Signature=abc"}'
    local success = SUCCESS:gsub(',"file_id":"1"}', "") .. link
    server:answer(success, { status = 403 }, success, { body = video.make(5000) })
    local status = assert(client:query "17")
    assert(client:download(status, folder:file "v.mp4"))
    local seen = {}
    for _, event in ipairs(events) do
      seen[event.type] = event
    end
    assert.equal(5000, seen.progress.bytes)
    assert.equal(5000, seen.progress.total)
    assert.equal("download", seen.progress.stage)
    assert.equal(403, seen.renew.http_status)
  end)

  it("never hears the key or a signed query", function()
    local folder <close> = temp.folder()
    server:answer(PENDING, SUCCESS, '{"file":{"file_id":1,"download_url":"' .. server.url
      .. '/v.mp4?Expires=1&Signature=abc"}}', { body = video.make(5000) })
    local status = assert(client:wait("17", { interval = 0 }))
    assert(client:download(status, folder:file "v.mp4"))
    server:answer { status = 500, body = api.KEY }
    client:call("GET", "/v1/x", { query = { key = api.KEY } })
    assert.is_true(#events > 8)
    for _, event in ipairs(events) do
      for name, value in pairs(event) do
        assert.is_nil(tostring(value):find(api.KEY, 1, true), name)
        assert.is_nil(tostring(value):find("Signature", 1, true), name)
      end
    end
  end)

  it("may use the client, and close it", function()
    server:answer(PENDING)
    local inner
    local other
    other = server:client { on_event = function(event)
      if event.type == "response" and event.stage == "query" then
        inner = other:abort "17"
        other:close()
      end
    end }
    assert(other:query "17")
    assert.equal(0, inner)
    assert.equal("cancelled", select(2, other:query "17").kind)
  end)

  it("must not yield, and an error in it is reported once; the work goes on", function()
    server:answer(PENDING)
    local result = process.run {
      args = { server.url },
      script = [[
        warn "@on"
        local minimax = require "minimax"
        local calls = 0
        local client = minimax.new { base_url = ..., api_key = "sk-spec", retries = 0,
          on_event = function(event)
            calls = calls + 1
            if calls == 1 then
              error "a mistake"
            end
            coroutine.yield()
          end }
        minimax.run(function()
          assert(client:query "17")
          assert(client:query "17")
        end)
        print(calls)
      ]],
    }
    assert.equal(0, result.code, result.err)
    assert.equal("4\n", result.out)
    local _, count = result.err:gsub("error in on_event", "")
    assert.equal(1, count)
    assert.is_truthy(result.err:find("a mistake", 1, true))
  end)
end)

describe("MINIMAX_DEBUG=1", function()
  local server

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  local function printed(value, script)
    local result = process.run { script = script, args = { server.url },
      env = { MINIMAX_DEBUG = value, MINIMAX_API_KEY = api.KEY } }
    assert.equal(0, result.code, result.err)
    assert.equal("", result.out)
    return result.err
  end

  local SCRIPT = [[
    local client = require "minimax".new { base_url = ..., retries = 0, insecure = true }
    client:query "17\nx"
    assert(client:callback '{"task_id":"17","status":"Success"}')
  ]]

  it("prints each event as one redacted line on stderr", function()
    server:answer(PENDING)
    local text = printed("1", SCRIPT)
    local lines = {}
    for line in text:gmatch "([^\n]*)\n" do
      lines[#lines + 1] = line
    end
    assert.equal(3, #lines, text)
    assert.is_truthy(lines[1]:find("^minimax request query task_id=17 x method=GET path=/v1/"))
    assert.is_truthy(lines[1]:find("insecure=true", 1, true))
    assert.is_truthy(lines[2]:find("^minimax response query .* http_status=200 seconds=[%d.e-]+"))
    assert.is_truthy(lines[3]:find("^minimax callback task_id=17 status=Success state=succeeded"))
    assert.is_nil(text:find(api.KEY, 1, true))
  end)

  it("is off where it is empty, 0 or not set", function()
    server:answer(PENDING)
    for _, value in ipairs { "", "0", false } do
      assert.equal("", printed(value, SCRIPT))
    end
  end)
end)
