--- Everything that one emulator knows: its options, its clock, tasks, links and
-- the record of its requests.

local callbacks = require "minimax.emulator.callbacks"
local cqueues = require "cqueues"
local faults = require "minimax.emulator.faults"
local ids = require "minimax.emulator.ids"
local limits = require "minimax.emulator.limits"
local links = require "minimax.emulator.links"
local record = require "minimax.emulator.record"
local tasks = require "minimax.emulator.tasks"

local account = {}
account.__index = account

--- @param options complete, see `options.lua`
-- @param controller of cqueues
-- @param states by kind, see `callbacks.new`
function account.new(options, controller, states)
  math.randomseed(options.seed)
  local self = setmetatable({ options = options, skipped = 0,
    versions = {}, uploads = {}, upload_list = {} }, account)
  record.clear(self)
  self.controller = controller
  self.callbacks = callbacks.new(self, states)
  self.started = cqueues.monotime()
  self.ids = ids.new(options)
  self.tasks = tasks.new(function() return self:clock() end, self.ids, options)
  self.faults = faults.new()
  self.limits = limits.new(options)
  self.links = links.new(function() return os.time() + self.skipped end, options)
  return self
end

--- Emulated seconds since the start.
function account:clock()
  return (cqueues.monotime() - self.started) * self.options.speed + self.skipped
end

--- Begins the task that a request asks for.
function account:begin(kind, request)
  local task = self.tasks:create(kind, request.body, request.task_fault)
  self.callbacks:watch(task)
  return task
end

--- Moves the clock on.
-- @param seconds emulated
function account:advance(seconds)
  self.skipped = self.skipped + seconds
  self.callbacks:wake()
end

--- Keeps an uploaded file.
function account:keep(file)
  self.uploads[file.file_id] = file
  self.upload_list[#self.upload_list + 1] = file
end

--- Ends the emulator's process, and leaves nothing behind.
-- @param code of the exit
function account:exit(code)
  if self.ca_file then
    os.remove(self.ca_file)
  end
  os.exit(code)
end

return account
