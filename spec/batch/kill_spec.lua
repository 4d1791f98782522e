-- Workers that are killed at random instants: at most the submits under way are
-- unknown, nothing is paid twice, nothing fetched twice. `spec/torture/batch.lua`
-- does the same with 500 jobs and 200 kills.

local batch = require "minimax.batch"
local ledgers = require "spec.support.ledgers"
local minimax = require "minimax"
local killed_batch = require "spec.support.killed_batch"

local function finish(n)
  repeat
    local result = n:worker():finish()
    assert.equal("", result.err)
    assert.matches("end\tdone", result.out, 1, true)
    local adopted, again = n:settle()
    n:count_fetches()
  until adopted + again == 0
end

local function keys(set)
  local found = {}
  for key in pairs(set) do
    found[#found + 1] = key
  end
  table.sort(found)
  return found
end

local function check(n)
  local balance = n:balance()
  local jobs = n.options.jobs
  assert.same({ tasks = jobs, twice = 0, whole = jobs, strays = 0, fetched_again = 0,
    downloaded = jobs, total = jobs },
    { tasks = balance.tasks, twice = balance.twice, whole = balance.whole,
      strays = balance.strays, fetched_again = balance.fetched_again,
      downloaded = balance.counts.downloaded, total = balance.counts.total })
end

describe("Ctrl-C", function()
  it("waits for the submits under way, leaves nothing unknown, and is raised", function()
    local n <close> = killed_batch.begin { jobs = 12, seconds = 30, run = { max_in_flight = 6 } }
    n.emulator:fault { endpoint = "submit", fault = "slow", seconds = 0.7, attempt = { 4, 5, 6 } }
    local worker <close> = n:worker()
    repeat until #n.emulator:requests { endpoint = "submit" } >= 6
    worker:signal "INT"
    local result = worker:finish()
    assert.equal(1, result.code)
    assert.matches("interrupted!", result.err, 1, true)
    assert.same({}, n:jobs "unknown")
    assert.same({}, n:jobs "submitting")
    assert.equal(#n.emulator:tasks(), #keys(n:jobs "submitted"))
    assert.is_true(#n.emulator:tasks() >= 6)
  end)

  it("waits for no submit that itself waits for its turn", function()
    local n <close> = killed_batch.begin { jobs = 6, seconds = 30, run = { max_in_flight = 6 },
      emulator = { submit_rate = { 2, 3600 } } }
    local worker <close> = n:worker()
    repeat
      local line = worker:read "l"
    until line:find "^warning.*rate limit"
    minimax.sleep(4) -- until the others have come to the client's own gate
    worker:signal "INT"
    local began = os.time()
    assert.matches("interrupted!", worker:finish().err, 1, true)
    assert.is_true(os.time() - began < 20)
    assert.same({ 4, 2 }, { #keys(n:jobs "added"), #keys(n:jobs "submitted") })
  end)
end)

describe("a run that stops", function()
  it("waits for no submit that itself waits for its turn", function()
    local n <close> = killed_batch.begin { jobs = 6, seconds = 5, run = { max_in_flight = 6 } }
    local client <close> = minimax.new { base_url = n.emulator.base_url,
      api_key = n.emulator.api_key, submit_rate = { 1, 20 } }
    n.emulator:fault { endpoint = "query", fault = "code", code = 1004, attempt = "all" }
    local b <close> = assert(batch.open(n.where, client))
    local began = os.time()
    local counts, reason = b:run { poll_interval = 0.5, max_in_flight = 6 }
    assert.is_true(os.time() - began < 15)
    assert.same({ "auth", 1, 5 }, { reason, counts.submitted, counts.added })
  end)
end)

for _, kind in ipairs(ledgers) do
  describe("batches that are killed, on " .. kind.name, function()
    if kind.missing then
      return pending(kind.missing)
    end
    lazy_setup(kind.start)
    lazy_teardown(kind.stop)

    it("lose nothing and pay nothing twice", function()
      local n <close> = killed_batch.begin { where = kind.new(), jobs = 24, seconds = 0.2,
        run = { poll_interval = 0.1, max_in_flight = 8, lease = 0.6 } }
      for _ = 1, 8 do
        n:kill_after(math.random() * 0.25)
        assert.same({}, n:unexplained())
      end
      finish(n)
      check(n)
    end)

    it("are unknown only where a submit was under way at the kill", function()
      local n <close> = killed_batch.begin { where = kind.new(), jobs = 12, seconds = 0.2,
        run = { poll_interval = 0.1, max_in_flight = 4, lease = 0.5 } }
      n.emulator:fault { endpoint = "submit", fault = "hang", attempt = 3 }
      local worker <close> = n:worker()
      repeat until worker:read("l"):find("job%-%d+\tdownloaded")
      killed_batch.kill(worker)
      worker:finish()
      local under_way = n:jobs "submitting"
      local result = n:worker():finish()
      assert.matches("end\tdone", result.out, 1, true)
      local unknown = n:jobs "unknown"
      assert.same(keys(under_way), keys(unknown))
      assert.is_true(#keys(unknown) >= 1)
      assert.equal(12 - #keys(unknown), #keys(n:jobs "downloaded"))
      assert.is_true(#n.emulator:requests { endpoint = "submit" } <= 12)
    end)
  end)
end
