--- Specs that need a module which is not there are pending and say so, wherever
-- they need it (spec/support/needs.lua).

local process = require "spec.support.process"
local temp = require "spec.support.temp"

local RUN = [[
  package.preload.luv = function()
    error("module 'luv' not found:\n\tnowhere", 0)
  end
  dofile "spec/support/busted.lua"
]]

-- The line that says it, for Lua 5.4 and later.
local LINE = "module 'luv' not found, for Lua 5%.%d"

local function run(text)
  local folder <close> = temp.folder()
  folder:write("some_spec.lua", 'local process = require "spec.support.process"\n' .. text)
  local result = process.run { script = RUN, args = { folder.path } }
  assert.equal("", result.err)
  return result
end

describe("a module that is not there", function()
  for where, text in pairs {
    ["for a file of specs"] = 'local _ = process, require "luv" it("fails", error)',
    ["for what is done before a spec"] =
      [[describe("it", function() setup(function() require "luv" end) it("fails", error) end)]],
    ["for a spec"] = [[it("needs it", function() require "luv" error() end)]],
    ["for a child"] = [[it("needs it", function()
      process.run { script = 'require "luv"' } error() end)]],
    ["for a module of ours"] = [[it("needs it", function() require "minimax.luv" error() end)]],
    ["for an example"] = [[it("needs it", function()
      process.run { file = "doc/examples/luv.lua" } error() end)]],
  } do
    it(where .. " leaves that out by its name", function()
      local result = run(text)
      assert.matches(LINE, result.out)
      assert.matches("\n1 pending, see above\n0 passed, 0 failed\n$", result.out)
      assert.equal(0, result.code)
    end)
  end

  it("is all that is looked for: one that is there is loaded once", function()
    local result = run [[
      local count = 0
      package.preload["http.thing"] = function()
        count = count + 1
        return { count }
      end
      it("needs it", function()
        assert.equal(1, require "http.thing"[1])
        assert.equal(1, require "http.thing"[1])
        assert.equal(1, count)
      end)]]
    assert.matches("\n1 passed, 0 failed\n$", result.out)
  end)

  it("leaves out nothing else: other specs run, and one with a stand-in", function()
    local result = run [[
      it("needs nothing", function() end)
      it("has a stand-in", function()
        local result = process.run {
          script = 'package.preload.luv = error -- require "luv" require "minimax.luv"' }
        assert.equal(0, result.code, result.err)
      end)
      it("fails", function() error "really" end)]]
    assert.matches("really", result.out)
    assert.matches("\n2 passed, 1 failed\n$", result.out)
    assert.equal(1, result.code)
  end)
end)
