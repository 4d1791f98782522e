--- Searches what `privacy.sh` collected for the specs' keys. Prints how often
-- they were found, and where; ends with 1 if they stood anywhere but in the
-- authorization header of a request to the API.

local lfs = require "lfs"

local work = arg[1]

-- All keys begin so that the specs give to a client.
local KEYS = { "sk-spec", "sk-api", "sk-none", "sk-luv", "sk-copas", "sk-interrupt", "sk-cp" }

-- What the specs themselves write, with the key, for a child or a server to
-- read, by its name. Everything else was written by the module or its command,
-- but for what a server of theirs notes of the requests that it got: that is
-- judged like a packet, and the only sight of what went over TLS.
local WRITTEN_BY_SPECS = {}
for name in ("script.lua config stdin program.lua key"):gmatch "%S+" do
  WRITTEN_BY_SPECS[name] = true
end

-- What a spec says on purpose: a program that puts the key into a query itself,
-- and the emulator, which tells its own key.
local SAID_ON_PURPOSE = { "^GET /v1/x%?key=sk%-api%-5tR0nglyS3cret HTTP/1.1$",
  "^export MINIMAX_API_KEY=sk%-api%-emulator$", "A key that is accepted %(sk%-api%-emulator%)" }

local PIECE, BEFORE = 1 << 24, 1 << 16

local found = {} -- what: { count, example }
local bytes, files, flows, bad = 0, 0, 0, 0

local function tally(what, example, is_bad)
  local entry = found[what] or { count = 0, example = example, is_bad = is_bad }
  entry.count = entry.count + 1
  found[what] = entry
  bad = bad + (is_bad and 1 or 0)
end

-- Calls `each(text, from)` for each key in the file, `from` is its place in
-- `text`, a part of the file that begins well before it.
local function search(path, each)
  local file <close> = assert(io.open(path, "rb"))
  local kept = ""
  for piece in function() return file:read(PIECE) end do
    local text = kept .. piece
    bytes = bytes + #piece
    for _, key in ipairs(KEYS) do
      -- What begins in the last bytes of a piece is found with the next one.
      local from = text:find(key, math.max(#kept - #key + 2, 1), true)
      while from do
        if not text:sub(from - 1, from - 1):find "%w" or from == 1 then
          each(text, from)
        end
        from = text:find(key, from + 1, true)
      end
    end
    kept = text:sub(-BEFORE)
  end
end

local function line_at(text, from)
  local start = from
  while start > 1 and text:byte(start - 1) ~= 10 do
    start = start - 1
  end
  return text:sub(start, (text:find("[\r\n]", from) or #text + 1) - 1), start
end

-- The head in which `start` stands: its request line, and all of it.
local function head_at(text, start)
  local from, line = 1, nil
  local before = text:sub(math.max(start - BEFORE, 1), (text:find("\n", start, true) or #text))
  for at, found_line in before:gmatch "()(%u+ %S+ HTTP/1%.1)\r\n" do
    from, line = at, found_line
  end
  local rest = text:sub(math.max(start - BEFORE, 1) + from - 1)
  return line or "?", rest:match "^(.-)\r\n\r\n" or rest
end

local function is_on_purpose(line)
  for _, pattern in ipairs(SAID_ON_PURPOSE) do
    if line:find(pattern) then
      return true
    end
  end
end

local function judge_sent(text, from)
  local line, start = line_at(text, from)
  local name, value = line:match "^([%w-]+): (.*)$"
  local request, head = head_at(text, start)
  if head:find "\r\nuser%-agent: lua%-http/" or head:find "\r\nUser%-Agent: LuaSocket" then
    tally("sent by a client of the specs", request)
  elseif is_on_purpose(line) then
    tally("said on purpose", line)
  elseif name and (value:match "^%a+ %S+$" or value:match "^%S+$") and request:find "/v%d/" then
    tally("sent to the API in the header " .. name, request)
  else
    tally("SENT elsewhere: " .. request, line, true)
  end
end

local function search_flow(path)
  local file <close> = assert(io.open(path, "rb"))
  local is_answer = (file:read(7) or "") == "HTTP/1."
  flows = flows + 1
  search(path, function(text, from)
    if is_answer then
      tally("said by the specs' servers", path:match "[^/]*$")
    else
      judge_sent(text, from)
    end
  end)
end

-- A server notes a request as a Lua table: its head, and its fields by name.
local function is_noted_as_header(text, from)
  local before = text:sub(math.max(from - 60, 1), from - 1)
  local field = before:match '%["([%w-]+)"%]="%a* ?$'
  return field and field ~= "path" and field ~= "body" or before:find "\\n[%w-]+: %a* ?$"
    or before:find "/v1/x%?key=$"
end

local function search_file(path)
  local name = path:match "[^/]*$"
  files = files + 1
  search(path, function(text, from)
    local line = line_at(text, from):sub(1, 200)
    if is_on_purpose(line) then
      tally("said on purpose", line)
    elseif name == "log" and is_noted_as_header(text, from) then
      tally("noted by the specs' servers, as a header", line)
    elseif WRITTEN_BY_SPECS[name] then
      tally("written by the specs: " .. name, line)
    else
      tally("WRITTEN: " .. path, line, true)
    end
  end)
end

local function walk(folder, each)
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    local mode = lfs.symlinkattributes(path, "mode")
    if mode == "directory" and name ~= "." and name ~= ".." then
      walk(path, each)
    elseif mode == "file" then
      each(path)
    end
  end
end

walk(work .. "/flows", function(path)
  if not path:find "/report.xml$" then
    search_flow(path)
  end
end)
walk(work .. "/tmp", search_file)
search_file(work .. "/output") -- of the run
search_file(work .. "/children") -- what they print
search_file(work .. "/others") -- packets that are no TCP
for path in io.lines(work .. "/changed") do
  if lfs.attributes(path, "mode") == "file" then
    search_file(path)
  end
end

local names = {}
for what in pairs(found) do
  names[#names + 1] = what
end
table.sort(names)
for _, what in ipairs(names) do
  print(("%7d  %s, such as: %s"):format(found[what].count, what, found[what].example))
end
print(("%d bytes of %d streams and %d files were searched; %d keys stood where none may")
  :format(bytes, flows, files, bad))
os.exit(bad == 0, true)
