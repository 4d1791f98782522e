--- A line of the terminal that is drawn again and again while something lasts.

local terminal = require "minimax.cli.terminal"

local line = {}
line.__index = line

--- Starts to draw it, where the output is live; elsewhere all that follows does
-- nothing.
-- @param out an output
-- @param text a function: what the line says now
-- @return the line: `live` as long as it is drawn
function line.start(out, text)
  local self = setmetatable({ text = text, live = out.live }, line)
  if self.live then
    self.columns = terminal.width() - 1
    -- Between two answers of the server nothing calls us, but a line that stands
    -- still looks dead. While the module blocks, it calls an empty function five
    -- times a second, so that hooks can run: this is one.
    debug.sethook(function()
      if self:is_due() then
        self:draw()
      end
    end, "c")
  end
  return self
end

--- Whether it was not drawn in this second.
function line:is_due()
  return self.live and not self.hidden and os.time() ~= self.drawn
end

--- Draws it.
function line:draw()
  self.drawn = os.time()
  terminal.draw(self.text(), self.columns)
end

--- Takes it away, so that another line can be printed; it comes back by itself.
function line:clear()
  if self.live and not self.hidden then
    terminal.clear_line()
    self.drawn = nil
  end
end

--- Takes it away for good. `stop` alone takes the hook away, and has to be called
-- in the coroutine of `start`.
function line:hide()
  self:clear()
  self.hidden = true
end

--- Ends it; a second call does nothing.
function line:stop()
  if self.live then
    debug.sethook()
    self:clear()
    self.live = false
  end
end

return line
