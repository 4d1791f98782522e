--- A run of the specs ends whatever an example does, and names the one at fault.

local process = require "spec.support.process"
local temp = require "spec.support.temp"

-- What a run over files with these contents prints.
local function run(contents)
  local folder <close> = temp.folder()
  for i, content in ipairs(contents) do
    folder:write("file" .. i .. "_spec.lua", content)
  end
  local result = process.run { file = "spec/support/run.lua", args = { folder.path },
    env = { SPEC_SECONDS = "1" }, timeout = 60 }
  return result.out:gsub("[^\n]*/file", "file"), result.code
end

local FINE = [[it("fine", function() end)]]

describe("a run of the specs", function()
  it("names an example whose child hangs, and goes on", function()
    local out, code = run { FINE .. [[
      it("waits", function() os.execute("exec sleep 1000") end)]], FINE }
    assert.equal(1, code)
    assert.matches("file1_spec.lua: waits\n  failed: hung for 1 s", out, 1, true)
    assert.matches("sleep 1000", out, 1, true)
    assert.matches("\n2 passed, 1 failed\n$", out)
  end)

  it("names an example that never returns, in a coroutine or before it begins", function()
    local out = run { [[it("spins", coroutine.wrap(function() while true do end end))]],
      [[describe("a group", function()
        setup(function() while true do end end)
        it("never starts", function() end)
      end)]], FINE }
    assert.matches("file1_spec.lua: spins\n  failed: hung", out, 1, true)
    assert.matches("file2_spec.lua: its first example\n  failed: hung", out, 1, true)
    assert.matches("\n1 passed, 2 failed\n$", out)
  end)

  it("names an example that ends the process", function()
    local out = run { FINE .. [[it("dies", function() os.execute("kill -SEGV $PPID") end)]],
      [[it("leaves", function() os.exit(0) end)]], FINE }
    assert.matches("file1_spec.lua: dies\n  failed: died of signal 11", out, 1, true)
    assert.matches("file2_spec.lua: leaves\n  failed: ended with code 0", out, 1, true)
    assert.matches("\n2 passed, 2 failed\n$", out)
  end)

  it("counts what fails, and a file that is none", function()
    local out, code = run { FINE .. [[it("fails", function() error "why" end)
      it("is put off", function() pending "later" end)]], "it(", FINE }
    assert.equal(1, code)
    assert.matches("why", out, 1, true)
    assert.matches("later", out, 1, true)
    assert.matches("\n1 pending, see above\n2 passed, 2 failed\n$", out)
  end)

  it("succeeds where nothing fails", function()
    local out, code = run { FINE, FINE }
    assert.equal(0, code)
    assert.matches("\n2 passed, 0 failed\n$", out)
  end)
end)
