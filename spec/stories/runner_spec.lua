--- A run of the specs ends whatever an example does, and names the one at fault.

local process = require "spec.support.process"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"

-- What a file can say: that a name exists now in its `folder`, whether one does,
-- and that it waits at a name until each of two has come there.
local WORDS = [[
  local function put(name) io.open(folder .. name, "w"):close() end
  local function exists(name) return os.rename(folder .. name, folder .. name) end
  local function meet(name, mine, other)
    put(name .. mine)
    while not exists(name .. other) do end
  end
]]

-- Starts a run over files with these contents.
local function start(folder, contents, env)
  local words = ("local folder = %q\n"):format(folder:file "") .. WORDS
  for i, content in ipairs(contents) do
    folder:write("file" .. i .. "_spec.lua", words .. content)
  end
  return process.start { file = "spec/support/run.lua", args = { folder.path },
    env = env or { SPEC_SECONDS = "3" }, timeout = 60 }
end

-- What such a run prints.
local function run(...)
  local folder <close> = temp.folder()
  local result = start(folder, ...):finish()
  return result.out:gsub("[^\n]*/file", "file"), result.code
end

local FINE = [[it("fine", function() end)]]

describe("a run of the specs", function()
  it("names an example whose child hangs, and goes on", function()
    local out, code = run { FINE .. [[
      it("waits", function() os.execute("exec sleep 1000") end)]], FINE }
    assert.equal(1, code)
    assert.matches("file1_spec.lua: waits\n  failed: hung for 3 s", out, 1, true)
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

  it("runs as many files at a time as it is told, and shows each whole", function()
    local contents = {}
    for i = 1, 2 do
      contents[i] = ([[it("meets", function()
        for round = 1, 3 do
          meet("round" .. round, %d, %d)
          print "round"
          io.flush()
        end
      end)]]):format(i, 3 - i)
    end
    local out = run(contents, { SPEC_JOBS = "2", SPEC_SECONDS = "20" })
    local shown = "round\nround\nround\nfile%d_spec.lua +1 passed[^\n]*\n"
    assert.matches("^" .. shown .. shown .. "2 passed, 0 failed\n$", out)
    out = run({ [[it("ends", function() os.execute "sleep 0.5"; put "end" end)]],
      [[it("begins then", function() assert(exists "end") end)]] }, { SPEC_JOBS = "1" })
    assert.matches("\n2 passed, 0 failed\n$", out)
  end)

  it("takes all that it started along, at Ctrl-C or however else it is ended", function()
    -- Who waits holds the pipe open, and a `timeout` is in a group of its own.
    local waits = [[it("waits", function()
      os.execute("exec timeout 1000 sh -c 'exec >" .. folder .. "pipe; echo on; exec sleep 1000'")
    end)]]
    for name, code in pairs { INT = 130, TERM = 143, HUP = 129 } do
      local folder <close> = temp.folder()
      assert(os.execute(shell.join { "mkfifo", folder:file "pipe" }))
      local runner = start(folder, { waits, waits }, { SPEC_JOBS = "2" })
      local pipe <close> = assert(io.open(folder:file "pipe"))
      assert.equal("on on", pipe:read("l") .. " " .. pipe:read("l"))
      runner:signal(name)
      assert.equal("", pipe:read("a"))
      local result = runner:finish()
      assert.equal(code, 128 + result.signal)
      assert.matches("file1_spec.lua: waits\n  failed: ", result.out, 1, true)
      assert.matches("\n0 passed, 2 failed\n$", result.out)
    end
  end)

  it("succeeds where nothing fails", function()
    local out, code = run { FINE, FINE }
    assert.equal(0, code)
    assert.matches("\n2 passed, 0 failed\n$", out)
  end)
end)
