-- What a run writes to see whether there is room: never to a file of somebody else,
-- and nothing of it is left.

local batch = require "minimax.batch"
local emulator = require "minimax.emulator"
local lfs = require "lfs"
local minimax = require "minimax"
local scratch = require "minimax.batch.scratch"
local temp = require "spec.support.temp"

local REQUEST = { template_id = "394514820878671878", text_inputs = { "a scene" } }

describe("a run", function()
  for what, options in pairs { ["that pays"] = {}, ["that is dry"] = { dry_run = true } } do
    it(what .. " leaves the files beside its outputs and its ledger alone", function()
      local folder <close> = temp.folder()
      local emu <close> = assert(emulator.start { seconds = 0.1, speed = 1 })
      local client <close> = minimax.new { base_url = emu.base_url, api_key = emu.api_key,
        poll_interval = 0.05 }
      local ledger = assert(batch.open(folder:file "night.db", client))
      assert.equal(1, ledger:add { { key = "a", output = folder:file "a.mp4", request = REQUEST } })
      local theirs = { "a.mp4.probe", "night.db-reserve", "a.mp4.tmp", ".probe", "probe" }
      for _, name in ipairs(theirs) do
        folder:write(name, "mine")
      end
      assert(ledger:run(options))
      ledger:close()
      local names = {}
      for _, name in ipairs(folder:names()) do
        names[name] = true
      end
      for _, name in ipairs(theirs) do
        assert.equal("mine", folder:read(name))
        names[name] = nil
      end
      for _, name in ipairs { "night.db", "night.db-run", "night.db-wal", "night.db-shm",
        "a.mp4" } do
        names[name] = nil
      end
      assert.is_nil(next(names))
    end)
  end
end)

describe("a file without a name", function()
  it("takes room, and is not left behind", function()
    local folder <close> = temp.folder()
    local file = assert(scratch.filled(folder:file "x", 100000))
    assert.same({}, folder:names())
    assert.equal(100000, file:seek "end")
    file:close()
  end)

  it("says why it can't be there", function()
    local file, why = scratch.filled("/nowhere/x", 1)
    assert.is_nil(file)
    assert.matches("No such file", why, 1, true)
    file, why = scratch.filled("/proc/self/x", 1)
    assert.is_nil(file)
    assert.is_string(why)
  end)

  it("may be in the current folder", function()
    local here = lfs.currentdir()
    local folder <close> = temp.folder()
    assert(lfs.chdir(folder.path))
    local file = scratch.filled("x", 10)
    lfs.chdir(here)
    assert(file):close()
  end)
end)
