-- Tables of the program's own may run code while they are read, and change
-- while a call is under way. Whatever that does, it harms nothing.

local process = require "spec.support.process"
local tasks = require "spec.support.tasks"
local wire = require "spec.support.wire"

-- `closing` is a value that closes the client when its fields or its text are
-- asked for.
local HEAD = [[
  local minimax = require "minimax"
  local URL, LINK = ...
  local client = minimax.new { base_url = URL, api_key = "sk-hostile", poll_interval = 0.01,
    wait_timeout = 20 }
  local function close()
    client:close()
  end
  local function closing(fields)
    return setmetatable(fields or {}, { __index = close, __len = close, __pairs = close,
      __tostring = function() close() return "closed" end })
  end
  local function kind_of(_, err)
    return type(err) == "table" and err.kind or err
  end
]]

-- What each prints is what the error says.
local CASES = {
  ["a request"] = { "cancelled or sent", [[
    local task, err = client:submit(closing { template_id = "1" })
    print(task and "sent" or err.kind)
  ]] },
  ["a request without a kind"] = { "invalid", [[
    print(kind_of(client:submit(closing {})))
  ]] },
  ["a request that is tried out"] = { "cancelled or sent", [[
    local would, err = client:submit(closing { template_id = "1" }, { dry_run = true })
    print(would and "sent" or err.kind)
  ]] },
  ["a list inside a request"] = { "cancelled or sent", [[
    local task, err = client:submit { template_id = "1", text_inputs = closing { "a" } }
    print(task and "sent" or err.kind)
  ]] },
  ["a request of generate"] = { "cancelled or sent", [[
    local info, err = client:generate(closing { template_id = "1" }, os.tmpname(),
      { timeout = 0.01 })
    print(not info and err.kind == "timeout" and "sent" or err.kind)
  ]] },
  ["the body of a call"] = { "cancelled or sent", [[
    local answer, err = client:call("POST", "/v1/x", { body = closing { a = 1 } })
    print(answer and "sent" or err.kind)
  ]] },
  ["the query of a call"] = { "cancelled or sent", [[
    local answer, err = client:call("GET", "/v1/x", { query = closing { a = closing { "b" } } })
    print(answer and "sent" or err.kind)
  ]] },
  ["a table to download"] = { "raised", [[
    print(pcall(client.download, client, closing {}, os.tmpname()) and "returned" or "raised")
  ]] },
  ["a link to download"] = { "cancelled", [[
    print(kind_of(client:download(setmetatable({}, { __index = function(_, name)
      close()
      return name == "url" and LINK or nil
    end }), os.tmpname())))
  ]] },
  ["a file to download"] = { "cancelled", [[
    print(kind_of(client:download(setmetatable({}, { __index = function(_, name)
      close()
      return name == "file_id" and "1" or nil
    end }), os.tmpname())))
  ]] },
  ["a task to download"] = { "cancelled", [[
    print(kind_of(client:download(setmetatable({}, { __index = function(_, name)
      close()
      return name == "task_id" and "1" or nil
    end }), os.tmpname())))
  ]] },
  ["a task to wait for"] = { "cancelled", [[
    print(kind_of(client:wait(setmetatable({}, { __index = function(_, name)
      close()
      return name == "task_id" and "1" or nil
    end }))))
  ]] },
  ["the last task of each"] = { "cancelled", [[
    local last = setmetatable({}, { __index = function(_, name)
      close()
      return name == "task_id" and "1" or nil
    end })
    print(select(2, pcall(client.each, client, { "a", "b", last })).kind)
  ]] },
  ["what on_send returns"] = { "cancelled", [[
    local count = 0
    print(kind_of(client:submit({ template_id = "1" }, { on_send = function()
      return nil, closing()
    end })))
  ]] },
  ["what a sink returns"] = { "cancelled", [[
    print(kind_of(client:download(LINK, function()
      return nil, closing()
    end)))
  ]] },
  ["the kind of what a sink returns"] = { "io", [[
    print(kind_of(client:download(LINK, function()
      return nil, setmetatable({ kind = "server" }, { __index = close, __newindex = close })
    end)))
  ]] },
  ["an error object of ours that a sink returns"] = { "invalid or cancelled", [[
    local _, fault = client:submit {}
    getmetatable(fault).__index = close
    print(kind_of(client:download(LINK, function()
      return nil, fault
    end)))
  ]] },
  ["a task that a callback is about"] = { "success", [[
    local task = assert(client:submit { template_id = "1" })
    local others = {}
    for i = 1, 20 do
      others[i] = assert(client:submit { template_id = "1" })
    end
    setmetatable(task, { __index = close })
    task.task_id = nil
    print((client:callback '{"task_id":"9","status":"Processing"}'):match "success")
  ]] },
}

describe("a table of the program's own", function()
  local api, storage

  setup(function()
    api = tasks.start { any = { "Success" }, slow = { "Processing" }, broken = { "reset" } }
    storage = wire.start { serve = [[
      local connection = ...
      local video = require "spec.support.video"
      while connection:read_request() do
        connection:reply(200, {}, video.make(2000))
      end
    ]] }
  end)

  teardown(function()
    api:stop()
    storage:stop()
  end)

  local function run(script)
    return process.run { script = HEAD .. script, args = { api.url, storage.url .. "/v.mp4" } }
  end

  for what, case in pairs(CASES) do
    it("closes the client while it is read: " .. what, function()
      local result = run(case[2])
      assert.equal("", result.err)
      assert.equal(0, result.code)
      local word = result.out:gsub("\n$", "")
      assert.is_truthy(case[1]:find(word, 1, true), word)
    end)
  end
end)

describe("a task that the program changes while it is waited for", function()
  local api

  setup(function()
    api = tasks.start { ["new-1"] = { "Processing", "Processing", "Success" },
      slow = { "Processing" }, broken = { "reset" } }
  end)

  teardown(function()
    api:stop()
  end)

  local CHANGES = {
    ["loses its id"] = "task.task_id = nil",
    ["has a table for an id"] = "task.task_id = {}",
    ["names another task"] = "task.task_id = 'slow'",
    ["has another metatable"] = "task.task_id = nil setmetatable(task, { __index = close })",
    ["has no metatable"] = "task.task_id = nil setmetatable(task, nil)",
  }

  for what, change in pairs(CHANGES) do
    it("is waited for all the same where it " .. what, function()
      local result = process.run { args = { api.url }, script = HEAD .. [[
        local task = client:submit { template_id = "1" }
        task.task_id = "new-1"
        local events = {}
        client = minimax.new { base_url = URL, api_key = "sk-hostile", poll_interval = 0.01,
          on_event = function(event)
            events[event.task_id] = true
          end }
        minimax.run(function()
          local waiter = minimax.spawn(function()
            local status, err = client:wait(task, { timeout = 20 })
            print(status and status.task_id or err)
          end)
          minimax.sleep(0)
          ]] .. change .. [[
          minimax.sleep(0)
        end)
        print(next(events), next(events, (next(events))))
      ]] }
      assert.same({ code = 0, out = "new-1\nnew-1\tnil\n", err = "", timed_out = false },
        result)
    end)

    it("is named by its own id in the error where it " .. what, function()
      local result = process.run { args = { api.url }, script = HEAD .. [[
        local task = client:submit { template_id = "1" }
        task.task_id = "broken"
        minimax.run(function()
          minimax.spawn(function()
            local _, err = client:wait(task, { timeout = 0.2 })
            print(err.kind, err.task_id, err.task.task_id, tostring(err):match "broken")
          end)
          minimax.sleep(0)
          ]] .. change .. [[
        end)
      ]] }
      assert.same({ code = 0, out = "timeout\tbroken\tbroken\tbroken\n", err = "",
        timed_out = false }, result)
    end)
  end

  it("is not what abort goes by", function()
    local result = process.run { args = { api.url }, script = HEAD .. [[
      local task = client:submit { template_id = "1" }
      task.task_id = "slow"
      minimax.run(function()
        minimax.spawn(function()
          local _, err = client:wait(task)
          print(err.kind, err.task_id)
        end)
        minimax.sleep(0)
        task.task_id = "other"
        print(client:abort "other", client:abort "slow")
      end)
    ]] }
    assert.same({ code = 0, out = "0\t1\ncancelled\tslow\n", err = "", timed_out = false }, result)
  end)
end)
