-- The option `on_send` of a submit: the owner is asked when the turn has come,
-- right before the request leaves, and that one attempt is all.

local minimax = require "minimax"
local wire = require "spec.support.wire"

local REQUEST = { template_id = "393769180141805569", text_inputs = { "Lion" } }
local ACCEPTED = '{"task_id":"1","base_resp":{"status_code":0,"status_msg":"success"}}'
local LIMITED = '{"task_id":"","base_resp":{"status_code":1002,"status_msg":"rate limit"}}'

local function serve(...)
  local steps = {}
  for _, body in ipairs { ... } do
    steps[#steps + 1] = { { "read_request" }, { "reply", 200, {}, body }, { "again" } }
  end
  return wire.start { steps = steps }
end

local function client_of(server, options)
  options = options or {}
  options.base_url, options.api_key = server.url, "sk-api-test"
  return minimax.new(options)
end

describe("on_send", function()
  it("is called once, before the request has left", function()
    local server <close> = serve(ACCEPTED)
    local client <close> = client_of(server)
    local seen = {}
    local task = assert(client:submit(REQUEST, { on_send = function()
      seen[#seen + 1] = #server:requests()
    end }))
    assert.same({ 0 }, seen)
    assert.equal("1", task.task_id)
    assert.equal(1, #server:requests())
  end)

  for what, answer in pairs {
    ["false"] = function() return false end,
    ["nil and why not"] = function() return nil, "the disk is full" end,
  } do
    it("keeps it from being sent by " .. what, function()
      local server <close> = serve(ACCEPTED)
      local client <close> = client_of(server)
      local task, err = client:submit(REQUEST, { on_send = answer })
      assert.is_nil(task)
      assert.equal("cancelled", err.kind)
      assert.equal("submit", err.stage)
      assert.equal(select(2, answer()) ~= nil, err.message:find("the disk is full", 1, true) ~= nil)
      assert.equal(0, #server:requests())
      assert.truthy(client:submit(REQUEST)) -- its place was given back
    end)
  end

  it("raises what it raises to its caller, and nothing is sent", function()
    local server <close> = serve(ACCEPTED)
    local client <close> = client_of(server, { max_connections = 1 })
    local reason = {}
    local ok, err = pcall(client.submit, client, REQUEST,
      { on_send = function() error(reason) end })
    assert.is_false(ok)
    assert.equal(reason, err)
    assert.equal(0, #server:requests())
    assert.truthy(client:submit(REQUEST))
  end)

  it("may wait; the others go on meanwhile", function()
    local server <close> = serve(ACCEPTED, ACCEPTED)
    local client <close> = client_of(server)
    local order = {}
    minimax.run(function()
      local other
      minimax.spawn(function()
        other = assert(client:submit(REQUEST))
        order[#order + 1] = "other"
      end)
      assert(client:submit(REQUEST, { on_send = function()
        while not other do
          minimax.sleep(0.005)
        end
      end }))
      order[#order + 1] = "first"
    end)
    assert.same({ "other", "first" }, order)
  end)

  it("is not called after the deadline of the call", function()
    local server <close> = serve(ACCEPTED)
    local client <close> = client_of(server, { submit_rate = { 1, 60 } })
    assert(client:submit(REQUEST))
    local called = false
    local task, err = client:submit(REQUEST,
      { timeout = 0.05, on_send = function() called = true end })
    assert.is_nil(task)
    assert.equal("rate_limit", err.kind)
    assert.is_false(called)
    assert.equal(1, #server:requests())
  end)

  it("makes the attempt the only one: a rate limit is returned, and the budget learns", function()
    local server <close> = serve(LIMITED, ACCEPTED)
    local client <close> = client_of(server)
    local task, err = client:submit(REQUEST, { on_send = function() return true end })
    assert.is_nil(task)
    assert.equal("rate_limit", err.kind)
    assert.equal(1, #server:requests())
    task, err = client:submit(REQUEST, { timeout = 0.05 }) -- it is held back now
    assert.is_nil(task)
    assert.equal("rate_limit", err.kind)
    assert.equal(1, #server:requests())
  end)

  it("makes the attempt the only one: a connection that fails is returned", function()
    local client <close> = minimax.new { base_url = "http://127.0.0.1:1", api_key = "sk-spec" }
    local count = 0
    local task, err = client:submit(REQUEST, { on_send = function() count = count + 1 end })
    assert.is_nil(task)
    assert.equal("network", err.kind)
    assert.equal(1, count)
    assert.equal(1, err.attempts)
  end)
end)

describe("minimax.sleep", function()
  it("lets other coroutines and transfers go on", function()
    local server <close> = serve(ACCEPTED)
    local client <close> = client_of(server)
    local order = {}
    minimax.run(function()
      local done = false
      minimax.spawn(function()
        assert(client:submit(REQUEST))
        done = true
        order[#order + 1] = "submit"
      end)
      while not done do
        assert.is_true(minimax.sleep(0.005))
      end
      order[#order + 1] = "sleeper"
    end)
    assert.same({ "submit", "sleeper" }, order)
  end)

  it("ends in the order of the times, also outside run", function()
    local order = {}
    minimax.run(function()
      for _, seconds in ipairs { 0.06, 0.03, 0 } do
        minimax.spawn(function()
          minimax.sleep(seconds)
          order[#order + 1] = seconds
        end)
      end
    end)
    assert.same({ 0, 0.03, 0.06 }, order)
    assert.is_true(minimax.sleep(0))
  end)

  it("ends at once when its coroutine is closed", function()
    local co
    minimax.run(function()
      co = minimax.spawn(minimax.sleep, 3600)
      minimax.sleep(0)
      assert.is_true(coroutine.close(co))
    end)
    assert.equal("dead", coroutine.status(co))
  end)

  it("raises for what is no time", function()
    for _, value in ipairs { -1, 0 / 0, math.huge, "soon" } do
      assert.has_error(function() minimax.sleep(value) end)
    end
  end)
end)
