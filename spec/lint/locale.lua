-- Finds what reads, writes or compares by the locale of the host, which may set
-- one at any time: numbers are number.c's to read and write, letters ascii.c's
-- to compare.

local OWNER = "number.c"

local CALLS = {}
for name in ([[strcasecmp strncasecmp strcasestr strcoll strxfrm strtod strtof strtold atof sscanf
  fscanf vsscanf isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace
  isupper isxdigit tolower toupper setlocale localeconv strftime strptime mbstowcs wcstombs mbtowc
  wctomb]]):gmatch "%a+" do
  CALLS[name] = true
end

local faults = 0

local function complain(...)
  faults = faults + 1
  io.stderr:write(string.format(...), "\n")
end

-- Texts keep their lines, so that a fault has its number.
local function blank(text)
  return (text:gsub("[^\n]", " "))
end

local function check_file(path)
  local file = assert(io.open(path))
  local text = file:read("a"):gsub("/%*.-%*/", blank)
  file:close()
  local number = 0
  for line in text:gmatch "([^\n]*)\n" do
    number = number + 1
    local format = line:match '"[^"]*(%%[-+ #0-9.*]*[efgEFG])'
    if format then
      complain("%s:%d: '%s' writes a number by the locale", path, number, format)
    end
    for name in line:gsub('"[^"]*"', ""):gmatch "([%w_]+)%s*%(" do
      if CALLS[name] then
        complain("%s:%d: %s goes by the locale", path, number, name)
      end
    end
  end
end

for _, path in ipairs(arg) do
  if path:match "[^/]+$" ~= OWNER then
    check_file(path)
  end
end

if faults > 0 then
  os.exit(1)
end
print(#arg .. " files know no locale")
