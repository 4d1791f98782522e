-- One ledger on PostgreSQL, several workers.

local batch = require "minimax.batch"
local emulator = require "minimax.emulator"
local ledgers = require "spec.support.ledgers"
local minimax = require "minimax"
local temp = require "spec.support.temp"

local kind = ledgers[2]

describe("workers on one ledger", function()
  if kind.missing then
    return pending(kind.missing)
  end

  local emu, folder, client, where, opened

  lazy_setup(kind.start)
  lazy_teardown(kind.stop)
  before_each(function()
    emu = assert(emulator.start { seconds = 0.2, speed = 1 })
    folder = temp.folder()
    client = minimax.new { base_url = emu.base_url, api_key = emu.api_key }
    where, opened = kind.new(), {}
  end)
  after_each(function()
    for _, b in ipairs(opened) do
      b:close()
    end
    client:close()
    emu:stop()
    folder:close()
  end)

  local function open()
    opened[#opened + 1] = assert(batch.open(where, client))
    return opened[#opened]
  end

  local function add(b, count)
    local jobs = {}
    for number = 1, count do
      jobs[number] = { key = "job" .. number, output = folder:file(number .. ".mp4"),
        request = { template_id = "394514820878671878", text_inputs = { "scene " .. number } } }
    end
    assert(b:add(jobs))
  end

  -- Runs several workers side by side.
  -- @return for each, how many jobs it brought home, and how its run ended
  local function run(workers)
    local results = {}
    minimax.run(function()
      for index, worker in ipairs(workers) do
        minimax.spawn(function()
          local done = 0
          local given = { poll_interval = 0.05, max_in_flight = 3, lease = 1 }
          for name, value in pairs(worker) do
            given[name] = value
          end
          given.on_event = function(event)
            done = done + (event.state == "downloaded" and 1 or 0)
            if worker.on_event then
              worker.on_event(event)
            end
          end
          local counts, reason = open():run(given)
          results[index] = { done = done, counts = counts, reason = reason }
        end)
      end
    end)
    return results
  end

  it("share the jobs: each is one worker's, all are done, all say so", function()
    local b = open()
    add(b, 20)
    local results = run { { host = "one" }, { host = "two" } }
    assert.same({ "done", "done" }, { results[1].reason, results[2].reason })
    assert.equal(20, results[1].done + results[2].done)
    assert.is_true(results[1].done > 0 and results[2].done > 0)
    assert.equal(20, #emu:tasks())
    assert.equal(20, b:status().downloaded)
    local hosts = {}
    for job in b:jobs() do
      hosts[job.host] = (hosts[job.host] or 0) + 1
    end
    assert.same({ one = results[1].done, two = results[2].done }, hosts)
  end)

  it("leave to each other what one of them can't do", function()
    local b = open()
    local image = assert(io.open("doc/examples/pet.jpg", "rb")):read("a")
    local pet = folder:write("pet.jpg", image)
    assert(b:add { key = "a", output = folder:file "a.mp4", request = {
      template_id = "393488336655310850", media_inputs = { minimax.file(pet) } } })
    os.rename(pet, pet .. ".elsewhere")
    local results = run { { host = "one", on_event = function(event)
      if event.type == "warning" then
        os.rename(pet .. ".elsewhere", pet) -- it is on the other host, so to say
      end
    end } }
    assert.equal("left", results[1].reason)
    assert.equal("done", run { { host = "two" } }[1].reason)
    assert.equal(1, b:status().downloaded)
  end)

  it("wait for each other's jobs, and take them over when their worker dies", function()
    local b = open()
    add(b, 2)
    assert(b.ledger:run([[UPDATE minimax_jobs SET state = 'submitted', task_id = ?,
      worker = 'dead', host = 'dead', lease = $clock + 0.7 WHERE key = 'job1']],
      assert(client:submit { template_id = "394514820878671878", text_inputs = { "x" } }).task_id))
    assert(b.ledger:run [[UPDATE minimax_jobs SET state = 'submitting', attempt = 1,
      worker = 'dead', host = 'dead', lease = $clock + 0.7 WHERE key = 'job2']])
    local results = run { { host = "heir" } }
    assert.equal("done", results[1].reason)
    assert.same({ 1, 1 }, { results[1].counts.downloaded, results[1].counts.unknown })
    assert.equal(1, #emu:tasks())
  end)

  it("say that they wait for each other, where that takes long", function()
    local b = open()
    add(b, 1)
    assert(b.ledger:run [[UPDATE minimax_jobs SET worker = 'alive', host = 'other',
      lease = $clock + 28800]]) -- by a clock that was ahead
    local said
    local sleep = minimax.sleep
    local fake = stub(minimax, "sleep", function(seconds) -- time flies
      return sleep(seconds / 20)
    end)
    local results = run { { host = "one", on_event = function(event)
      if event.type == "warning" and not event.key then
        said = event.err.message
        local row = assert(b.ledger:row "SELECT lease - $clock AS left FROM minimax_jobs")
        assert.is_true(row.left <= 1)
        assert(b.ledger:run "UPDATE minimax_jobs SET lease = $clock - 1")
      end
    end } }
    fake:revert()
    assert.equal("the run waits for jobs that other workers hold (1), to take them over when a "
      .. "lease ends", said)
    assert.equal("done", results[1].reason)
  end)

  it("go on after PostgreSQL has restarted, in the midst of a submit too", function()
    local b = open()
    add(b, 8)
    local submits = 0
    local results = run { { host = "one", on_event = function(event)
      if event.state == "submitting" then
        submits = submits + 1
        if submits == 3 then
          kind.server:down "immediate" -- the intent is written, the id is not
          kind.server:up()
        end
      end
    end } }
    assert.equal("done", results[1].reason)
    assert.same({ 8, 0 }, { results[1].counts.downloaded, results[1].counts.unknown })
    assert.equal(8, #emu:tasks())
  end)

  it("settles what the dead were submitting without waiting for a living one's rows", function()
    local b, other = open(), open()
    add(b, 2)
    assert(b.ledger:run [[UPDATE minimax_jobs SET state = 'submitting', worker = 'dead',
      lease = $clock - 1]])
    assert(other.ledger.db:run "BEGIN")
    assert(other.ledger.db:run "UPDATE minimax_jobs SET lease = 1e12 WHERE key = 'job1'")
    assert(b.ledger.db:run "SET lock_timeout = '2s'")
    local rows, err = b.ledger:give_up_dead(false)
    assert(other.ledger.db:run "COMMIT")
    assert.same({ 1, nil }, { rows and #rows, err })
    assert.same({ 1, 1 }, { b:status().submitting, b:status().unknown })
  end)

  it("lets a worker that was thought dead settle its own submit", function()
    local b = open()
    add(b, 1)
    emu:fault { endpoint = "submit", fault = "slow", seconds = 1 }
    local results = run { { host = "slow", on_event = function(event)
      if event.state == "submitting" then -- asleep for longer than its lease
        assert(b.ledger:run "UPDATE minimax_jobs SET lease = $clock - 1")
        assert(b.ledger:give_up_dead(false))
        assert.equal(1, b:status().unknown)
      end
    end } }
    assert.same({ 1, 0 }, { results[1].counts.downloaded, results[1].counts.unknown })
    assert.equal(1, #emu:tasks())
  end)
end)
