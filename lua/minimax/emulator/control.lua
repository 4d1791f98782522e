--- What the parent may ask of a running emulator.

local json = require "minimax.emulator.json"
local record = require "minimax.emulator.record"

local control = {}

local orders = {}

function orders.requests(world)
  return { requests = json.array(record.newest(world.log)) }
end

function orders.callbacks(world)
  return { callbacks = json.array(record.newest(world.callbacks.sent)) }
end

function orders.clear(world)
  record.clear(world)
  world.faults.rules, world.callbacks.sent = {}, {}
  return {}
end

function orders.fault(world, order)
  if order.rule.fault == "reset" and not pcall(require, "socket") then
    return { error = "the fault 'reset' needs LuaSocket: install the rock 'luasocket' "
      .. "or Debian's package 'lua-socket'" }
  end
  world.faults:add(order.rule)
  return {}
end

function orders.tasks(world)
  local list = json.array()
  for index, task in ipairs(world.tasks.list) do
    list[index] = { task_id = task.id, kind = task.kind, state = world.tasks:stage(task),
      file_id = task.file_id, deleted = task.deleted, request = record.shortened(task.request) }
  end
  return { tasks = list }
end

function orders.advance(world, order)
  world:advance(order.seconds)
  return {}
end

--- Obeys one order.
-- @param order a table with `order`, its name
-- @return the answer, a table; `error` where it was refused
function control.obey(world, order)
  local obey = order and orders[order.order]
  if not obey then
    return { error = "unknown order" }
  end
  return obey(world, order)
end

return control
