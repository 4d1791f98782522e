-- The options of what is written in Lua: one check for all of them.

local checks = require "minimax.common.options"
local cqueues = require "cqueues"
local emulator = require "minimax.emulator"
local minimax = require "minimax"
local receiver = require "minimax.receiver"
local temp = require "spec.support.temp"

describe("an option that is misspelt", function()
  local folder, b

  setup(function()
    folder = temp.folder()
    b = require "minimax.batch".open(folder:file "ledger.db")
  end)

  teardown(function()
    b:close()
    folder:close()
  end)

  for text, call in pairs {
    ["minimax.batch: run: unknown option 'max_in_fligt' (did you mean 'max_in_flight'?)"] =
      function() b:run { max_in_fligt = 3 } end,
    ["minimax.batch: retry: unknown option 'resubmitt' (did you mean 'resubmit'?)"] =
      function() b:retry("key", { resubmitt = true }) end,
    ["minimax.batch: a job: unknown field 'ouput' (did you mean 'output'?)"] =
      function() b:add { key = "a", request = {}, ouput = "a.mp4" } end,
    ["minimax.emulator: unknown option 'speeed' (did you mean 'speed'?)"] =
      function() local emu = emulator.start { speeed = 1 } emu:stop() end,
    ["minimax.receiver: unknown option 'on_events' (did you mean 'on_event'?)"] =
      function() receiver.start { on_events = print } end,
  } do
    it("is told with the one that it may mean, in the caller's line: " .. text, function()
      local line = debug.getinfo(call, "S").linedefined
      local ok, problem = pcall(call)
      assert.is_false(ok)
      assert.matches("options_spec.lua:" .. line .. ": " .. text, problem, 1, true)
    end)
  end

  it("stands alone where nothing is near", function()
    assert.equal("unknown option 'x'", checks.problem({ speed = { checks.positive } }, { x = 1 },
      "option"))
    assert.equal("unknown option '1'", checks.problem({}, { 1 }, "option"))
  end)

  it("is compared with 40 words, and with nothing but words", function()
    local words = {}
    for index = 1, 100 do
      words[index] = "word" .. index
    end
    words[40], words[41] = "speed", "sped"
    assert.equal("speed", minimax._nearest("sped", words))
    assert.is_nil(minimax._nearest("sped", { print, "speed" }))
  end)
end)

describe("options that are no table", function()
  it("are refused", function()
    assert.has_error(function() emulator.start "fast" end,
      "minimax.emulator: a table is expected")
    assert.has_error(function() receiver.start(cqueues.new()) end,
      "minimax.receiver: a table is expected")
  end)
end)
