-- Simulated nights: the batch's own code on a virtual clock, with all faults that
-- there are at any moment. `make simulate` plays as many as one likes.

require "minimax.batch" -- without LuaDBI these specs are pending
local play = require "spec.simulate.play"

local NIGHTS = 50

-- Seeds that found something: turns and leases of a clock that was ahead, jobs whose
-- worker died while others looked.
local FOUND = { sqlite = { 96, 165, 217 }, shared = { 25, 79, 110, 143 } }

local function check(kind, seed)
  local broken = play(kind, seed)
  assert.is_nil(broken[1], ("LEDGER=%s SEED=%d: %s"):format(kind, seed, broken[1]))
end

describe("a simulated night", function()
  for _, kind in ipairs { "sqlite", "shared" } do
    it("breaks no rule on a ledger that is " .. kind, function()
      for seed = 1, NIGHTS do
        check(kind, seed)
      end
    end)

    it("breaks none again that it broke once, on one that is " .. kind, function()
      for _, seed in ipairs(FOUND[kind]) do
        check(kind, seed)
      end
    end)

    it("is the same for the same seed on one that is " .. kind, function()
      local _, first = play(kind, 7)
      local _, second = play(kind, 7)
      local _, other = play(kind, 8)
      assert.equal(first, second)
      assert.not_equal(first, other)
    end)
  end
end)
