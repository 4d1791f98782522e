-- A signal at any instant of our programs' lives: each ends as it should, says so
-- in one line, and no task is paid for without being told.
--
--     INTERRUPTS=500 make run-specs SPECS=spec/cli/instants_spec.lua

local command = require "spec.support.command"
local process = require "spec.support.process"
local socket = require "socket"
local temp = require "spec.support.temp"

local ROUNDS = math.tointeger(os.getenv "INTERRUPTS") or 10 -- of each program

-- Lua prints this before the program's first instruction.
local MARK = "Lua is here\n"
local MARKED = { LUA_INIT = ("io.stderr:write(%q)"):format(MARK) }

local NUMBERS = { INT = 2, TERM = 15 }

local VIDEO = { "video", "--model", "MiniMax-Hailuo-2.3", "-p", "a cat", "-o", "cat.mp4",
  "--interval", "0.02" }

-- What became of a program: how it ended, by a word.
local function outcome_of(result, number)
  local said = result.err:sub(#MARK + 1)
  local _, lines = ("\n" .. said):gsub("\nInterrupted%.\n", "")
  local ended = (result.signal or 0) == number
  if said:find("traceback", 1, true) or said:find("please report", 1, true) then
    return "traceback"
  elseif ended and lines == 1 then
    return "interrupted"
  elseif ended and said == "" then
    return "silent" -- Lua itself was starting
  elseif result.code == 0 and lines == 0 then
    return "done"
  end
  return "wrong"
end

-- Interrupts programs at random instants. Returns all that they printed.
local function interrupt(case)
  local counts, printed, examples = {}, {}, {}
  local function start()
    return process.start(case.start())
  end
  local began = socket.gettime()
  local first <close> = start()
  if case.seconds then
    first:signal "INT"
  end
  printed[1] = first:finish()
  local life = case.seconds or socket.gettime() - began
  for round = 1, ROUNDS do
    local name = round % 4 == 0 and "TERM" or "INT"
    local child <close> = start()
    local limit = socket.gettime() + 20
    repeat
      assert(socket.gettime() < limit, "it did not start")
      socket.sleep(0.0005)
    until child:errors() ~= ""
    socket.sleep(life * math.random())
    child:signal(name)
    local result = child:finish()
    local outcome = outcome_of(result, NUMBERS[name])
    if name == "TERM" and (outcome == "silent" or case.seconds and outcome == "done") then
      outcome = "terminated" -- as Lua does before us, and as servers end
    end
    counts[outcome] = (counts[outcome] or 0) + 1
    examples[outcome] = result.err
    printed[#printed + 1] = result
  end
  if os.getenv "INTERRUPTS" then
    for outcome, count in pairs(counts) do
      print(case.name, outcome, count)
    end
  end
  assert.is_nil(counts.traceback, examples.traceback)
  assert.is_nil(counts.wrong, examples.wrong)
  assert.is_true((counts.silent or 0) <= 1 + ROUNDS // 20)
  assert.is_true(counts.interrupted > 0)
  return printed
end

describe("a signal at any instant of", function()
  local emu, folder

  before_each(function()
    emu = command.emulator { seconds = 50, speed = 1000 }
    folder = temp.folder()
  end)

  after_each(function()
    emu:stop()
    folder:close()
  end)

  local function prepared(words)
    return command.prepare(words, { emulator = emu, directory = folder.path, env = MARKED })
  end

  for name, more in pairs { ["a render"] = {}, ["a render with --json"] = { "--json" } } do
    it(name .. " leaves no task paid for without being told", function()
      local words = table.move(more, 1, #more, #VIDEO + 1, { table.unpack(VIDEO) })
      emu:fault { endpoint = "submit", fault = "slow", seconds = 0.1, attempt = "all" }
      local printed = interrupt { name = name, start = function() return prepared(words) end }
      local told = {}
      for _, result in ipairs(printed) do
        told[#told + 1] = result.out .. result.err
      end
      told = table.concat(told)
      assert.is_nil(told:find("may have been created", 1, true))
      local tasks = emu:tasks()
      assert.is_true(#tasks > 0)
      for _, task in ipairs(tasks) do
        assert.matches(task.task_id, told, 1, true)
      end
    end)
  end

  for _, words in ipairs { { "query" }, { "doctor" } } do
    it(words[1] .. " is told in one line", function()
      if words[1] == "query" then
        words[2] = command.run({ "template", "climbing", "-m", "https://x/y", "-q" },
          { emulator = emu }).out:match("%d+")
      end
      interrupt { name = words[1], start = function() return prepared(words) end }
    end)
  end

  it("the emulator ends it", function()
    interrupt { name = "emulator", seconds = 0.2, start = function()
      return prepared { "emulator", "--port", "0" }
    end }
  end)

  it("the callback server ends it", function()
    interrupt { name = "callback-server", seconds = 0.2, start = function()
      return prepared { "callback-server", "--port", "0" }
    end }
  end)

  it("a batch loses and pays nothing twice", function()
    local runs = 0
    local function words_of(...)
      return { "batch", (...), "--ledger", runs .. ".db", select(2, ...) }
    end
    local function batch(...)
      return command.run(words_of(...), { emulator = emu, directory = folder.path })
    end
    interrupt { name = "batch run", start = function()
      runs = runs + 1
      local lines = ""
      for job = 1, 3 do
        lines = lines .. ('{"key":"%d-%d","request":{"model":"MiniMax-Hailuo-2.3","prompt":"x"}}\n')
          :format(runs, job)
      end
      folder:write("jobs.jsonl", lines)
      assert.equal(0, batch("add", "jobs.jsonl").code)
      return prepared(words_of("run", "--interval", "0.02"))
    end }
    local all = runs
    for run = 1, all do
      runs = run
      local result = batch("run", "--interval", "0.02")
      assert.equal(0, result.code, result.err)
    end
    assert.equal(3 * all, #emu:tasks())
  end)
end)
