--- How a run of the specs is shown: what goes wrong, a line for each file after
-- it, and as the last line `N passed, N failed`. Where `-Xoutput` names a file,
-- that line is left to run.lua, which reads there how far the run is.

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

return function(options)
  local busted = require "busted"
  local handler = base()
  local shown = { failures = 0, errors = 0, pendings = 0 }
  local passed_before = 0
  local path = options.arguments[1]
  local report = path and assert(io.open(path, "a"))

  -- A line: what runs now, and how much has passed, failed and is pending.
  local function tell(now)
    if report then
      report:write(table.concat({ handler.successesCount,
        handler.failuresCount + handler.errorsCount, handler.pendingsCount,
        (now:gsub("%s+", " ")) }, "\t"), "\n")
      report:flush()
    end
  end

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
    shown[list] = #handler[list]
  end

  -- At once, since the process may not live to the end of the file.
  local function show_all_new()
    show_new("failures", "failed")
    show_new("errors", "error")
    show_new("pendings", "pending")
    io.flush()
  end

  local function file_end(file)
    show_all_new()
    local passed = handler.successesCount - passed_before
    passed_before = handler.successesCount
    print(("%-32s %4d passed  %6.2f s"):format(file.name, passed, file.duration or 0))
    tell("the end of " .. file.name)
    return nil, true
  end

  local function suite_end()
    show_all_new()
    if report then
      tell("the end")
      return nil, true
    end
    local failed = handler.failuresCount + handler.errorsCount
    if handler.pendingsCount > 0 then
      print(handler.pendingsCount .. " pending, see above")
    end
    print(handler.successesCount .. " passed, " .. failed .. " failed")
    io.flush()
    return nil, true
  end

  busted.subscribe({ "test", "start" }, function(example)
    tell(handler.getFullName(example))
    return nil, true
  end)
  busted.subscribe({ "test", "end" }, function(example)
    show_all_new()
    tell("after " .. handler.getFullName(example))
    return nil, true
  end)
  busted.subscribe({ "file", "end" }, file_end)
  busted.subscribe({ "suite", "end" }, suite_end)
  return handler
end
