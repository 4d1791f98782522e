--- Fifty instants of a download to a path at which it is killed with SIGKILL:
-- before and after each of its calls that open, write, sync or name a file, and
-- after it read from the connection.
--
--     for _, instant in ipairs(killed_download.instants) do
--       local dead = killed_download.die_at(instant, { url = …, link = …, path = … })
--       killed_download.go_on { url = …, link = …, path = … }

local native = require "spec.support.native"
local process = require "spec.support.process"
local temp = require "spec.support.temp"

local killed_download = {}

-- The first pieces of the file, and a few later.
local PLACES = { 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18 }

local function instants()
  local list = {}
  local function add(call, count, ...)
    for _, when in ipairs { ... } do
      list[#list + 1] = ("%s %d %s"):format(call, count, when)
    end
  end
  for count = 1, 3 do -- the .part, the note of old, the new note
    add("open", count, "before", "after")
  end
  for count = 1, 3 do -- the note of old, what has its name, at last the new one
    add("unlink", count, "before", "after")
  end
  add("ftruncate", 1, "before", "after")
  for _, count in ipairs(PLACES) do
    add("recv", count, "after")
    add("pwrite", count, "before", "after")
  end
  add("fsync", 1, "before", "after") -- the file
  add("rename", 1, "before", "after")
  add("fsync", 2, "after") -- the folder
  return list
end

--- The instants, such as "pwrite 3 before".
killed_download.instants = instants()

local SCRIPT = [[
  io.stdout:setvbuf "line"
  local url, link, path = table.unpack(arg)
  local client = require "minimax".new { base_url = url, api_key = "sk-spec-key" }
  local info = assert(client:download(link, path, { on_progress = print }))
  print("done", info.resumed_from)
]]

local function start(download, env)
  return process.start { script = SCRIPT, env = env,
    args = { download.url, download.link, download.path } }
end

--- Downloads in a child until it dies.
-- @param instant one of those above
-- @param download `url` of the API, `link`, `path`
-- @param on_progress called with the bytes that the child says it has
-- @return how many bytes it had written; raises if it did not die
function killed_download.die_at(instant, download, on_progress)
  local folder <close> = temp.folder()
  local child <close> = start(download, { KILLER = instant, KILLER_LOG = folder:file "log",
    LD_PRELOAD = native.library "killer" })
  for line in function() return child:read("l") end do
    local received = math.tointeger(tonumber(line:match "^(%d+)\t"))
    if received and on_progress then
      on_progress(received)
    end
  end
  local result = child:finish()
  assert(result.signal == 9, instant .. " never came: " .. tostring(result.err))
  return math.tointeger(tonumber(folder:read "log"))
end

--- Downloads in a child to the end.
-- @return from where it went on, or nil; raises where it fails
function killed_download.go_on(download)
  local child <close> = start(download)
  local result = child:finish()
  local from = result.out:match "done\t(%w+)\n$"
  assert(from, result.err)
  return math.tointeger(tonumber(from))
end

return killed_download
