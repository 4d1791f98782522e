--- What the parent may ask of a running emulator.

local json = require "minimax.emulator.json"
local record = require "minimax.emulator.record"

local control = {}

local orders = {}

function orders.requests(account)
  return { requests = json.array(record.newest(account.log)) }
end

function orders.callbacks(account)
  return { callbacks = json.array(record.newest(account.callbacks.sent)) }
end

function orders.clear(account)
  record.clear(account)
  account.faults.rules, account.callbacks.sent = {}, {}
  return {}
end

function orders.fault(account, order)
  if order.rule.fault == "reset" and not pcall(require, "socket") then
    return { error = "the fault 'reset' needs LuaSocket: install the rock 'luasocket' "
      .. "or Debian's package 'lua-socket'" }
  end
  account.faults:add(order.rule)
  return {}
end

function orders.tasks(account)
  local list = json.array()
  for index, task in ipairs(account.tasks.list) do
    list[index] = { task_id = task.id, kind = task.kind, state = account.tasks:stage(task),
      file_id = task.file_id, deleted = task.deleted, request = record.shortened(task.request) }
  end
  return { tasks = list }
end

function orders.advance(account, order)
  account:advance(order.seconds)
  return {}
end

--- Obeys one order.
-- @param order a table with `order`, its name
-- @return the answer, a table; `error` where it was refused
function control.obey(account, order)
  local obey = order and orders[order.order]
  if not obey then
    return { error = "unknown order" }
  end
  return obey(account, order)
end

return control
