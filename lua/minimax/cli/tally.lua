--- Shows how a batch goes: one line that counts on a terminal, a line for each
-- news elsewhere.

local figures = require "minimax.cli.figures"
local line = require "minimax.cli.line"
local states = require "minimax.common.states"
local wording = require "minimax.cli.wording"

local tally = {}
tally.__index = tally

local BAR = 24 -- columns

local function text_of(self)
  local counts = self.counts
  local done, total = counts.downloaded or 0, counts.total
  local text = string.format("%s  %d of %d downloaded", figures.bar(total > 0 and done / total or 1,
    BAR), done, total)
  for _, state in ipairs(states) do
    if state ~= "added" and state ~= "downloaded" and (counts[state] or 0) > 0 then
      text = text .. string.format(", %d %s", counts[state], state)
    end
  end
  return text .. "  " .. figures.clock(os.time() - self.began)
end

--- @param out an output
-- @param counts of the ledger, by state, with `total`
function tally.start(out, counts)
  local self = setmetatable({ out = out, counts = {}, states = {}, warned = {},
    began = os.time() }, tally)
  for state, count in pairs(counts) do
    self.counts[state] = count
  end
  self.line = line.start(out, function() return text_of(self) end)
  return self
end

local function move(self, event)
  local before = self.states[event.key] or self:state_before(event)
  self.states[event.key] = event.state
  self.counts[before] = math.max((self.counts[before] or 0) - 1, 0)
  self.counts[event.state] = (self.counts[event.state] or 0) + 1
end

local BEFORE = { submitting = "added", submitted = "submitting", succeeded = "submitted",
  downloaded = "succeeded", unknown = "submitting", failed = "added", added = "submitting" }

--- The state that a job was in which this run had not heard of before.
function tally.state_before(_, event)
  return event.task_id and event.state == "failed" and "submitted" or BEFORE[event.state]
end

local function line_of(event)
  local text = event.key .. "  " .. event.state
  if event.task_id then
    text = text .. "  " .. event.task_id
  end
  if event.output then
    text = text .. "  " .. event.output
  end
  return event.err and text .. "  " .. wording.of(event.err.message) or text
end

-- What is a step on the way is worth no line.
local MINOR = { submitting = true, succeeded = true, added = true }

local function note(self, text)
  self.line:clear()
  self.out:note("%s", text)
end

-- An outage of a night is told once for each job, not at each attempt. What has no
-- key is about the run.
local function tell_warning(self, event)
  local message = wording.of(event.err.message)
  if not event.key then
    note(self, message)
  elseif self.warned[event.key] ~= message then
    self.warned[event.key] = message
    note(self, event.key .. ": " .. message)
  end
end

-- The first Ctrl-C may take as long as the server does to answer.
local function tell_interrupt(self)
  local submits = self.counts.submitting or 0
  if submits > 0 then
    self.line:clear()
    self.out:warn("Interrupted: waiting for the answers to %d submit%s. Ctrl-C once more ends at "
      .. "once;\nthose jobs are unknown then.", submits, submits > 1 and "s" or "")
  end
end

local function on_state(self, event)
  move(self, event)
  self.warned[event.key] = nil
  if event.err or not self.line.live and not MINOR[event.state] then
    note(self, line_of(event))
  end
end

--- An event of the batch.
function tally:on_event(event)
  if event.type == "state" then
    on_state(self, event)
  elseif event.type == "stop" and event.reason == "cancelled" then
    tell_interrupt(self)
  elseif event.err and (event.key or event.type == "warning") then
    tell_warning(self, event)
  end
end

--- Ends the display; a second call does nothing.
function tally:stop()
  self.line:stop()
end

tally.__close = tally.stop

return tally
