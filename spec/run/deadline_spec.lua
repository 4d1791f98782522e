-- A deadline reads what is there before it gives its verdict: an answer that has
-- arrived counts, however late the program comes to look; and what has not left
-- by then does not leave any more.

local minimax = require "minimax"
local process = require "spec.support.process"
local socket = require "socket"
local temp = require "spec.support.temp"
local video = require "spec.support.video"
local wire = require "spec.support.wire"

-- Answers each request after a while with what any call can use.
local ANSWER, TIMEOUT, BUSY = 0.1, 0.4, 0.6
local SERVE = ([==[
  local video = require "spec.support.video"
  local connection, shared = ...
  while true do
    local request = connection:read_request()
    if not request then
      return
    end
    shared.methods = shared.methods or {}
    connection:pause(%s)
    if request.path:find "v.mp4" then
      connection:reply(200, {}, video.make(3000))
    else
      local word = request.path:find "v2" and "queueing" or "Success"
      connection:reply(200, {}, ('{"task_id":"77","status":"' .. word .. '","items":[],"total":0,'
        .. '"video_url":"https://x.test/v","file":{"file_id":"1"},"base_resp":{"status_code":0}}'))
    end
  end
]==])

local CALLS = {
  submit = [[client:submit({ template_id = "1" }, { timeout = TIMEOUT })]],
  query = [[client:query("77", { timeout = TIMEOUT })]],
  wait = [[client:wait("77", { timeout = TIMEOUT })]],
  call = [[client:call("POST", "/v1/x", { timeout = TIMEOUT })]],
  list = [[client:list { timeout = TIMEOUT }]],
  retrieve = [[client:retrieve("1", { timeout = TIMEOUT })]],
  upload = [[client:upload("doc/examples/pet.jpg", nil, { timeout = TIMEOUT })]],
  download = [[client:download(URL .. "/v.mp4", PATH, { timeout = TIMEOUT })]],
  each = [[(function()
    for _, status, err in client:each({ "77" }, { timeout = TIMEOUT }) do
      return status, err
    end
  end)()]],
  ["query of an attempt's own time"] = [[quick:query "77"]],
  ["submit of an attempt's own time"] = [[quick:submit { template_id = "1" }]],
}

describe("an answer that has arrived wins over the deadline", function()
  local server, folder

  before_each(function()
    folder = temp.folder()
    server = wire.start { serve = SERVE:format(ANSWER) }
  end)

  after_each(function()
    server:stop()
    folder:close()
  end)

  local function function_of(call)
    local options = { base_url = server.url, api_key = "sk-spec", retries = 0 }
    local client = minimax.new(options)
    options.request_timeout = TIMEOUT
    return load("return function() return " .. call .. " end", call, "t", {
      client = client, quick = minimax.new(options), TIMEOUT = TIMEOUT, URL = server.url,
      PATH = folder:file "v.mp4", select = select,
    })(), client
  end

  it("while the program is busy", function()
    local results = {}
    minimax.run(function()
      for name, call in pairs(CALLS) do
        local ask = function_of(call)
        minimax.spawn(function()
          results[name] = table.pack(ask())
        end)
      end
      minimax.sleep(0.08)
      socket.sleep(BUSY)
    end)
    for name in pairs(CALLS) do
      assert(results[name][1], name .. ": " .. tostring(results[name][2]))
    end
  end)

  it("while the host resumes nobody", function()
    local crew, count, results = {}, 0, {}
    local function resume(name)
      if not results[name] then
        local returned = table.pack(coroutine.resume(crew[name]))
        assert(returned[1], returned[2])
        results[name] = coroutine.status(crew[name]) == "dead" and returned or nil
      end
      return results[name]
    end
    for name, call in pairs(CALLS) do
      crew[name] = coroutine.create((function_of(call)))
      count = count + 1
    end
    repeat
      for name in pairs(crew) do
        resume(name)
      end
    until #server:requests() >= count
    socket.sleep(BUSY)
    for name in pairs(crew) do
      repeat
        local results_of = resume(name)
      until results_of
      assert(results[name][2], name .. ": " .. tostring(results[name][3]))
    end
  end)

  for what, first in pairs {
    [""] = "", [" with a debug hook"] = "debug.sethook(function() end, '', 100)",
  } do
    for _, name in ipairs { "submit", "query", "wait" } do
      it("while the process is stopped" .. what .. ": " .. name, function()
        local child = process.start { args = { server.url, TIMEOUT }, script = first .. [[
          local minimax = require "minimax"
          local URL, TIMEOUT = ...
          TIMEOUT = tonumber(TIMEOUT)
          local client = minimax.new { base_url = URL, api_key = "sk-spec", retries = 0 }
          print(]] .. CALLS[name] .. ")" }
        assert.is_true(server:await("request", 1))
        child:signal "STOP"
        socket.sleep(BUSY)
        child:signal "CONT"
        local result = child:finish()
        assert.same({ "", 0 }, { result.err, result.code })
        assert.is_nil(result.out:match "^nil", result.out)
      end)
    end
  end

  it("and nothing that has not left by then leaves any more", function()
    for _, steps in ipairs { 0, 1, 2, 3, 5 } do
      local ask, client = function_of(CALLS.submit)
      local before = #server:requests()
      local co = coroutine.create(ask)
      assert(coroutine.resume(co))
      for _ = 1, steps do
        minimax.step(0)
      end
      socket.sleep(BUSY)
      local _, task, err
      repeat
        _, task, err = coroutine.resume(co)
      until coroutine.status(co) == "dead"
      minimax.step(0.05)
      socket.sleep(0.02)
      local sent = #server:requests() - before
      assert.equal(task and 1 or 0, sent, steps .. " steps: " .. tostring(err))
      assert.is_true(task ~= nil or err.kind == "timeout" or err.kind == "rate_limit",
        tostring(err))
      client:close()
    end
  end)

  -- The look is answered while the program is busy, not before.
  it("and cancel sends no DELETE after it", function()
    server:stop()
    server = wire.start { serve = SERVE:format(0.3) }
    local _, client = function_of(CALLS.query)
    local err
    minimax.run(function()
      minimax.spawn(function()
        _, err = client:cancel("77", { timeout = TIMEOUT })
      end)
      minimax.sleep(0.05)
      socket.sleep(BUSY)
    end)
    assert.equal("timeout", err.kind)
    for _, request in ipairs(server:requests()) do
      assert.equal("GET", request.method)
    end
  end)

  it("and is no answer where it is not whole", function()
    assert.is_string(video.make(200)) -- what the server sends of a video
    local silent <close> = wire.start { serve = [[
      local connection = ...
      connection:read_request()
      connection:hang()
    ]] }
    local client <close> = minimax.new { base_url = silent.url, api_key = "sk-spec" }
    local began = socket.gettime()
    local _, err = client:submit({ template_id = "1" }, { timeout = 0.2 })
    assert.equal("unknown", err.kind)
    assert.is_true(socket.gettime() - began < 1)
  end)
end)
