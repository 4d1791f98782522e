--- What a wait must stand in every place, and leave undamaged. Runs inside the
-- child processes of `places.lua`.
--
-- A case gets the place: its `client`; `spawn(fn)`, which starts another
-- coroutine in the same loop, nil where there is no loop; `nap()`, by which such
-- a coroutine sleeps in the loop's own way.

local minimax = require "minimax"

local cases = {}

local function expect(condition, ...)
  if not condition then
    error(table.concat({ "unexpected:", tostring((...)), tostring((select(2, ...))) }, " "), 2)
  end
  return condition, ...
end

-- Naps until a condition holds; a loop that is damaged hangs here for ever.
local function until_true(place, holds)
  while not holds() do
    expect(place.client:query("between"))
    place.nap()
  end
end

cases[1] = { name = "a poll that fails", run = function(place)
  local status = expect(place.client:wait("broken"))
  expect(status.state == "succeeded", status.state)
end }

cases[2] = { name = "an abort by its own on_status", run = function(place)
  local aborted
  local status, err = place.client:wait("endless", { on_status = function()
    aborted = place.client:abort("endless")
  end })
  expect(status == nil and err.kind == "cancelled" and aborted == 1, status, err)
end }

cases[3] = { name = "an abort by another coroutine", spawns = true, run = function(place)
  local kind, after
  place.spawn(function()
    local _, err = place.client:wait("held")
    kind = err.kind
    after = expect(place.client:wait("after-abort")).state
  end)
  expect(place.client:wait("meanwhile"))
  expect(place.client:abort("held") == 1, "nothing was aborted")
  until_true(place, function()
    return after
  end)
  expect(kind == "cancelled" and after == "succeeded", kind, after)
end }

cases[4] = { name = "the closing of its coroutine", spawns = true, run = function(place)
  local co, closed
  place.spawn(function()
    local _ <close> = setmetatable({}, { __close = function()
      closed = true
    end })
    co = coroutine.running()
    place.client:wait("held")
    error "never"
  end)
  expect(place.client:wait("meanwhile"))
  expect(coroutine.close(co) and closed, "not closed")
end }

cases[5] = { name = "the closing of its client", run = function(place)
  local own = place.new_client()
  local status, err = own:wait("endless", { on_status = function()
    own:close()
  end })
  expect(status == nil and err.kind == "cancelled", status, err)
end }

cases[6] = { name = "two waits in one loop over each", run = function(place)
  local ends = {}
  for task, status, err in place.client:each { "lost", "one" } do
    ends[task] = status and status.state or err.kind
  end
  expect(ends.lost == "failed" and ends.one == "succeeded", ends.lost, ends.one)
end }

cases[7] = { name = "two waits in two coroutines", spawns = true, run = function(place)
  local begun, ended, together = 0, {}, 0
  for i = 1, 2 do
    place.spawn(function()
      begun = begun + 1
      ended[i] = expect(place.client:wait("two-" .. i)).task_id
      together = together + begun
    end)
  end
  until_true(place, function()
    return ended[1] and ended[2]
  end)
  expect(ended[1] == "two-1" and ended[2] == "two-2", ended[1], ended[2])
  expect(together == 4, "one began after the other had ended")
end }

cases[8] = { name = "an error in on_status", run = function(place)
  local mine = {}
  local ok, got = pcall(place.client.wait, place.client, "endless", { on_status = function()
    error(mine)
  end })
  expect(not ok and got == mine, ok, got)
end }

cases[9] = { name = "an error in on_status that nobody catches", spawns = true,
  run = function(place)
    local raised, other
    place.spawn(function()
      place.client:wait("endless", { on_status = function()
        raised = true
        error "mine"
      end })
    end)
    place.spawn(function()
      other = expect(place.client:wait("beside")).state
    end)
    until_true(place, function()
      return raised and other
    end)
  end }

cases[10] = { name = "an on_status that waits itself", run = function(place)
  local inner = 0
  expect(place.client:wait("outer", { on_status = function()
    expect(place.client:wait("inner"))
    inner = inner + 1
  end }))
  expect(inner == 3, inner)
end }

-- The proof that the scheduler is not damaged: another wait in the same loop,
-- and a coroutine of the loop's own that goes on.
local function go_on(place, name)
  local before = place.ticks
  expect(place.client:wait("after " .. name))
  if place.spawn then
    until_true(place, function()
      return place.ticks > before
    end)
  end
end

local function tick(place)
  place.ticks = 0
  place.ticking = true
  place.spawn(function()
    while not place.over do
      place.ticks = place.ticks + 1
      place.nap()
    end
    place.ticking = false
  end)
end

--- Runs all cases in a place, and says how each of them ended.
function cases.run(place)
  if place.spawn then
    tick(place)
  end
  for _, case in ipairs(cases) do
    if place.spawn or not case.spawns then
      local ok, err = pcall(case.run, place)
      if ok then
        ok, err = pcall(go_on, place, case.name)
      end
      print(case.name .. "\t" .. (ok and "fine" or tostring(err)))
    end
  end
  place.over = true
  place.client:close()
end

--- After the place's loop has ended: nothing is left to be done.
function cases.finish()
  collectgarbage()
  collectgarbage()
  print("the end\t" .. (minimax.timeout() and "something is left" or "fine"))
end

return cases
