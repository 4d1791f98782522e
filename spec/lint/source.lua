--- What the lints of C files have in common.

local source = { faults = 0 }

--- Says what is wrong, to the words of string.format.
function source.complain(...)
  source.faults = source.faults + 1
  io.stderr:write(string.format(...), "\n")
end

-- Texts keep their lines, so that a fault has its number.
local function blank(text)
  return (text:gsub("[^\n]", " "))
end

--- The text of a file without its comments.
function source.read(path)
  local file = assert(io.open(path))
  local text = file:read("a"):gsub("/%*.-%*/", blank)
  file:close()
  return text
end

--- Ends the lint: with 1 where something is wrong, else with that summary.
function source.finish(summary)
  if source.faults > 0 then
    os.exit(1)
  end
  print(summary)
end

return source
