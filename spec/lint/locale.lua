-- Finds what reads, writes or compares by the locale of the host, which may set
-- one at any time: numbers are number.c's to read and write, letters ascii.c's
-- to compare.

local source = dofile(arg[0]:match "^(.*/)" .. "source.lua")

local OWNER = "number.c"

local CALLS = {}
for name in ([[strcasecmp strncasecmp strcasestr strcoll strxfrm strtod strtof strtold atof sscanf
  fscanf vsscanf isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace
  isupper isxdigit tolower toupper setlocale localeconv strftime strptime mbstowcs wcstombs mbtowc
  wctomb]]):gmatch "%a+" do
  CALLS[name] = true
end

local function check_file(path)
  local number = 0
  for line in source.read(path):gmatch "([^\n]*)\n" do
    number = number + 1
    local format = line:match '"[^"]*(%%[-+ #0-9.*]*[efgEFG])'
    if format then
      source.complain("%s:%d: '%s' writes a number by the locale", path, number, format)
    end
    for name in line:gsub('"[^"]*"', ""):gmatch "([%w_]+)%s*%(" do
      if CALLS[name] then
        source.complain("%s:%d: %s goes by the locale", path, number, name)
      end
    end
  end
end

for _, path in ipairs(arg) do
  if path:match "[^/]+$" ~= OWNER then
    check_file(path)
  end
end

source.finish(#arg .. " files know no locale")
