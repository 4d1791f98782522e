--- How often all workers of one account together may submit and ask: two rows in
-- the ledger, counted on the database's clock.

local budget = {}
budget.__index = budget

-- Requests that may go at once after a pause, besides the one whose turn it is.
local AHEAD = 1

--- Seconds that a rate limit holds all workers at most.
budget.LONGEST_HOLD = 60

--- @param ledger the open ledger
-- @param account a name for what shares the budget: one key, one account
function budget.new(ledger, account)
  return setmetatable({ ledger = ledger, account = account, limited = {} }, budget)
end

-- A turn is never farther away than it can be at its rate, whatever a slower rate or
-- a clock that was ahead has left behind.
local function clamp(self)
  return self.ledger:run([[UPDATE minimax_budgets SET
    next_at = (CASE WHEN next_at > $clock + ? * coalesce(seconds / count, 0)
      THEN $clock + ? * coalesce(seconds / count, 0) ELSE next_at END),
    held_until = (CASE WHEN held_until > $clock + ? THEN $clock + ? ELSE held_until END)
    WHERE account = ? AND (next_at > $clock + ? * coalesce(seconds / count, 0)
    OR held_until > $clock + ?)]], AHEAD + 1, AHEAD + 1, budget.LONGEST_HOLD,
    budget.LONGEST_HOLD, self.account, AHEAD + 1, budget.LONGEST_HOLD)
end

--- Sets the rate of a lane for all workers. A turn of a slower one is not waited out.
-- @param lane "submit" or "query"
-- @param rate `{ count, seconds }`, false for none, nil to leave it as it is
function budget:configure(lane, rate)
  if rate == nil then
    return true
  end
  local changed, err = self.ledger:run([[INSERT INTO minimax_budgets
    (account, lane, count, seconds) VALUES (?, ?, ?, ?) ON CONFLICT (account, lane)
    DO UPDATE SET count = excluded.count, seconds = excluded.seconds]], self.account, lane,
    rate and rate[1] or nil, rate and rate[2] or nil)
  if changed then
    changed, err = clamp(self)
  end
  return changed and true, err
end

--- Sets right what lies too far in the future, and reads which lanes have a budget at
-- all: another worker may have set it.
function budget:refresh()
  local changed, err = clamp(self)
  local rows
  if changed then
    rows, err = self.ledger:rows("SELECT lane FROM minimax_budgets WHERE account = ?", self.account)
  end
  for _, row in ipairs(rows or {}) do
    self.limited[row.lane] = true
  end
  return rows and true, err
end

-- How long until the lane is free. Milliseconds come as text: LuaDBI cuts whole
-- numbers to 32 bits, and what is long past would lie in the future.
local function waiting(self, lane)
  local row, err = self.ledger:row([[SELECT
    CAST(CAST((held_until - $clock) * 1000 AS BIGINT) AS TEXT) AS held,
    CAST(CAST((coalesce(next_at - ? * seconds / count, 0) - $clock) * 1000 AS BIGINT) AS TEXT)
    AS ahead FROM minimax_budgets WHERE account = ? AND lane = ?]], AHEAD, self.account, lane)
  return row and math.max(tonumber(row.held), tonumber(row.ahead), 0) / 1000, err
end

--- How long until a request may leave, without taking its turn.
-- @return seconds; or nil and an error
function budget:look(lane)
  if not self.limited[lane] then
    return 0
  end
  return waiting(self, lane)
end

--- Takes the turn of one request that leaves now.
-- @return 0 if it may go; else the seconds to wait before asking again; or nil
--   and an error
function budget:take(lane)
  if not self.limited[lane] then
    return 0
  end
  local taken, err = self.ledger:run([[UPDATE minimax_budgets
    SET next_at = (CASE WHEN next_at > $clock THEN next_at ELSE $clock END)
      + coalesce(seconds / count, 0)
    WHERE account = ? AND lane = ? AND held_until <= $clock
    AND (count IS NULL OR next_at <= $clock + ? * seconds / count)]],
    self.account, lane, AHEAD)
  if taken == 1 then
    return 0
  elseif not taken then
    return nil, err
  end
  local wait
  wait, err = waiting(self, lane)
  return wait and math.max(wait, 0.001), err
end

--- The server answered with a rate limit: nobody asks for a while.
function budget:hold(lane, seconds)
  self.limited[lane] = true
  return self.ledger:run([[INSERT INTO minimax_budgets (account, lane, held_until)
    VALUES (?, ?, $clock + ?) ON CONFLICT (account, lane) DO UPDATE SET held_until =
    (CASE WHEN minimax_budgets.held_until > excluded.held_until THEN minimax_budgets.held_until
    ELSE excluded.held_until END)]], self.account, lane, seconds)
end

return budget
