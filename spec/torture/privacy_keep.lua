--- Loaded ahead of the specs by `privacy.sh`: what they would remove is kept,
-- and what children print is written down, to be searched afterwards.

local process = require "spec.support.process"
local temp = require "spec.support.temp"

local function keep(folder)
  folder.path = nil
end

local probe <close> = temp.folder()
local Folder = getmetatable(probe)
Folder.__gc, Folder.close = keep, keep

local output = assert(io.open(assert(os.getenv "PRIVACY_OUTPUT"), "ab"))
output:setvbuf("full")

local function note(...)
  for _, text in ipairs { ... } do
    output:write(tostring(text), "\n")
  end
  return ...
end

local start = process.start

function process.start(options)
  local child = start(options)
  local Process = getmetatable(child)
  if not Process.is_noted then
    local read, finish = Process.read, Process.finish
    Process.is_noted = true
    function Process:read(...)
      return note(read(self, ...))
    end
    function Process:finish()
      local result = finish(self)
      note(result.out, result.err)
      return result
    end
  end
  return child
end
