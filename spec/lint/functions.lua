-- Measures C files in the style of .clang-format: a function over LONGEST lines
-- is refused, one over LONG is named. With --table first it prints for each file
-- lines, functions, median / 90th percentile / longest function and columns.

local LONG, LONGEST = 30, 50

-- A function begins at column 0 and ends with a brace there. The lines from its
-- signature's first to that brace count.
local function measure(path)
  local file = { path = path, lines = 0, columns = 0, functions = {} }
  local start, signature, inside
  for line in io.lines(path) do
    file.lines = file.lines + 1
    file.columns = math.max(file.columns, utf8.len(line) or #line)
    if inside then
      if line == "}" then
        local length = file.lines - start + 1
        table.insert(file.functions, { name = inside, line = start, length = length })
      end
      if line:find("^}") then
        inside, start = nil, nil
      end
    else
      if not start and line:find("^[%a_]") then
        start, signature = file.lines, ""
      end
      if start then
        signature = signature .. line
        if line:find("{$") then
          inside = signature:match("([%w_]+)%(") or "?"
        elseif line:find("[;:}]$") then
          start = nil
        end
      end
    end
  end
  return file
end

local function percentile(lengths, share)
  return lengths[math.max(1, math.ceil(#lengths * share))] or 0
end

local function lengths_of(functions)
  local lengths = {}
  for i, entry in ipairs(functions) do
    lengths[i] = entry.length
  end
  table.sort(lengths)
  return lengths
end

local FORMAT = "| %-20s | %5s | %9s | %6s | %3s | %7s | %7s |"

local function print_row(name, lines, functions, columns)
  local lengths = lengths_of(functions)
  print(FORMAT:format(name, lines, #lengths, percentile(lengths, 0.5), percentile(lengths, 0.9),
    lengths[#lengths] or 0, columns))
end

local function print_table(files)
  print(FORMAT:format("file", "lines", "functions", "median", "p90", "longest", "columns"))
  print("|---|---|---|---|---|---|---|")
  local all, lines, columns = {}, 0, 0
  for _, file in ipairs(files) do
    print_row(file.path:match("[^/]+$"), file.lines, file.functions, file.columns)
    lines, columns = lines + file.lines, math.max(columns, file.columns)
    table.move(file.functions, 1, #file.functions, #all + 1, all)
  end
  print_row("all " .. #files, lines, all, columns)
end

local function check(files)
  local refused, count = 0, 0
  for _, file in ipairs(files) do
    for _, entry in ipairs(file.functions) do
      count = count + 1
      if entry.length > LONG then
        print(("%s:%d: %s has %d lines"):format(file.path, entry.line, entry.name, entry.length))
      end
      if entry.length > LONGEST then
        refused = refused + 1
      end
    end
  end
  print(("%d functions, %d above %d lines"):format(count, refused, LONGEST))
  return refused == 0
end

local as_table = arg[1] == "--table"
local files = {}
for i = as_table and 2 or 1, #arg do
  files[#files + 1] = measure(arg[i])
end
if as_table then
  print_table(files)
elseif not check(files) then
  os.exit(1)
end
