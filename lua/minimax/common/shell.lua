--- What concerns the shell.

local shell = {}

--- One word for the shell, quoted only where it has to be.
function shell.word(text)
  if text:find("^[%w_./:@%%+=,-]+$") then
    return text
  end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Words as a command that can be pasted into a shell.
function shell.command(words)
  local quoted = {}
  for index, word in ipairs(words) do
    quoted[index] = shell.word(word)
  end
  return table.concat(quoted, " ")
end

--- The folder that this process is in.
function shell.folder()
  local pipe <close> = assert(io.popen("pwd"))
  return pipe:read("l")
end

return shell
