--- Many submits at once, and the program's side of an API that is down.

local minimax = require "minimax"

local many_submits = {}

--- A copy of a table with some fields more.
function many_submits.with(fields, more)
  local copy = {}
  for _, source in ipairs { fields, more or {} } do
    for name, value in pairs(source) do
      copy[name] = value
    end
  end
  return copy
end

--- Requests for `lost_answers.lua`, with numbers from 1.
-- @param ways a list; each is taken in turn
-- @param count of the requests in all
function many_submits.requests(ways, count)
  local requests = {}
  for number = 1, count do
    requests[number] = { template_id = "393769180141805569", number = number,
      way = ways[(number - 1) % #ways + 1] }
  end
  return requests
end

--- Submits all of them at once, each in a coroutine of its own.
-- @param client
-- @param requests a list
-- @param options of each submit
-- @param before a function to call ahead of each submit
-- @return a list, in the same order: the task or the error of each
function many_submits.submit(client, requests, options, before)
  local outcomes = {}
  minimax.run(function()
    for i, request in ipairs(requests) do
      minimax.spawn(function()
        if before then
          before()
        end
        local task, err = client:submit(request, options)
        outcomes[i] = task or err
      end)
    end
  end)
  return outcomes
end

--- Submits to an API that is down, and calls `mend` once there were as many
-- failures as there are submits.
-- @param options of the client
-- @param count how many
-- @param mend a function
-- @return the outcomes, as above, and how many attempts failed in all
function many_submits.submit_while_down(options, count, mend)
  local failures = 0
  local complete = many_submits.with(options,
    { api_key = "sk-api-example", max_connections = 64, retries = 20 })
  function complete.on_event(event)
    if event.type == "retry" then
      failures = failures + 1
      if failures == count then
        mend()
      end
    end
  end
  local client <close> = minimax.new(complete)
  return many_submits.submit(client, many_submits.requests({ "accept" }, count)), failures
end

return many_submits
