-- Joint budgets: how often all workers of one account may submit and ask.

local budget = require "minimax.batch.budget"
local ledger = require "minimax.batch.ledger"
local ledgers = require "spec.support.ledgers"

local function specs_of(kind)
  local l, other

  before_each(function()
    local where = kind.new()
    l, other = assert(ledger.open(where)), assert(ledger.open(where))
  end)
  after_each(function()
    l:close()
    other:close()
  end)

  local function opened(of, account)
    local b = budget.new(of or l, account or "a")
    assert(b:refresh())
    return b
  end

  -- The clock of the database goes on, so to say.
  local function pass(seconds)
    assert(l:run([[UPDATE minimax_budgets SET next_at = next_at - ?,
      held_until = held_until - ?]], seconds, seconds))
  end

  local function taken(b, lane, tries)
    local count = 0
    for _ = 1, tries do
      count = count + (b:take(lane) == 0 and 1 or 0)
    end
    return count
  end

  it("asks nobody where there is none", function()
    local b = opened()
    assert.equal(0, b:take "submit")
    assert.equal(0, b:look "query")
  end)

  it("knows what is long past, whatever the time: in milliseconds it is no small number", function()
    local b = opened()
    assert(b:configure("submit", { 6, 3600 }))
    assert(b:refresh())
    for days = 0, 49, 7 do -- 2^32 ms are 49.7 days
      pass(days * 86400)
      assert.equal(0, b:look "submit")
    end
  end)

  it("spreads what is allowed over the window", function()
    local b = opened()
    assert(b:configure("submit", { 6, 3600 }))
    assert(b:refresh())
    assert.equal(2, taken(b, "submit", 10)) -- its turn, and one ahead
    local wait = b:take "submit"
    assert.is_true(wait > 590 and wait <= 600)
    for _ = 1, 5 do
      pass(600)
      assert.equal(1, taken(b, "submit", 5))
    end
  end)

  it("saves no more than one turn up in a pause", function()
    local b = opened()
    assert(b:configure("submit", { 6, 3600 }))
    assert(b:refresh())
    pass(100000)
    assert.equal(2, taken(b, "submit", 10))
  end)

  it("is one for all workers, whoever set it", function()
    local b, its = opened(), opened(other)
    assert(b:configure("submit", { 6, 3600 }))
    assert.equal(0, its:take "submit") -- it does not know yet
    assert(its:refresh())
    assert(b:refresh())
    assert.equal(2, taken(b, "submit", 3) + taken(its, "submit", 3))
    assert.is_true(b:look "submit" > 0)
    assert.is_true(its:look "submit" > 0)
  end)

  it("is one for each account and each lane", function()
    local b = opened()
    assert(b:configure("submit", { 1, 3600 }))
    assert(b:configure("query", { 100, 1 }))
    assert(b:refresh())
    assert.equal(2, taken(b, "submit", 5))
    assert.equal(0, b:take "query")
    assert.equal(5, taken(opened(l, "b"), "submit", 5))
  end)

  it("looks without taking", function()
    local b = opened()
    assert(b:configure("submit", { 1, 3600 }))
    assert(b:refresh())
    for _ = 1, 5 do
      assert.equal(0, b:look "submit")
    end
    assert.equal(2, taken(b, "submit", 5))
  end)

  it("can be changed, and taken away", function()
    local b = opened()
    assert(b:configure("submit", { 1, 3600 }))
    assert(b:refresh())
    taken(b, "submit", 5)
    assert(b:configure("submit", nil))
    assert.is_true(b:look "submit" > 0)
    assert(b:configure("submit", { 1000, 1 }))
    pass(7200)
    assert.equal(0, b:take "submit")
    assert(b:configure("submit", false))
    assert.equal(20, taken(b, "submit", 20))
  end)

  it("waits for no turn of a slower rate that it had", function()
    local b = opened()
    assert(b:configure("submit", { 1, 86400 }))
    assert(b:refresh())
    assert.equal(2, taken(b, "submit", 5))
    assert.is_true(b:look "submit" > 80000)
    assert(b:configure("submit", { 100, 1 }))
    assert.is_true(b:look "submit" <= 0.02)
    pass(1)
    assert(b:configure("submit", { 1, 3600 }))
    taken(b, "submit", 5)
    local wait = b:look "submit"
    assert(b:configure("submit", { 1, 3600 })) -- as each run does: no turn is won
    assert.is_true(b:look "submit" > wait - 10)
    assert.equal(0, taken(b, "submit", 5))
  end)

  it("holds nobody back for longer than it can, whatever a clock that was ahead wrote", function()
    local b = opened()
    for _, rate in ipairs { { 6, 3600 }, false } do
      assert(b:configure("submit", rate))
      assert(l:run "UPDATE minimax_budgets SET next_at = $clock + 28800, held_until = $clock")
      assert(b:refresh())
      assert.is_true(b:look "submit" <= 600)
      assert(l:run "UPDATE minimax_budgets SET held_until = $clock + 28800")
      assert(b:refresh())
      assert.is_true(b:look "submit" <= 600)
      assert(l:run "UPDATE minimax_budgets SET next_at = $clock, held_until = $clock + 28800")
      assert(b:refresh())
      assert.is_true(b:look "submit" <= 60)
    end
  end)

  it("is held for all after a rate limit, the longest time counting", function()
    local b, its = opened(), opened(other)
    assert(b:hold("submit", 60))
    assert(b:hold("submit", 5))
    assert(its:refresh())
    assert.is_true(its:take "submit" > 50)
    assert.is_true(its:look "submit" > 50)
    pass(60)
    assert.equal(0, its:take "submit")
    assert.equal(5, taken(its, "submit", 5)) -- no rate was ever set
  end)
end

for _, kind in ipairs(ledgers) do
  describe("a joint budget on " .. kind.name, function()
    if kind.missing then
      return pending(kind.missing)
    end
    lazy_setup(kind.start)
    lazy_teardown(kind.stop)
    specs_of(kind)
  end)
end
