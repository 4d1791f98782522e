--- What gateways make of a query's reply: the same state, one or two levels down.

local json = require "minimax.emulator.json"

local gateway = {}

-- With the film's link inline, so that nothing has to be retrieved.
local function inner(account, task, state)
  local copy = {}
  for name, value in pairs(state) do
    copy[name] = value
  end
  if task and copy.file_id and copy.file_id ~= "" then
    local link = account.links:make(task)
    copy.file = { file_id = account.ids.bare(task.file_id), bytes = 0, download_url = link,
      backup_download_url = link, filename = "output_aigc.mp4", purpose = "video_generation" }
  end
  return copy
end

-- A gateway's own words are in capitals; on success its reason is the file id.
local function outer(task, state, data)
  local done = data.status == "Success"
  local word = data.status == "Fail" and "FAILED" or data.status:upper()
  return { task_id = state.task_id, action = "generate", status = word,
    fail_reason = done and data.file_id or "", progress = done and "100%" or "50%",
    submit_time = task.created_at, start_time = task.created_at,
    finish_time = done and os.time() or 0, data = data }
end

--- Wraps the reply to a query as deep as the option `wrap` says.
-- @param answer a reply; one that is an error stays as it is
-- @param task that it is about
function gateway.wrap(account, task, answer)
  local levels, state = account.options.wrap, answer.object
  if levels == 0 or not state.status then
    return answer
  end
  local data = inner(account, task, state)
  if levels == 2 then
    data = outer(task, state, data)
  end
  answer.object = { code = "success", message = json.null, data = data }
  return answer
end

return gateway
