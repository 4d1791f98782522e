-- `minimax emulator`.

local command = require "spec.support.command"
local process = require "spec.support.process"

-- Starts it and reads the environment that it prints.
local function start(...)
  local child = command.start { "emulator", "--port", "0", ... }
  local env = {}
  repeat
    local line = child:read("l")
    local name, value = (line or ""):match("^export ([%w_]+)=(.*)$")
    env[name or ""] = value
  until not line or line:find("Ctrl-C", 1, true)
  return child, env
end

describe("minimax emulator", function()
  it("serves another terminal until Ctrl-C, with the faults that were asked for", function()
    local child <close>, env = start("--fault", "endpoint=query,fault=status_503", "--speed", "100")
    local words = { "template", "climbing", "-m", "https://x/y", "--wait", "--interval", "0.05",
      "--quiet" }
    local result = command.run(words, { env = env })
    assert.equal(0, result.code, result.err)
    child:signal "INT"
    result = child:finish()
    assert.same({ 130 - 128, "Interrupted.\n" }, { result.signal, result.err })
  end)

  it("says why it can't serve", function()
    local child <close>, env = start()
    local port = env.MINIMAX_BASE_URL:match("%d+$")
    local result = command.run { "emulator", "--port", port }
    assert.equal(18, result.code)
    assert.matches("in use", result.err, 1, true)
    child:signal "TERM"
    assert.equal(0, child:finish().code)
    assert.equal(2, command.run({ "emulator", "--port", "99999" }).code)
    assert.equal(2, command.run({ "emulator", "--speed", "0" }).code)
  end)

  it("names the rock and the package where lua-http is missing", function()
    local result = process.run { script = [[
      require "minimax.common.paths".prepare = function() return nil, "install 'lua-http'" end
      os.exit(require "minimax.cli.main".run { "emulator" }, true)
    ]] }
    assert.equal(18, result.code, result.err)
    assert.matches("lua-http", result.err, 1, true)
  end)
end)
