--- Turns what was measured into tables: medians, extremes, and the marks.

local report = {}

-- Each figure of a result: its unit, and how it is got.
local figures = {
  cpu = { "us CPU/request", function(result)
    return result.cpu and result.cpu / result.requests * 1e6
  end },
  whole = { "us CPU/request, all", function(result)
    return result.requests and result.process_cpu / result.requests * 1e6
  end },
  process = { "ms CPU", function(result) return result.process_cpu * 1e3 end },
  load = { "ms CPU", function(result) return result.load * 1e3 end },
  peak = { "MB peak", function(result) return result.peak_kb / 1024 end },
  asleep = { "MB asleep", function(result)
    return result.asleep_kb and result.asleep_kb / 1024
  end },
  wakings = { "wake-ups asleep", function(result) return result.wakings end },
}

local DEFAULT = { "cpu", "peak" }

local function median(sorted)
  local middle = (#sorted + 1) / 2
  return (sorted[math.floor(middle)] + sorted[math.ceil(middle)]) / 2
end

local function show(value)
  local places = value >= 100 and 0 or value >= 10 and 1 or value >= 1 and 2 or 3
  return ("%." .. places .. "f"):format(value)
end

-- "12.3 (11.8-14.0)": the median and the extremes of a list, which it sorts.
local function spread(values)
  if #values == 0 then
    return "-"
  end
  table.sort(values)
  local text = show(median(values))
  if #values > 1 then
    text = ("%s (%s-%s)"):format(text, show(values[1]), show(values[#values]))
  end
  return text
end

local function values_of(results, figure)
  local values = {}
  for i, result in ipairs(results) do
    values[i] = figures[figure][2](result)
  end
  return values
end

local function print_line(name, cells)
  io.write(("  %-34s"):format(name))
  for _, cell in ipairs(cells) do
    io.write((" %22s"):format(cell))
  end
  io.write("\n")
end

local function print_clients(row)
  local units = {}
  for i, figure in ipairs(row.figures or DEFAULT) do
    units[i] = figures[figure][1]
  end
  print_line("", units)
  for _, client in ipairs(row.clients) do
    local cells = {}
    for i, figure in ipairs(row.figures or DEFAULT) do
      cells[i] = spread(values_of(row.results[client.name], figure))
    end
    print_line(client.name, cells)
  end
end

-- A mark's values, round by round; none where what it compares with is missing.
local function mark_values(row, mark)
  local values = values_of(row.results.ours or {}, mark.figure)
  local other = mark.over or mark.minus
  local others = other and values_of(row.results[other] or {}, mark.figure)
  for i = #values, 1, -1 do
    if others and not others[i] then
      table.remove(values, i)
    elseif mark.over then
      values[i] = values[i] / others[i]
    elseif mark.minus then
      values[i] = (values[i] - others[i]) * (mark.scale or 1)
    end
  end
  return values
end

local function describe(mark)
  local unit = mark.unit or figures[mark.figure][1]
  if mark.over then
    return ("%s / %s"):format(unit, mark.over)
  elseif mark.minus then
    return ("%s above %s"):format(unit, mark.minus)
  end
  return unit
end

local function verdict(values, limit)
  if #values == 0 then
    return "not measured"
  end
  return median(values) <= limit and "met" or "MISSED"
end

local MARK = "  %-52s %22s  goal <= %-6s %s"

--- Prints a row: its clients' figures, then its marks.
function report.row(row)
  print("\n" .. row.title)
  print_clients(row)
  for _, mark in ipairs(row.marks) do
    local values = mark_values(row, mark)
    local text = spread(values)
    print(MARK:format(describe(mark), text, show(mark.limit), verdict(values, mark.limit)))
  end
end

--- Prints all marks once more, those that were missed last.
function report.summary(rows)
  local lines = { met = {}, MISSED = {}, ["not measured"] = {} }
  for _, row in ipairs(rows) do
    for _, mark in ipairs(row.marks) do
      local values = mark_values(row, mark)
      local text = spread(values)
      local list = lines[verdict(values, mark.limit)]
      list[#list + 1] = ("  %s: %s %s, goal <= %s"):format(row.title, describe(mark), text,
        show(mark.limit))
    end
  end
  for _, word in ipairs { "met", "not measured", "MISSED" } do
    print(("\n%s: %d"):format(word, #lines[word]))
    for _, line in ipairs(lines[word]) do
      print(line)
    end
  end
end

return report
