--- Shows how a wait or a transfer goes: a bar that is drawn again and again on a
-- terminal, a line for each news elsewhere.

local figures = require "minimax.cli.figures"
local terminal = require "minimax.cli.terminal"

local progress = {}
progress.__index = progress

local BAR = 24 -- columns

--- @param out an output
-- @param name what is awaited or moved, such as a task's id or a path
function progress.start(out, name)
  local self = setmetatable({ out = out, name = name, began = os.time(), beat = 0 }, progress)
  if out.live then
    self.columns = terminal.width() - 1
    self:watch_clock()
  end
  return self
end

local function draw(self)
  local seconds = os.time() - self.began
  local text
  if self.bytes then
    text = figures.transfer(self.bytes, self.total, seconds, self.bytes - self.first, BAR)
  else
    text = figures.bar(nil, BAR, self.beat) .. "  " .. (self.word or "...") .. "  "
      .. figures.clock(seconds)
  end
  self.drawn = os.time()
  terminal.draw(self.name .. "  " .. text, self.columns)
end

-- Between two answers of the server nothing calls us, but a bar that stands still
-- looks dead. While the module blocks, it calls an empty function five times a
-- second, so that hooks can run: this is one.
function progress:watch_clock()
  debug.sethook(function()
    if os.time() ~= self.drawn and not self.hidden then
      self.beat = self.beat + 1
      draw(self)
    end
  end, "c")
end

--- A status came.
function progress:status(status)
  local word = status.status
  if word == self.word then
    return
  end
  self.word = word
  if self.out.live then
    draw(self)
  else
    self.out:note("%s  %s  %s", self.name, word, figures.clock(os.time() - self.began))
  end
end

--- So many bytes have gone by.
-- @param total how many there will be, where that is known
function progress:moved(bytes, total)
  self.first = self.first or bytes
  self.bytes, self.total = bytes, total
  if self.out.live and (os.time() ~= self.drawn or bytes == total) then
    draw(self)
  end
end

--- Takes the bar away, so that a line can be printed; it comes back by itself.
function progress:clear()
  if self.columns and not self.hidden then
    terminal.clear_line()
    self.drawn = nil
  end
end

--- Takes the bar away for good. `stop` alone takes the hook away, and has to be
-- called in the coroutine of `start`.
function progress:hide()
  self:clear()
  self.hidden = true
end

--- Ends the display; a second call does nothing.
function progress:stop()
  if self.columns then
    debug.sethook()
    self:clear()
    self.columns = nil
  end
end

progress.__close = progress.stop

return progress
