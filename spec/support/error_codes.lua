--- The kinds of errors and the API's codes, as the module's own two lists have them:
-- `kinds` in src/api/fault.c and `known` in src/api/status_code.c. Whatever else names them
-- is compared with these.

local error_codes = {}

local function each_row(path, head, pattern)
  local file <close> = assert(io.open(path))
  local rows = assert(file:read("a"):match(head .. " = {(.-)\n};"), path)
  return rows:gmatch(pattern)
end

--- The kinds: a list of names.
function error_codes.kinds()
  local kinds = {}
  for kind in each_row("src/api/fault.c", "} kinds%[%]", '{"([%l_]+)", %d}') do
    kinds[#kinds + 1] = kind
  end
  return kinds
end

--- The kind of each code, by number.
function error_codes.known()
  local known = {}
  for code, kind in each_row("src/api/status_code.c", "} known%[%]", "{(%d+), FAULT_([%u_]+)}") do
    known[tonumber(code)] = kind:lower()
  end
  return known
end

--- The codes, in their order.
function error_codes.list()
  local list = {}
  for code in pairs(error_codes.known()) do
    list[#list + 1] = code
  end
  table.sort(list)
  return list
end

return error_codes
