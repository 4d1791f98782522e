-- `minimax callback-server`.

local command = require "spec.support.command"
local json = require "minimax.common.json"
local minimax = require "minimax"
local process = require "spec.support.process"

local CLIMBING = { template_id = "393488336655310850", media_inputs = { "https://x/y.jpg" } }

describe("minimax callback-server", function()
  local emu

  setup(function()
    emu = command.emulator { speed = 60, seconds = 20 }
  end)

  teardown(function()
    emu:stop()
  end)

  -- Starts it and submits a task that reports to it.
  local function serve(...)
    local child = command.start({ "callback-server", "--port", "0", ... }, { emulator = emu })
    local url = child:read("l"):match('http://127.0.0.1:[^"]+')
    local client <close> = minimax.new { base_url = emu.base_url, api_key = emu.api_key }
    local request = { callback_url = url }
    for name, value in pairs(CLIMBING) do
      request[name] = value
    end
    return child, assert(client:submit(request))
  end

  it("prints each event, with --confirm the API's own word, until Ctrl-C", function()
    local child <close>, task = serve "--confirm"
    local lines = {}
    repeat
      local line = assert(child:read "l", child:errors())
      assert.matches("^%d%d:%d%d:%d%d  " .. task.task_id .. "  ", line)
      lines[#lines + 1] = line:sub(#task.task_id + 13)
    until line:find("Success, confirmed", 1, true)
    assert.equal("processing", lines[1])
    child:signal "INT"
    local result = child:finish()
    assert.same({ 130 - 128, "Ctrl-C ends it.\nInterrupted.\n" }, { result.signal, result.err })
  end)

  it("prints lines of JSON with --json", function()
    local child <close>, task = serve "--json"
    local event
    repeat
      event = json.decode(assert(child:read "l", child:errors())).event
    until event.state == "succeeded"
    assert.equal(task.task_id, event.task_id)
    child:signal "TERM"
    assert.equal(0, child:finish().code)
  end)

  it("refuses a path that is none, and an address that is taken", function()
    assert.equal(2, command.run({ "callback-server", "--path", "x" }).code)
    assert.equal(18, command.run({ "callback-server", "--port", tostring(emu.port) }).code)
  end)

  it("names the rock and the package where cqueues is missing", function()
    local result = process.run { script = [[
      package.preload.cqueues = function() error("not here") end
      os.exit(require "minimax.cli.main".run { "callback-server" }, true)
    ]] }
    assert.equal(18, result.code, result.err)
    assert.matches("luarocks install cqueues.*lua%-cqueues", result.err)
  end)
end)
