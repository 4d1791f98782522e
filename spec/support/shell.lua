--- Words for the shell, and how this run of Lua was started.

local shell = {}

--- One word for the shell, whatever it holds.
function shell.quote(word)
  return "'" .. tostring(word):gsub("'", "'\\''") .. "'"
end

--- A list of words as one command.
function shell.join(words)
  local quoted = {}
  for i, word in ipairs(words) do
    quoted[i] = shell.quote(word)
  end
  return table.concat(quoted, " ")
end

--- The interpreter that runs the specs, so that children run on the same.
function shell.interpreter()
  local lowest = 0
  while arg[lowest - 1] do
    lowest = lowest - 1
  end
  return arg[lowest]
end

return shell
