-- Checks that each function of a header serves another file than its own: what
-- serves its own alone is static there, and what serves specs alone is not needed.

local source = dofile(arg[0]:match "^(.*/)" .. "source.lua")

local users = {} -- by word: how many files have it; a header and its source are one

local function each_word(path, text)
  local name = path:gsub("%.[ch]$", "")
  for word in text:gmatch "[%a_][%w_]*" do
    users[word] = users[word] or { count = 0 }
    if not users[word][name] then
      users[word][name] = true
      users[word].count = users[word].count + 1
    end
  end
end

-- A declaration begins at column 0, and so does what it returns.
local function check_header(path, text)
  for head in ("\n" .. text):gmatch "\n([%a_][%w_ *]-)%(" do
    local name = head:match "[%a_][%w_]*$"
    if not head:find "^typedef " and users[name].count < 2 then
      source.complain("%s: nobody else calls %s", path, name)
    end
  end
end

local texts = {}
for _, path in ipairs(arg) do
  texts[path] = source.read(path)
  each_word(path, texts[path])
end
for _, path in ipairs(arg) do
  if path:find "%.h$" then
    check_header(path, texts[path])
  end
end

source.finish("the functions of all headers are called from elsewhere")
