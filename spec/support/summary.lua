--- How a run of the specs is shown: a line for each file, under it what went
-- wrong there, and as the last line `N passed, N failed`.

local base = require "busted.outputHandlers.base"
local pretty = require "pl.pretty"

local function text_of(message)
  if message == nil then
    return "no message"
  end
  return type(message) == "string" and message or pretty.write(message)
end

local function indent(text)
  return "    " .. text:gsub("\n", "\n    ")
end

local function place_of(entry)
  local trace = entry.element.trace
  if trace and trace.short_src then
    return " (" .. trace.short_src .. ":" .. trace.currentline .. ")"
  end
  return ""
end

local function show(word, entry)
  print("  " .. word .. ": " .. entry.name .. place_of(entry))
  if entry.message ~= nil then
    print(indent(text_of(entry.message)))
  end
  if word ~= "pending" and entry.trace and entry.trace.traceback then
    print(indent((entry.trace.traceback:gsub("^\n+", ""))))
  end
end

return function()
  local busted = require "busted"
  local handler = base()
  local shown = { successes = 0, failures = 0, errors = 0, pendings = 0 }

  -- Left may be, besides a spec, a whole file or what is done before its specs.
  local spec_pending = handler.basePending
  function handler.basePending(element, parent, message, trace)
    if handler.inProgress[tostring(element)] then
      return spec_pending(element, parent, message, trace)
    end
    handler.pendingsCount = handler.pendingsCount + 1
    table.insert(handler.pendings, handler.format(element, parent, message, trace))
    return nil, true
  end

  -- Shows the entries of a list that came since the last time.
  local function show_new(list, word)
    for i = shown[list] + 1, #handler[list] do
      show(word, handler[list][i])
    end
    local count = #handler[list] - shown[list]
    shown[list] = #handler[list]
    return count
  end

  local function show_all_new()
    local failed = show_new("failures", "failed") + show_new("errors", "error")
    return failed, show_new("pendings", "pending")
  end

  local function file_end(file)
    local passed = handler.successesCount - shown.successes
    shown.successes = handler.successesCount
    local line = string.format("%-32s %4d passed  %6.2f s", file.name, passed, file.duration or 0)
    print(line)
    local failed, pending = show_all_new()
    if failed + pending > 0 then
      print(string.format("  %d failed, %d pending", failed, pending))
    end
    io.flush()
    return nil, true
  end

  local function suite_end()
    show_all_new()
    local failed = handler.failuresCount + handler.errorsCount
    if handler.pendingsCount > 0 then
      print(handler.pendingsCount .. " pending, see above")
    end
    print(handler.successesCount .. " passed, " .. failed .. " failed")
    io.flush()
    return nil, true
  end

  busted.subscribe({ "file", "end" }, file_end)
  busted.subscribe({ "suite", "end" }, suite_end)
  return handler
end
