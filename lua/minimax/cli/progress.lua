--- Shows how a wait or a transfer goes: a bar that is drawn again and again on a
-- terminal, a line for each news elsewhere.

local figures = require "minimax.cli.figures"
local line = require "minimax.cli.line"

local progress = {}
progress.__index = progress

local BAR = 24 -- columns

local function text_of(self)
  local seconds = os.time() - self.began
  local text
  if self.bytes then
    text = figures.transfer(self.bytes, self.total, seconds, self.bytes - self.first, BAR)
  else
    text = figures.bar(nil, BAR, seconds) .. "  " .. (self.word or "...") .. "  "
      .. figures.clock(seconds)
  end
  return self.name .. "  " .. text
end

--- @param out an output
-- @param name what is awaited or moved, such as a task's id or a path
-- @return a display; its `line` is what a terminal shows, see `line.lua`
function progress.start(out, name)
  local self = setmetatable({ out = out, name = name, began = os.time() }, progress)
  self.line = line.start(out, function() return text_of(self) end)
  return self
end

--- A status came.
function progress:status(status)
  local word = status.status
  if word == self.word then
    return
  end
  self.word = word
  if self.line.live then
    self.line:draw()
  else
    self.out:note("%s  %s  %s", self.name, word, figures.clock(os.time() - self.began))
  end
end

--- So many bytes have gone by.
-- @param total how many there will be, where that is known
function progress:moved(bytes, total)
  self.first = self.first or bytes
  self.bytes, self.total = bytes, total
  if self.line:is_due() or self.line.live and bytes == total then
    self.line:draw()
  end
end

--- Ends the display; a second call does nothing.
function progress:stop()
  self.line:stop()
end

progress.__close = progress.stop

return progress
