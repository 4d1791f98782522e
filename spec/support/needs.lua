--- What becomes of specs that need a module which this system does not have for
-- this Lua: they are pending, and say which it is. Nothing else is asked of them
-- than to `require` it, here or in the script of a child.

local needs = {}

-- Modules that may be missing, by their first word.
local OPTIONAL = { cqueues = true, copas = true, DBI = true, dbd = true, http = true, luv = true,
  openssl = true }

-- Modules of ours that find out only later what they lack, or say it otherwise.
local OURS = { ["minimax.batch"] = "DBI", ["minimax.copas"] = "copas",
  ["minimax.emulator"] = "http.server", ["minimax.luv"] = "luv",
  ["minimax.receiver"] = "cqueues", ["spec.support.wire"] = "cqueues" }

local looking = {} -- what is being looked for: true
local missing = {} -- what was looked for: why it can't be loaded, or false

-- It counts where it loads: Debian's copas may be there without its timerwheel.
local function reason(name)
  if missing[name] == nil and not looking[name] then
    looking[name] = true
    local loads, why = pcall(require, name)
    looking[name] = nil
    missing[name] = not loads and tostring(why):match("[^\n]*[^\n:]")
  end
  return missing[name]
end

-- By its own name busted gives away only what may stand beside a spec.
local pending = require "busted.core"().pending

-- The module that may be missing where this one is required, or nil.
local function needed_by(name)
  return OURS[name] or OPTIONAL[name:match("^[^.]*")] and name or nil
end

-- Leaves the spec, or the file of specs, where the module is missing.
local function check(name)
  local needed = needed_by(name)
  local why = needed and reason(needed)
  if why then
    pending(("%s, for %s"):format(why, _VERSION))
  end
end

--- Leaves a spec whose child would find a module missing. One that stands in for
-- the module (package.preload) does not need it.
-- @param path of the child's script
function needs.all_of(path)
  local file <close> = assert(io.open(path))
  local script = file:read("a")
  for name in script:gmatch("require%s*%(?%s*[\"']([%w_.]+)") do
    local needed = needed_by(name)
    if needed and not script:find("package.preload." .. needed, 1, true) then
      check(needed)
    end
  end
end

--- Looks at all that is required from now on.
function needs.watch()
  table.insert(package.searchers, 1, function(name)
    check(name)
    local loaded = package.loaded[name] -- by the look at it: once is enough
    return loaded and function()
      return loaded
    end
  end)
end

return needs
