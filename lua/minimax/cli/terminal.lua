--- What concerns the terminal.

local console = require "minimax.console"
local printable = require "minimax.common.printable"

local terminal = {}

--- Whether a descriptor (1 or 2) is a terminal that can move its cursor.
function terminal.is_one(descriptor)
  local term = os.getenv "TERM"
  return term ~= nil and term ~= "dumb" and console.is_terminal(descriptor)
end

--- How many columns the terminal has that errors go to; 80 where it does not say.
function terminal.width()
  local columns = console.columns(2) or tonumber(os.getenv "COLUMNS") or 0
  return columns > 0 and columns or 80
end

-- All that reaches the terminal goes through the two functions below.

--- Writes a line.
-- @param file standard output or standard error
-- @param format our own words, as `string.format` takes them; the values may come
--   from anywhere, and each is one line that cannot steer the terminal
function terminal.say(file, format, ...)
  local values = table.pack(...)
  for index = 1, values.n do
    if math.type(values[index]) == nil then
      values[index] = printable.line(values[index])
    end
  end
  file:write(format:format(table.unpack(values, 1, values.n)), "\n")
  file:flush()
end

--- Draws the line that the cursor of standard error is in.
-- @param columns how much of the text there is room for
function terminal.draw(text, columns)
  text = printable.line(text)
  local stop = utf8.offset(text, columns + 1)
  io.stderr:write("\r", stop and text:sub(1, stop - 1) or text, "\27[K")
  io.stderr:flush()
end

--- Empties the line that the cursor of standard error is in.
function terminal.clear_line()
  io.stderr:write("\r\27[K")
  io.stderr:flush()
end

return terminal
