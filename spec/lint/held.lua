-- Checks that nothing is lost where Lua raises: a function that is given a
-- lua_State has no local variable that owns memory, a descriptor or the like.
-- What it makes is a field of something that Lua collects (box.h, or a job), or
-- is made and given back by a function that knows no Lua.

local source = dofile(arg[0]:match "^(.*/)" .. "source.lua")

-- Whose result is the caller's to give back, besides our own functions that return
-- a `char *` (what is only lent is a `const char *`) or end with _new or _retain.
local MAKERS = {}
for name in ([[malloc calloc realloc reallocarray strdup strndup asprintf open openat creat dup
  socket accept accept4 epoll_create1 timerfd_create fopen fdopen opendir realpath
  getaddrinfo curl_easy_init curl_url curl_slist_append]]):gmatch "%S+" do
  MAKERS[name] = true
end

-- The structs of which a header says how they are given back.
local OWNERS = {}

-- From declarations and definitions, which begin at column 0. Who is given a
-- lua_State pushes what it makes.
local function learn(text)
  text = "\n" .. text
  for kind, name, first in text:gmatch "\n([%a_][%w_ ]-) %*([%l_%d]+)%(([^,)]*)" do
    local owned = kind == "char" or kind == "static char" or name:match "_new$"
      or name:match "_retain$"
    if owned and not first:find "lua_State" then
      MAKERS[name] = true
    end
  end
  for name in text:gmatch "\nint (file_open)%(" do -- a descriptor
    MAKERS[name] = true
  end
  for verb, kind in text:gmatch "\nvoid [%l_]+_(%l+)%(struct ([%l_]+) %*" do
    if verb == "free" or verb == "close" or verb == "clear" or verb == "release" then
      OWNERS[kind] = true
    end
  end
end

-- A field, `x->y = …` or `*x = …`, belongs to something that Lua knows.
local function is_local(statement, name)
  local before = statement:match("(.-)%s*%f[%w_]" .. name .. " = ")
  return not before:find "[>.]$" and (not before:find "^%s*%*$")
end

local function check_statement(at, statement)
  for name, maker in statement:gmatch "([%w_]+) = ([%w_]+)%(" do
    if MAKERS[maker] and is_local(statement, name) then
      source.complain("%s: the local %s owns what %s makes, and Lua may raise", at, name, maker)
    end
  end
  local kind, variable = statement:match "^%s*struct ([%l_]+) ([%w_]+)%f[^%w_]"
  if kind and OWNERS[kind] then
    source.complain("%s: the local %s owns a struct %s, and Lua may raise", at, variable, kind)
  end
end

-- A function begins at column 0 and ends with a brace there. `inside` is nil
-- outside of one, and whether it may raise within. Each file ends with a newline.
local function check_file(path, text)
  local number, head, inside, statement, begun = 0, "", nil, "", 0
  for line in text:gmatch "([^\n]*)\n" do
    number = number + 1
    if inside == nil then
      head = (line:match "^[%a_]" and "" or head) .. line
      if head:find "%) {$" then
        inside, statement = head:find("lua_State %*") ~= nil, ""
      end
    elseif line == "}" then
      inside, head = nil, ""
    elseif inside then
      begun = statement == "" and number or begun
      statement = (statement .. " " .. line):gsub("%s+", " ")
      if line:find "[;{}:]%s*$" then
        check_statement(path .. ":" .. begun, statement)
        statement = ""
      end
    end
  end
end

local texts = {}
for _, path in ipairs(arg) do
  texts[path] = source.read(path):gsub('"[^"\n]*"', '""')
  learn(texts[path])
end
for _, path in ipairs(arg) do
  check_file(path, texts[path])
end

source.finish(#arg .. " files hold nothing where Lua may raise")
