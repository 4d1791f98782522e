--- Loads the batch's own code once more, for a world of its own: what it takes for
-- the clock, the disk, the database, chance and the client is the night's.

local clock = require "spec.simulate.clock"
local database = require "spec.simulate.database"
local disk = require "spec.simulate.disk"

local code = {}

local here -- the night that is played

local function process()
  return clock.process_here()
end

local minimax = {
  sleep = function(seconds) process():wait(seconds) end,
  spawn = function(...) return process():spawn(...) end,
  run = function(...) return process():run(...) end,
  _error = require "minimax"._error,
  _place = function(path) return here.disk:place(path) end,
}

local function outside(original, own)
  return setmetatable(own, { __index = original })
end

local globals = outside(_G, {
  os = outside(os, {
    time = function(date) return date and os.time(date) or math.floor(here.clock:wall()) end,
    getenv = function() return nil end,
    remove = function(path) return here.disk:remove(path) end,
  }),
  io = outside(io, {
    open = function(...) return here.disk:open(...) end,
    type = disk.type,
  }),
  math = outside(math, {
    random = function() return here.random:real() end,
  }),
  warn = function() end,
})

local loaded = {
  minimax = minimax,
  DBI = database.module(function() return here end),
  ["dbd.sqlite3"] = true, ["dbd.postgresql"] = true,
}

function globals.require(name)
  if loaded[name] == nil and (name:find "^minimax%.batch" or name:find "^minimax%.common") then
    local path = assert(package.searchpath(name, package.path))
    loaded[name] = assert(loadfile(path, "t", globals))(name, path)
  end
  return loaded[name] or require(name)
end

--- A module of the batch's code.
code.require = globals.require

--- Says which night is played from here on.
function code.enter(night)
  here = night
end

return code
