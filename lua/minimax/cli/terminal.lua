--- What concerns the terminal and its shell.

local console = require "minimax.console"

local terminal = {}

--- One word for the shell, quoted only where it has to be.
function terminal.word(text)
  if text:find("^[%w_./:@%%+=,-]+$") then
    return text
  end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Words as a command that can be pasted into a shell.
function terminal.command(words)
  local quoted = {}
  for index, word in ipairs(words) do
    quoted[index] = terminal.word(word)
  end
  return table.concat(quoted, " ")
end

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

--- Empties the line that the cursor of standard error is in.
function terminal.clear_line()
  io.stderr:write("\r\27[K")
  io.stderr:flush()
end

--- A text as one line that cannot steer the terminal: what servers send may
-- hold anything.
function terminal.clean(text)
  return (tostring(text):gsub("%c", "?"):gsub("\xC2[\x80-\x9F]", "?"))
end

return terminal
