--- Everything that one emulator knows: its options, its clock, tasks, links and
-- the record of its requests.

local cqueues = require "cqueues"
local faults = require "minimax.emulator.faults"
local ids = require "minimax.emulator.ids"
local limits = require "minimax.emulator.limits"
local links = require "minimax.emulator.links"
local tasks = require "minimax.emulator.tasks"

local world = {}
world.__index = world

--- @param options complete, see `options.lua`
function world.new(options)
  math.randomseed(options.seed)
  local self = setmetatable({ options = options, log = {}, counts = {}, skipped = 0,
    versions = {}, uploads = {}, upload_list = {} }, world)
  self.started = cqueues.monotime()
  self.ids = ids.new(options)
  self.tasks = tasks.new(function() return self:clock() end, self.ids, options)
  self.faults = faults.new()
  self.limits = limits.new(options)
  self.links = links.new(function() return os.time() + self.skipped end, options)
  return self
end

--- Emulated seconds since the start.
function world:clock()
  return (cqueues.monotime() - self.started) * self.options.speed + self.skipped
end

--- Begins the task that a request asks for.
function world:begin(kind, request)
  return self.tasks:create(kind, request.body, request.outcome)
end

--- Keeps an uploaded file.
function world:keep(file)
  self.uploads[file.file_id] = file
  self.upload_list[#self.upload_list + 1] = file
end

return world
