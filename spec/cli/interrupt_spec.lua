-- Ctrl-C on the command line: nothing that was paid for is lost.

local command = require "spec.support.command"
local socket = require "socket"
local temp = require "spec.support.temp"

local CLIMBING = { "template", "climbing", "-m", "https://example.com/pet.jpg", "-o", "a b.mp4",
  "--interval", "0.05" }

-- Polls until a condition holds; a test that hangs is ended by its guard.
local function wait_for(holds)
  local deadline = socket.gettime() + 20
  while not holds() do
    assert(socket.gettime() < deadline, "it did not come")
    socket.sleep(0.01)
  end
end

describe("Ctrl-C", function()
  local emu, folder

  before_each(function()
    emu = command.emulator { speed = 1, seconds = 10000, link_life = 10000, video_bytes = 3000000 }
    folder = temp.folder()
  end)

  after_each(function()
    emu:stop()
    folder:close()
  end)

  local function start(words, env)
    return command.start(words, { emulator = emu, directory = folder.path, env = env })
  end

  local function interrupt(child)
    child:signal "INT"
    local result = child:finish()
    assert.equal(130, 128 + (result.signal or 0), result.err)
    assert.matches("\nInterrupted.\n", "\n" .. result.err, 1, true)
    return result.err
  end

  it("during a wait prints the command that goes on, which downloads what was paid", function()
    local child <close> = start(CLIMBING)
    wait_for(function() return child:errors():find("Preparing", 1, true) end)
    local advice = interrupt(child)
    local id = emu:tasks()[1].task_id
    assert.matches("Task " .. id .. " goes on at the server. To go on here:\n  minimax wait " .. id
      .. " --kind template -o 'a b.mp4'\n", advice, 1, true)
    emu:advance(10000)
    local result = command.run({ "wait", id, "--kind", "template", "-o", "a b.mp4" },
      { emulator = emu, directory = folder.path })
    assert.equal(0, result.code, result.err)
    assert.equal(3000000, #folder:read "a b.mp4")
    assert.equal(1, #emu:tasks())
  end)

  it("during a download keeps what has arrived, and the same command goes on", function()
    emu:fault { endpoint = "storage", fault = "stall", at = 1000000, attempt = 1 }
    local child <close> = start(CLIMBING)
    wait_for(function() return #emu:tasks() == 1 end)
    emu:advance(10000)
    wait_for(function() return (folder:read "a b.mp4.part" or ""):len() >= 500000 end)
    local advice = interrupt(child)
    local id = emu:tasks()[1].task_id
    assert.matches("minimax wait " .. id, advice, 1, true)
    local result = command.run({ "wait", id, "-o", "a b.mp4", "--json" },
      { emulator = emu, directory = folder.path })
    assert.equal(0, result.code, result.err)
    assert.is_true(result.lines[2].file.resumed_from >= 500000)
    assert.equal(3000000, #folder:read "a b.mp4")
  end)

  it("while a submit has not left says that nothing was submitted", function()
    emu:fault { endpoint = "submit", fault = "code", code = 1002, attempt = "all" }
    local child <close> = start(CLIMBING)
    wait_for(function() return child:errors():find("rate_limit", 1, true) end)
    assert.matches("Nothing was submitted.", interrupt(child), 1, true)
    assert.equal(0, #emu:tasks())
  end)

  -- Interrupts a submit so many seconds after it has reached the server, which
  -- answers after SLOW seconds. Returns what was printed.
  local SLOW = 0.4
  local function interrupt_submit(words, seconds, env, name)
    emu:clear()
    emu:fault { endpoint = "submit", fault = "slow", seconds = SLOW, attempt = "all" }
    local child <close> = start(words, env)
    wait_for(function() return #emu:requests { endpoint = "submit" } == 1 end)
    socket.sleep(seconds)
    child:signal(name or "INT")
    return child:finish()
  end

  it("while a submit is under way waits for the answer, and always prints the id", function()
    local known = 0
    for round = 0, 11 do
      local words = table.move(CLIMBING, 1, 4, 1, {})
      words[#words + 1] = ({ "--json", "-q", "--wait" })[round % 3 + 1]
      local result = interrupt_submit(words, SLOW * round / 10)
      known = known + 1
      assert.equal(known, #emu:tasks())
      assert.matches(emu:tasks()[known].task_id, result.out .. result.err, 1, true)
    end
  end)

  it("while a submit is under way says so, and then how to go on", function()
    local result = interrupt_submit(CLIMBING, 0)
    local id = emu:tasks()[1].task_id
    assert.equal(130, 128 + (result.signal or 0))
    assert.matches("^Interrupted: waiting for the answer to the submit%. Ctrl%-C once more ends at "
      .. "once;\na task may exist then, and be paid for, whose id nobody knows%.\n"
      .. "submitted: task " .. id .. " %(template%)\nInterrupted%.\n"
      .. "Task " .. id .. " goes on at the server%.", result.err)
  end)

  it("and SIGTERM and a terminal that goes away end a submit alike", function()
    for name, number in pairs { TERM = 15, HUP = 1 } do
      local result = interrupt_submit(CLIMBING, 0, nil, name)
      local known = #emu:tasks()
      assert.equal(number, result.signal, result.err)
      assert.matches("submitted: task " .. emu:tasks()[known].task_id, result.err, 1, true)
    end
  end)

  it("while a submit is refused says why", function()
    local result = interrupt_submit(CLIMBING, 0, { MINIMAX_API_KEY = "sk-api-wrong" })
    assert.equal(3, result.code, result.err)
    assert.matches("(auth, code ", result.err, 1, true)
  end)

  it("twice ends a submit at once", function()
    emu:fault { endpoint = "submit", fault = "hang", attempt = "all" }
    local child <close> = start(CLIMBING)
    wait_for(function() return #emu:requests { endpoint = "submit" } == 1 end)
    child:signal "INT"
    wait_for(function() return child:errors():find("Ctrl-C once more", 1, true) end)
    child:signal "INT"
    local began, result = socket.gettime(), child:finish()
    assert.equal(2, result.signal)
    assert.is_true(socket.gettime() - began < 10)
  end)

  it("during a query leaves a plain word", function()
    emu:fault { endpoint = "query", fault = "hang", attempt = "all" }
    local child <close> = start { "query", "1" }
    wait_for(function() return #emu:requests { endpoint = "query" } == 1 end)
    assert.equal("Interrupted.\n", interrupt(child))
  end)
end)
