-- Claims: one job is one worker's, each step is on the disk or was not made, and
-- what dies in the middle of a submit is unknown.

local budget = require "minimax.batch.budget"
local claims = require "minimax.batch.claims"
local ledger = require "minimax.batch.ledger"
local ledgers = require "spec.support.ledgers"

local function specs_of(kind)
  local l, one, two

  local function worker(name, lease)
    return claims.new(l, { name = name, host = "host-" .. name, lease = lease or 100 })
  end

  -- The lease of a dead worker has run out.
  local function run_out(name)
    assert(l:run("UPDATE minimax_jobs SET lease = $clock - 1 WHERE worker = ?", name))
  end

  before_each(function()
    l = assert(ledger.open(kind.new()))
    one, two = worker "one", worker "two"
    for number = 1, 3 do
      assert(l:add { key = "k" .. number, request = "{}", output = "o" .. number,
        kind = "template" })
    end
  end)
  after_each(function() l:close() end)

  local TASK = { task_id = "42", kind = "template", trace_id = "trace" }

  local function brought(who, ...)
    local job = assert(who:take "added")
    for _, step in ipairs { ... } do
      assert.is_true(who[step](who, job, step == "submitted" and TASK or 5))
    end
    return job
  end

  it("gives each job to one worker, in the order of their adding", function()
    assert.equal("k1", one:take("added").key)
    assert.equal("k2", two:take("added").key)
    assert.equal("k3", one:take("added").key)
    assert.is_nil((two:take "added"))
    assert.is_nil((two:take "submitted"))
  end)

  it("records the worker and its host", function()
    local job = one:take "added"
    assert.same({ "one", "host-one" }, { job.worker, job.host })
  end)

  it("lets others take over what a dead worker held, and no sooner", function()
    local job = brought(one, "intend", "submitted")
    assert.is_nil((two:take "submitted"))
    run_out "one"
    local taken = assert(two:take "submitted")
    assert.equal(job.key, taken.key)
    assert.equal("42", taken.task_id)
    assert.is_false(one:succeeded(job))
    assert.is_true(two:succeeded(taken))
  end)

  it("prolongs the leases of what the worker knows of, and of nothing else", function()
    local job, forgotten = one:take "added", one:take "added"
    run_out "one"
    assert.equal(1, one:prolong { job.id })
    assert.equal(forgotten.key, two:take("added").key)
    assert.equal(0, two:prolong { job.id })
    assert.equal(0, one:prolong {})
  end)

  it("makes a claim in submitting unknown once its worker is dead: never a second POST", function()
    local job = brought(one, "intend")
    assert.same({}, l:give_up_dead(false))
    run_out "one"
    local rows = assert(l:give_up_dead(false))
    assert.equal(job.key, rows[1].key)
    local row = l:find(job.key)
    assert.same({ "unknown", "unknown" }, { row.state, row.error_kind })
    assert.matches("host host-one ended while the submit was under way", row.error, 1, true)
    assert.is_nil(row.worker)
    for _, state in ipairs { "added", "submitting", "unknown" } do
      local taken = two:take "added"
      assert.are_not.equal(job.key, taken and taken.key, state)
    end
  end)

  it("writes no intent for a job that is not the worker's any more", function()
    local job = one:take "added"
    run_out "one"
    assert.is_false(one:intend(job)) -- even where nobody has taken it over yet
    two:take "added"
    assert.is_false(one:intend(job))
    assert.same({ "added", 0 }, { job.state, job.attempt })
  end)

  it("counts the attempts, and takes an intent back where nothing was sent", function()
    local job = brought(one, "intend")
    assert.equal(1, l:find(job.key).attempt)
    assert.is_true(one:unsent(job))
    local row = l:find(job.key)
    assert.same({ "added", 1 }, { row.state, row.attempt })
    assert.is_true(one:intend(job))
    assert.equal(2, l:find(job.key).attempt)
  end)

  it("takes an intent back of which nobody heard whether it was written", function()
    local heard = one:take "added"
    local unheard = {}
    for name, value in pairs(heard) do
      unheard[name] = value
    end
    one:intend(heard) -- the answer to this one was lost, so to say
    assert.equal("added", unheard.state)
    assert.is_true(one:unsent(unheard))
    assert.same({ "added", 1 }, { l:find(unheard.key).state, unheard.attempt })
    assert.is_true(one:intend(unheard))
  end)

  it("waits for what it may come to do, whether its holder lives or has just died", function()
    brought(one, "intend")
    one:release(one:take "added", nil, true)
    one:take "added"
    assert.equal(3, two:remaining(false))
    assert.equal(2, one:remaining(false)) -- without what its host avoids
    run_out "one"
    assert.equal(3, two:remaining(false)) -- may be taken, and is looked for once more
    assert.equal(1, two:remaining(true)) -- what is being submitted becomes unknown first
    l:give_up_dead(false)
    assert.equal(0, two:remaining(true))
    assert.equal("k2", two:take("added").key)
    assert.equal("k3", two:take("added").key)
  end)

  it("takes back the intent of its own claim alone, where the worker holds a job twice", function()
    local job = one:take "added"
    run_out "one" -- it stood still
    local again
    repeat
      again = one:take "added"
    until again.id == job.id
    assert.is_true(one:intend(job))
    assert.is_false(one:unsent(again)) -- its own intent failed, so to say
    assert.equal("submitting", l:find(job.key).state)
    assert.is_true(one:unsent(job))
    assert.equal("added", l:find(job.key).state)
  end)

  it("gives back what it holds without knowing, but for what may be paid", function()
    one:take "added"
    brought(one, "intend")
    assert.equal(1, one:let_go())
    assert.equal("k1", two:take("added").key)
    assert.equal("submitting", l:find("k2").state)
  end)

  it("sees that a step is made whose answer was lost, and by whom", function()
    local job = brought(one, "intend", "submitted", "succeeded")
    local write = l.db.run
    local lost = 0
    l.db.run = function(...)
      write(...)
      lost = lost + 1
      return nil, { kind = "io", message = "lost", transient = true }
    end
    assert.is_nil((one:downloaded(job, 5)))
    l.db.run = write
    assert.same({ 1, "succeeded" }, { lost, job.state })
    local other = { id = job.id, state = "succeeded", attempt = job.attempt }
    assert.is_false(one:downloaded(other, 5)) -- nobody said that it was made
    assert.is_true(one:downloaded(job, 5))
    assert.equal("downloaded", job.state)
  end)

  it("takes it back even after others gave the worker up", function()
    local job = brought(one, "intend")
    run_out "one"
    l:give_up_dead(false)
    assert.is_true(one:unsent(job))
    assert.equal("added", l:find(job.key).state)
  end)

  it("takes nobody else's intent back: that task may exist", function()
    local job = one:take "added" -- and its intent fails, without an answer
    run_out "one"
    local other = assert(two:take "added")
    assert.equal(job.id, other.id)
    assert.is_true(two:intend(other))
    assert.is_false(one:unsent(job))
    assert.equal("submitting", l:find(job.key).state)
    assert.is_true(two:unknown(other, { kind = "unknown", message = "no answer" }))
    assert.is_false(one:unsent(job))
    local row = l:find(job.key)
    assert.same({ "unknown", "no answer", 1 }, { row.state, row.error, row.attempt })
  end)

  it("takes back the last of its own intents only", function()
    local job = brought(one, "intend")
    run_out "one"
    l:give_up_dead(false)
    assert.equal("added", l:retry(job.key))
    local again = assert(two:take "added")
    assert.is_true(two:intend(again))
    run_out "two"
    l:give_up_dead(false)
    assert.is_false(one:unsent(job))
    assert.same({ "unknown", 2 }, { l:find(job.key).state, l:find(job.key).attempt })
    assert.is_true(two:unsent(again))
  end)

  it("holds a job again whose intent it took back after others gave it up", function()
    local job = brought(one, "intend")
    run_out "one"
    l:give_up_dead(false)
    assert.is_true(one:unsent(job))
    assert.is_nil(l:find(job.key).error)
    assert.is_true(one:intend(job))
  end)

  it("records a refusal that comes after others gave the worker up", function()
    local job = brought(one, "intend")
    run_out "one"
    l:give_up_dead(false)
    assert.is_false(two:failed({ id = job.id, state = "submitting", attempt = job.attempt },
      { kind = "content", message = "not that" }))
    assert.is_true(one:failed(job, { kind = "content", message = "not that" }))
    assert.same({ "failed", "not that" }, { l:find(job.key).state, l:find(job.key).error })
  end)

  it("keeps an id that comes late: it settles the unknown job", function()
    local job = brought(one, "intend")
    run_out "one"
    l:give_up_dead(false)
    assert.is_true(one:submitted(job, TASK))
    local row = l:find(job.key)
    assert.same({ "submitted", "42", "trace" }, { row.state, row.task_id, row.trace_id })
    assert.is_nil(row.error)
    assert.is_true(one:submitted(job, TASK)) -- the answer was lost: once more
    assert.is_nil(row.strays)
  end)

  it("keeps an id that comes late before the job was submitted again", function()
    local job = brought(one, "intend")
    run_out "one"
    l:give_up_dead(false)
    assert.equal("added", l:retry(job.key))
    local taken = two:take "added"
    assert.is_true(one:submitted(job, TASK))
    assert.is_false(two:intend(taken)) -- so it is not paid twice
    assert.equal("submitted", l:find(job.key).state)
  end)

  it("notes an id that comes too late as a stray", function()
    local job = brought(one, "intend")
    run_out "one"
    l:give_up_dead(false)
    l:retry(job.key)
    local taken = two:take "added"
    two:intend(taken)
    assert.is_false(one:submitted(job, TASK))
    assert.is_false(one:submitted(job, TASK))
    assert.is_true(two:submitted(taken, { task_id = "43", kind = "template" }))
    local row = l:find(job.key)
    assert.same({ "43", "42 " }, { row.task_id, row.strays })
  end)

  it("notes each stray, however much it is like another", function()
    local job = brought(one, "intend")
    run_out "one"
    l:give_up_dead(false)
    l:retry(job.key)
    local taken = two:take "added"
    two:intend(taken)
    local ids = { "142", "42", "task_1", "taskx1", "Ab", "aB", "100%", "1000" }
    for _, id in ipairs(ids) do
      assert.is_false(one:submitted(job, { task_id = id, kind = "template" }))
      assert.is_false(one:submitted(job, { task_id = id, kind = "template" }))
    end
    assert.equal(table.concat(ids, " ") .. " ", l:find(job.key).strays)
  end)

  it("keeps an id whatever stands beside it", function()
    for number, trace in ipairs { "\xE4\xFF\0x", "t\u{1F600}", "\xED\xA0\x80" } do
      local job = brought(one, "intend")
      local id = "4" .. number
      assert.is_true(one:submitted(job, { task_id = id, kind = "template", trace_id = trace }))
      assert.same({ "submitted", id }, { l:find(job.key).state, l:find(job.key).task_id })
      assert.truthy(utf8.len(l:find(job.key).trace_id))
    end
    assert.equal("t\u{1F600}", l:find("k2").trace_id)
  end)

  it("keeps an id also where nothing can be written beside it", function()
    local job = brought(one, "intend")
    assert(l:run "ALTER TABLE minimax_jobs RENAME COLUMN trace_id TO gone")
    assert(l:run "ALTER TABLE minimax_jobs ADD COLUMN trace_id TEXT CHECK (trace_id IS NULL)")
    assert.is_true(one:submitted(job, TASK))
    assert.same({ "submitted", "42" }, { l:find(job.key).state, l:find(job.key).task_id })
  end)

  it("writes what came of a job whatever the words for it are", function()
    local text = "no \xE4\0\xFFs"
    local job = brought(one, "intend")
    assert.is_true(one:unknown(job, { kind = "unknown", message = text, trace_id = text }))
    job = brought(one, "intend")
    assert.is_true(one:failed(job, { kind = "failed", message = text }))
    assert.equal("no \u{FFFD}\u{FFFD}\u{FFFD}s", l:find(job.key).error)
    job = one:take "added"
    assert.is_true(one:release(job, { kind = "io", message = text }, true))
  end)

  it("goes the whole way, with the times", function()
    local job = brought(one, "intend", "submitted", "succeeded", "downloaded")
    local row = l:find(job.key)
    assert.same({ "downloaded", 5 }, { row.state, row.bytes })
    assert.is_nil(row.worker)
    assert.is_true(row.added_at <= row.submitting_at and row.submitting_at <= row.submitted_at
      and row.submitted_at <= row.succeeded_at and row.succeeded_at <= row.ended_at)
  end)

  it("leaves each state only once", function()
    local job = brought(one, "intend", "submitted", "succeeded")
    local late = { id = job.id, state = "submitted", attempt = job.attempt }
    assert.is_false(one:succeeded(late))
    assert.is_false(one:failed(late, { kind = "failed", message = "x" }))
    assert.equal("succeeded", l:find(job.key).state)
  end)

  it("gives a job back with its reason, and keeps it from this host in this run", function()
    local job = one:take "added"
    assert.is_true(one:release(job, { kind = "io", message = "input missing" }, true))
    assert.equal("input missing", l:find(job.key).error)
    assert.equal("k2", one:take("added").key)
    assert.equal(job.key, two:take("added").key)
    one:forget_avoided()
    run_out "two"
    assert.equal("k3", one:take("added").key)
    assert.equal(job.key, one:take("added").key)
  end)

  it("walks a long row of avoided jobs once, and comes back to what was freed", function()
    for _ = 1, 3 do
      one:release(one:take "added", nil, true)
    end
    assert.is_nil((one:take "added"))
    assert.equal("k1", two:take("added").key)
  end)

  it("answers nil and an error, and nothing else, where the ledger fails", function()
    local job = brought(one, "intend")
    local rates = budget.new(l, "a")
    rates.limited.submit = true
    local failure = { kind = "unknown", message = "no answer" }
    local calls = { take = { "added" }, prolong = { { 1 } }, intend = { job }, unsent = { job },
      let_go = {}, submitted = { job, TASK }, unknown = { job, failure }, succeeded = { job },
      fetched = { job, 5, "d" }, settle_place = { job, "p" }, downloaded = { job, 5 },
      failed = { job, failure }, release = { job } }
    local of_ledger = { add = { { key = "x", request = "{}", output = "x", kind = "template" } },
      add_all = { function() return true end }, page = { nil, 0, 5 }, find = { "k1" },
      retry = { "k1" }, adopt = { "k1", "42" }, give_up_dead = { false } }
    local of_budget = { configure = { "submit", { 1, 1 } }, look = { "submit" },
      take = { "submit" }, hold = { "submit", 1 } }
    l:close()
    local skipped = { new = true, open = true, close = true, rows = true, row = true, run = true }
    for _, case in ipairs { { one, claims, calls }, { l, ledger, of_ledger },
      { rates, budget, of_budget } } do
      for name, value in pairs(case[2]) do
        if type(value) == "function" and not skipped[name] and name:sub(1, 2) ~= "__" then
          local answer, err = value(case[1], table.unpack(case[3][name] or {}, 1, 3))
          assert.is_nil(answer, name)
          assert.equal("the ledger is closed", err and err.message, name)
        end
      end
    end
    assert.is_nil((l.dialect.has_ledger(l.db)))
  end)

  it("frees what a former run held", function()
    brought(one, "intend", "submitted")
    one:take "added"
    assert.equal(2, two:free_all())
    assert.equal("k1", two:take("submitted").key)
    assert.equal("k2", two:take("added").key)
  end)
end

for _, kind in ipairs(ledgers) do
  describe("claims on " .. kind.name, function()
    if kind.missing then
      return pending(kind.missing)
    end
    lazy_setup(kind.start)
    lazy_teardown(kind.stop)
    specs_of(kind)
  end)
end
