-- What events tell of one API request.

local api = require "spec.support.api"
local minimax = require "minimax"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

describe("a long body on its way", function()
  local server, folder

  before_each(function()
    server = api.start()
    folder = temp.folder()
  end)

  after_each(function()
    server:close()
    folder:close()
  end)

  -- The path of an MP4 of that size.
  local function clip(bytes)
    return folder:write("clip.mp4", string.pack(">I4", 16) .. "ftypisom\0\0\0\0"
      .. string.pack(">I4", bytes - 16) .. "mdat" .. ("x"):rep(bytes - 24))
  end

  -- All events of a submit with such a file, and its result.
  local function submit(bytes)
    local events = {}
    local client = server:client { on_event = function(event)
      events[#events + 1] = event
    end }
    local task, err = client:submit {
      template_id = "1", media_inputs = { minimax.file(clip(bytes)) } }
    return events, task, err
  end

  local function of_type(events, kind)
    local found = {}
    for _, event in ipairs(events) do
      found[#found + 1] = event.type == kind and event or nil
    end
    return found
  end

  it("is told in events, the last of which says that it has left whole", function()
    server:answer '{"task_id":"1","base_resp":{"status_code":0}}'
    local events, task = submit(3000000)
    assert.is_truthy(task)
    local request, progress = of_type(events, "request")[1], of_type(events, "progress")
    assert.is_true(#progress >= 1)
    local last = progress[#progress]
    assert.equal(request.bytes, last.total)
    assert.equal(last.total, last.bytes)
    assert.equal("submit", last.stage)
    assert.equal(server:asked()[1].body_length, last.total)
    assert.equal("response", events[#events].type)
  end)

  it("rises while the server is slow to read", function()
    local slow <close> = wire.start { serve = [[
      local connection = ...
      connection:await "read"
      connection:read_request()
      connection:reply(200, {}, '{"task_id":"1","base_resp":{"status_code":0}}')
    ]] }
    local seen = {}
    local options = { base_url = slow.url, api_key = "sk-spec" }
    options.on_event = function(event)
      if event.type == "progress" then
        seen[#seen + 1] = event
        slow:tell "read"
      end
    end
    local client = minimax.new(options)
    local request = { template_id = "1", media_inputs = { minimax.file(clip(19000000)) } }
    assert(client:submit(request, { timeout = 30 }))
    assert.is_true(#seen >= 2)
    assert.is_true(seen[1].bytes > 0 and seen[1].bytes < seen[1].total)
    for index = 2, #seen do
      assert.is_true(seen[index].bytes > seen[index - 1].bytes)
    end
    assert.equal(slow:requests()[1].body_length, seen[#seen].bytes)
  end)

  it("is not told where it is short", function()
    server:answer '{"task_id":"1","base_resp":{"status_code":0}}'
    local events, task = submit(30000)
    assert.is_truthy(task)
    assert.same({}, of_type(events, "progress"))
  end)
end)

describe("a response's event", function()
  it("has the server's own time, where it says so", function()
    local server <close> = api.start()
    local dates = {}
    local client <close> = server:client { on_event = function(event)
      if event.type == "response" then
        dates[#dates + 1] = event.date or "none"
      end
    end }
    server:answer({ body = "{}", headers = { Date = "Sun, 22 Nov 2026 04:00:00 GMT" } },
      { body = "{}" })
    client:call("GET", "/v1/x")
    client:call("GET", "/v1/x")
    assert.same({ "Sun, 22 Nov 2026 04:00:00 GMT", "none" }, dates)
  end)
end)
