--- src/base/retry.c: how long to wait before the next attempt.

local pure = require "pure"

-- The least and the greatest of many waits.
local function bounds(attempt, base, floor, cap)
  local least, greatest, state = math.maxinteger, -1, 1
  for _ = 1, 2000 do
    local wait
    wait, state = pure.retry_backoff(attempt, base, floor, cap, state)
    least, greatest = math.min(least, wait), math.max(greatest, wait)
  end
  return least, greatest
end

describe("retry", function()
  it("makes random numbers that do not repeat soon", function()
    local seen, state = {}, 1
    for _ = 1, 10000 do
      local value
      value, state = pure.retry_random(state)
      assert.is_nil(seen[value])
      assert.not_equal(0, state)
      seen[value] = true
    end
  end)

  it("follows xorshift64*", function()
    -- the first two for the state 1, from the published definition
    local function reference(state)
      state = state ~ (state >> 12)
      state = state ~ (state << 25)
      state = state ~ (state >> 27)
      return state * 0x2545F4914F6CDD1D, state
    end
    local state = 1
    for _ = 1, 100 do
      local value, expected, after
      expected, after = reference(state)
      value, state = pure.retry_random(state)
      assert.equal(expected, value)
      assert.equal(after, state)
    end
    assert.equal(0x47E4CE4B896CDD1D, (pure.retry_random(1)))
  end)

  it("spreads over the whole range: full jitter", function()
    local least, greatest = bounds(0, 500, 0, 30000)
    assert.is_true(least < 10 and greatest > 490 and greatest <= 500)
    local count, sum, state = 5000, 0, 3
    for _ = 1, count do
      local wait
      wait, state = pure.retry_backoff(0, 1000, 0, 30000, state)
      sum = sum + wait
    end
    assert.near(500, sum / count, 25)
  end)

  it("doubles with each attempt up to the cap", function()
    for attempt, most in pairs { [0] = 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000 } do
      local _, greatest = bounds(attempt, 500, 0, 30000)
      assert.is_true(greatest <= most, attempt .. ": " .. greatest)
      assert.is_true(greatest > most * 0.98, attempt .. ": " .. greatest)
    end
  end)

  it("never goes below the floor, even where the cap does", function()
    local least, greatest = bounds(3, 500, 1000, 30000)
    assert.is_true(least >= 1000 and least < 1050 and greatest <= 4000)
    assert.same({ 1000, 1000 }, { bounds(0, 500, 1000, 30000) })
    assert.same({ 1000, 1000 }, { bounds(9, 500, 1000, 200) })
    assert.same({ 0, 0 }, { bounds(9, 0, 0, 30000) })
  end)

  it("does not wrap around for any attempt or figure", function()
    for _, attempt in ipairs { 31, 32, 53, 62, 63, 64, 65, 1000, 0xFFFFFFFF } do
      local least, greatest = bounds(attempt, 500, 0, 30000)
      assert.is_true(least >= 0 and greatest <= 30000 and greatest > 29000)
    end
    -- a range of all 64 bits: -1 stands for the largest number
    assert.equal((pure.retry_random(5)), (pure.retry_backoff(64, 1, 0, -1, 5)))
  end)
end)
