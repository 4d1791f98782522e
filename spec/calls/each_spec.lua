-- client:each: many waits, in the order of completion.

local cqueues = require "cqueues"
local host = require "spec.support.host"
local minimax = require "minimax"
local tasks = require "spec.support.tasks"

describe("client:each", function()
  local api, client

  local function start(plans, options)
    api = tasks.start(plans)
    client = api:client(options)
  end

  after_each(function()
    client:close()
    api:stop()
  end)

  it("iterates in the order of completion", function()
    start {
      one = { { word = "two is out", "Success" } },
      two = { { word = "three is out", "Success" } },
      three = { "Processing", "Success" },
    }
    local order = {}
    for task, status, err in client:each { "one", "two", "three" } do
      order[#order + 1] = task
      assert.is_nil(err)
      assert.equal("succeeded", status.state)
      assert.equal(task, status.task_id)
      api:tell(task .. " is out")
    end
    assert.same({ "three", "two", "one" }, order)
  end)

  it("hands out each item as it was given, once", function()
    start {}
    local task = assert(client:submit { template_id = "1" })
    local status = assert(client:query("queried"))
    local plain = { task_id = "plain", kind = "template", mine = true }
    local items = { task, status, plain, "a", "a", 401047179385389059 }
    local seen = {}
    for item in client:each(items) do
      seen[item] = (seen[item] or 0) + 1
    end
    assert.same({ [task] = 1, [status] = 1, [plain] = 1, a = 2, [401047179385389059] = 1 }, seen)
  end)

  it("makes a task that fails an item, not an end of the loop", function()
    start { lost = { "Fail" }, unknown = { { code = 2013 } } }
    local results = {}
    for task, status, err in client:each { "lost", "fine", "unknown" } do
      results[task] = status and status.state or err.kind
    end
    assert.same({ lost = "failed", fine = "succeeded", unknown = "invalid" }, results)
  end)

  it("gives each item its own deadline", function()
    start { slow = { "Processing" } }
    local results = {}
    for task, status, err in client:each({ "slow", "fine" }, { timeout = 0.3 }) do
      results[task] = status and status.state or err.kind
    end
    assert.same({ slow = "timeout", fine = "succeeded" }, results)
  end)

  it("does nothing for an empty list", function()
    start {}
    for _ in client:each {} do
      error("an item")
    end
    assert.is_nil(minimax.timeout())
  end)

  it("is not disturbed by changes of the list in the loop", function()
    start {}
    local items = { "a", "b", "c" }
    local count = 0
    for _ in client:each(items) do
      items[1], items[2], items[3] = nil, nil, nil
      count = count + 1
    end
    assert.equal(3, count)
  end)

  it("ends the polling at break", function()
    start { slow = { "Processing" } }
    for task in client:each { "slow", "fine" } do -- luacheck: ignore 512
      assert.equal("fine", task)
      break
    end
    assert.is_nil(minimax.timeout())
    assert.equal(0, client:abort("slow"))
  end)

  it("ends the polling at an error in the loop", function()
    start { slow = { "Processing" } }
    assert.has_error(function()
      for _ in client:each { "slow", "fine" } do
        error("mine")
      end
    end)
    assert.is_nil(minimax.timeout())
  end)

  it("ends the polling when its coroutine is closed", function()
    start { slow = { "Processing" } }
    local co = coroutine.create(function()
      for _ in client:each { "slow" } do
        error("never")
      end
    end)
    coroutine.resume(co)
    assert.is_not_nil(minimax.timeout())
    assert.is_true(coroutine.close(co))
    assert.is_nil(minimax.timeout())
  end)

  it("calls on_status for every answered poll of each task", function()
    start { lion = { "Processing", "Success" }, tiger = { "Fail" } }
    local states = { lion = {}, tiger = {} }
    for _ in client:each({ "lion", "tiger" }, { on_status = function(status)
      table.insert(states[status.task_id], status.state)
    end }) do -- luacheck: ignore
    end
    assert.same({ lion = { "running", "succeeded" }, tiger = { "failed" } }, states)
  end)

  it("lets on_status yield", function()
    start { lion = { "Processing", "Success" } }
    local co = coroutine.create(function()
      local count = 0
      for _, status in client:each({ "lion" }, { on_status = function(status)
        assert(coroutine.yield(status.state) == "go on")
      end }) do
        count = count + #status.task_id
      end
      return count
    end)
    local yielded = {}
    local ok, got = coroutine.resume(co)
    while coroutine.status(co) ~= "dead" do
      assert.is_true(ok, got)
      if type(got) == "string" then
        yielded[#yielded + 1] = got
        ok, got = coroutine.resume(co, "go on")
      else
        host.sleep()
        ok, got = coroutine.resume(co)
      end
    end
    assert.same({ true, 4 }, { ok, got })
    assert.same({ "running", "succeeded" }, yielded)
  end)

  it("tells the last status too where on_status waits longer than the interval", function()
    start { lion = { "Processing", "Processing", "Success" }, bear = { "Processing", "Success" } }
    local states, ended = { lion = {}, bear = {} }, {}
    minimax.run(function()
      local function on_status(status)
        table.insert(states[status.task_id], status.state)
        minimax.sleep(0.15)
      end
      for task, status in client:each({ "lion", "bear" }, { on_status = on_status,
        timeout = 5 }) do
        ended[task] = status and status.state
      end
    end)
    assert.same({ lion = "succeeded", bear = "succeeded" }, ended)
    assert.same({ lion = { "running", "running", "succeeded" },
      bear = { "running", "succeeded" } }, states)
  end)

  it("has no more items after its end, however that came", function()
    start { slow = { "Processing" } }
    local after_all, _, _, all = client:each { "a" }
    assert.equal("a", (after_all()))
    assert.is_nil(after_all())
    assert.is_nil(after_all())
    local next_item, _, _, loop = client:each { "a", "slow" }
    assert.equal("a", (next_item()))
    getmetatable(loop).__close(loop)
    local co = coroutine.create(next_item)
    assert.same({ true }, { coroutine.resume(co) })
    assert.equal("dead", coroutine.status(co))
    assert.is_nil(next_item())
    getmetatable(all).__close(all)
    assert.is_nil(after_all())
  end)

  it("says so where two coroutines wait for the next item of one loop", function()
    start { slow = { "Processing", { word = "go", "Success" } } }
    local taken, problem
    minimax.run(function()
      local next_item <const>, _, _, loop <close> = client:each { "slow" }
      assert(loop)
      minimax.spawn(function()
        taken = next_item()
      end)
      minimax.sleep(0)
      problem = select(2, pcall(next_item))
      api:tell("go")
      while not taken do
        minimax.sleep(0.01)
      end
    end)
    assert.truthy(problem:find("another coroutine waits", 1, true), problem)
    assert.equal("slow", taken)
  end)

  for place, start_it in pairs {
    ["minimax.run"] = minimax.spawn,
    ["a host with a loop of its own"] = function(fn)
      local co = coroutine.create(fn)
      coroutine.resume(co)
      return co
    end,
  } do
    it("is at its end in " .. place .. " for who waits while another closes it", function()
      start { slow = { "Processing", { word = "never", "Success" } } }
      local results
      local function use_it()
        local next_item <const>, _, _, loop <close> = client:each { "slow" }
        assert(loop)
        local co = start_it(function()
          results = table.pack(next_item())
        end)
        repeat
          minimax.sleep(0.01)
        until api:polls() == 2
        return co
      end
      if place == "minimax.run" then
        minimax.run(use_it)
      else
        host.drive(use_it())
      end
      assert.same({ n = 0 }, results)
    end)
  end

  it("ends when it is closed by its own on_status", function()
    start { lion = { "Processing" } }
    local values
    values = { client:each({ "lion" }, { on_status = function()
      getmetatable(values[4]).__close(values[4])
    end }) }
    assert.same({ n = 0 }, table.pack(values[1]()))
  end)

  it("raises an error of on_status to its caller and ends the polling", function()
    start { lion = { "Processing" } }
    local mine = {}
    local ok, err = pcall(function()
      for _ in client:each({ "lion" }, { on_status = function()
        error(mine)
      end }) do -- luacheck: ignore
      end
    end)
    assert.is_false(ok)
    assert.equal(mine, err)
    assert.is_nil(minimax.timeout())
  end)

  it("hands out what is left as cancelled when the client is closed in the loop", function()
    start { slow = { "Processing" }, slower = { "Processing" } }
    local results = {}
    for task, status, err in client:each { "slow", "fine", "slower" } do
      results[task] = status and status.state or err.kind
      client:close()
    end
    assert.same({ slow = "cancelled", slower = "cancelled", fine = "succeeded" }, results)
  end)

  it("hands out an aborted task as cancelled, and goes on with the others", function()
    start { slow = { "Processing" }, held = { { word = "go", "Success" } } }
    local results = {}
    for task, status, err in client:each { "slow", "fine", "held" } do
      results[task] = status and status.state or err.kind
      if task == "fine" then
        assert.equal(1, client:abort("slow"))
      else
        api:tell("go")
      end
    end
    assert.same({ slow = "cancelled", held = "succeeded", fine = "succeeded" }, results)
  end)

  for name, run in pairs {
    ["inside minimax.run"] = minimax.run,
    ["inside cqueues"] = function(fn)
      local controller = cqueues.new()
      controller:wrap(fn)
      assert(controller:loop(20))
      assert(controller:empty())
    end,
    ["inside a bare coroutine"] = function(fn)
      host.drive(coroutine.create(fn))
    end,
  } do
    it("works " .. name, function()
      start { any = { "Processing", "Success" } }
      local count = 0
      run(function()
        for task, status in client:each { "a", "b", "c" } do
          assert(status.task_id == task)
          count = count + 1
        end
      end)
      assert.equal(3, count)
    end)
  end

  it("serves two thousand tasks over no more connections than allowed", function()
    start({ any = { "Processing", "Success" } }, { wait_timeout = false })
    local items = {}
    for i = 1, 2000 do
      items[i] = "many-" .. i
    end
    local seen = {}
    for task, status, err in client:each(items) do
      assert(status, err)
      assert(status.task_id == task and not seen[task])
      seen[task] = true
    end
    assert.is_true(seen["many-1"] and seen["many-2000"])
    assert.is_true(api:connections() <= 8)
  end)

  it("raises for what is no list and for an unknown option", function()
    start {}
    assert.has_error(function()
      client:each("lion")
    end)
    assert.has_error(function()
      client:each({ "lion" }, { intervall = 1 })
    end)
    assert.has_error(function()
      client:each { true }
    end)
    assert.is_nil(minimax.timeout())
  end)

  it("inside a finalizer hands out every task with kind invalid", function()
    start {}
    local results
    do
      local _ = setmetatable({}, { __gc = function()
        results = {}
        for task, status, err in client:each { "a", "b" } do
          results[task] = { status, err.kind }
        end
      end })
    end
    collectgarbage()
    collectgarbage()
    assert.same({ a = { nil, "invalid" }, b = { nil, "invalid" } }, results)
  end)
end)
