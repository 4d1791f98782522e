-- `minimax batch`, against the emulator.

local command = require "spec.support.command"
local socket = require "socket"
local temp = require "spec.support.temp"

local PET = require "lfs".currentdir() .. "/doc/examples/pet.jpg"

-- Lines of JSON for jobs with the given keys.
local function lines(...)
  local text = {}
  for index, key in ipairs { ... } do
    text[index] = string.format('{"key":"%s","request":{"template_id":"393769180141805569",'
      .. '"media_inputs":["@%s"],"text_inputs":["Lion"]}}\n', key, PET)
  end
  return table.concat(text)
end

describe("minimax batch", function()
  local emu, folder

  setup(function()
    emu = command.emulator()
  end)

  teardown(function()
    emu:stop()
  end)

  before_each(function()
    folder = temp.folder()
    emu:clear()
  end)

  after_each(function()
    folder:close()
  end)

  local function run(...)
    local words = { "batch", ... }
    return command.run(words, { emulator = emu, directory = folder.path })
  end

  local function add(...)
    folder:write("jobs.jsonl", lines(...))
    local result = run("add", "jobs.jsonl")
    assert.equal(0, result.code, result.err)
    return result
  end

  local function count_of(state)
    return run("status", "--json").lines[1].counts[state]
  end

  it("adds, runs, counts, lists and exports", function()
    assert.equal("2 added\n", add("rex", "leo").out)
    assert.equal("0 added\n", add("rex", "leo").out)
    local result = run("run", "--interval", "0.05")
    assert.equal(0, result.code, result.err)
    assert.matches("downloaded  2\n", result.out, 1, true)
    assert.matches("\nrex  submitted  %d+\n", "\n" .. result.err)
    assert.matches("\nrex  downloaded  %d+  rex.mp4\n", result.err)
    assert.equal(100000, #folder:read "leo.mp4")
    result = run("status", "--state", "downloaded")
    assert.matches("^rex  downloaded  %d+  rex.mp4\nleo  downloaded  %d+  leo.mp4\n$", result.out)
    assert.equal(2, #run("status", "--all", "--json").lines)
    result = run("export", "gallery.html", "--title", "A <b>")
    assert.equal("gallery.html\n", result.out)
    local page = folder:read "gallery.html"
    assert.matches('src="rex.mp4"', page, 1, true)
    assert.matches("<h1>A &lt;b&gt;</h1>", page, 1, true)
    assert.equal(2, #emu:requests { endpoint = "submit" })
    assert.equal(0, run("run").code)
    assert.equal(2, #emu:requests { endpoint = "submit" })
  end)

  it("says each bad line with its number and reason, and adds none of the others", function()
    folder:write("jobs.jsonl", lines("one") .. "{\n" .. lines("one"):gsub("@", "")
      .. '{"key":"x"}\n')
    local result = run("add", "jobs.jsonl")
    assert.equal(8, result.code)
    assert.matches("^line 2: .*\nline 3: .*'@/.*\nline 4: .*request.*\n$", result.err)
    assert.equal("0 added, 3 bad\n", result.out)
    assert.equal(0, count_of "total")
    result = run("add", "jobs.jsonl", "--keep-going", "--json")
    assert.equal(8, result.code)
    assert.same({ line = 2, message = result.lines[1].bad_line.message }, result.lines[1].bad_line)
    assert.same({ added = { count = 1, bad = 3 } }, result.lines[4])
    assert.equal(1, count_of "added")
  end)

  it("reads jobs from standard input", function()
    local result = command.run({ "batch", "add", "-", "--ledger", folder:file "other.db" },
      { stdin = lines "one", directory = folder.path })
    assert.equal("1 added\n", result.out)
    assert.is_string(folder:read "other.db")
  end)

  it("finds its ledger in the environment, so that no argument shows a password", function()
    local env = { MINIMAX_LEDGER = folder:file "mine.db" }
    folder:write("jobs.jsonl", lines "one")
    local result = command.run({ "batch", "add", "jobs.jsonl" },
      { env = env, directory = folder.path })
    assert.equal(0, result.code, result.err)
    assert.is_string(folder:read "mine.db")
    assert.is_nil(folder:read "minimax.db")
  end)

  it("makes no ledger but by adding: an empty one would look as if all were done", function()
    for _, words in ipairs { { "status" }, { "run" }, { "retry", "a" }, { "adopt", "a", "1" },
      { "export", "gallery.html" } } do
      local result = run(table.unpack(words))
      assert.equal(18, result.code)
      assert.equal("minimax: there is no ledger here: minimax.db: No such file or directory; "
        .. "'minimax batch add' makes one (io)\n", result.err)
    end
    assert.same({}, folder:names())
  end)

  it("adopts a task also as JSON, and nothing that is no id", function()
    add "rex"
    emu:fault { endpoint = "submit", fault = "close", times = 1 }
    assert.equal(15, run("run", "--interval", "0.05").code)
    for _, word in ipairs { "", "..", "{}", '{"task_id":7}' } do
      assert.equal(2, run("adopt", "rex", word).code, word)
    end
    local id = emu:tasks()[#emu:tasks()].task_id
    local result = run("adopt", "rex", '{"task":{"task_id":"' .. id .. '","kind":"template"}}')
    assert.equal("rex  submitted  " .. id .. "\n", result.out)
    assert.equal(0, run("run", "--interval", "0.05").code)
  end)

  it("pays nothing in a dry run, and says what would be refused", function()
    add "rex"
    local result = run("run", "--dry-run")
    assert.equal(0, result.code, result.err)
    assert.matches("1 checked, 0 refused, 0 doubtful", result.out, 1, true)
    folder:write("jobs.jsonl", '{"key":"bad","request":{"template_id":"1","media_inputs":["@'
      .. folder:write("x.jpg", "x") .. '"]}}\n')
    assert.equal(0, run("add", "jobs.jsonl").code)
    result = run("run", "--dry-run")
    assert.equal(8, result.code)
    assert.matches("2 checked, 1 refused", result.out, 1, true)
    assert.matches("\nbad: media_inputs[1]", "\n" .. result.err, 1, true)
    assert.equal(0, #emu:requests())
  end)

  it("spends nothing above --max-submits", function()
    add("rex", "leo")
    local result = run("run", "--max-submits", "1", "--json")
    assert.equal(8, result.code)
    assert.equal("max_submits", result.lines[1].counts.reason)
    assert.equal(0, #emu:requests { endpoint = "submit" })
  end)

  it("leaves unknown jobs to their owner, who adopts or retries them", function()
    add("rex", "leo")
    emu:fault { endpoint = "submit", fault = "close", attempt = { 1, 2 } }
    local result = run("run", "--interval", "0.05")
    assert.equal(15, result.code, result.err)
    assert.matches("minimax batch status --state unknown", result.err, 1, true)
    assert.equal(2, count_of "unknown")
    local task = emu:tasks()[#emu:tasks() - 1].task_id
    assert.equal("rex  submitted  " .. task .. "\n", run("adopt", "rex", task).out)
    assert.equal("leo  added\n", run("retry", "--state", "unknown").out)
    assert.equal(0, run("run", "--interval", "0.05").code)
    assert.equal(2, count_of "downloaded")
    assert.equal(3, #emu:requests { endpoint = "submit" })
  end)

  it("retries all that it can of those that are named, and says of which it can't", function()
    add("rex", "leo")
    emu:fault { endpoint = "submit", fault = "close", attempt = { 1, 2 } }
    run("run", "--interval", "0.05")
    local result = run("retry", "nobody", "rex", "noone", "leo")
    assert.equal("rex  added\nleo  added\n", result.out)
    assert.are_not.equal(0, result.code)
    assert.matches("no job 'nobody'", result.err, 1, true)
    assert.matches("no job 'noone'", result.err, 1, true)
  end)

  it("has an exit code for jobs that failed, and for what stopped it", function()
    add "rex"
    local result = command.run({ "batch", "run" }, { emulator = emu, directory = folder.path,
      env = { MINIMAX_API_KEY = "sk-api-wrong" } })
    assert.equal(3, result.code, result.err)
    assert.equal(1, count_of "added")
    emu:fault { endpoint = "submit", fault = "fail", times = 1 }
    assert.equal(14, run("run", "--interval", "0.05").code)
    assert.equal("rex  added\n", run("retry", "rex").out)
    assert.equal(0, run("run", "--interval", "0.05").code)
  end)

  it("tells of the same trouble once, until something changes", function()
    add "rex"
    emu:fault { endpoint = "query", fault = "status_503", attempt = { 1, 2, 3, 4 } }
    local result = run("run", "--interval", "0.05", "--retries", "0")
    assert.equal(0, result.code, result.err)
    assert.equal(5, #emu:requests { endpoint = "query" })
    assert.equal(1, select(2, result.err:gsub("\nrex: [^\n]*503", "")))
  end)

  it("stops at Ctrl-C, says how to go on, and loses nothing", function()
    local slow <close> = command.emulator { speed = 1, seconds = 10000 }
    add("rex", "leo")
    local words = { "batch", "run", "--interval", "0.05", "--max-submits", "2", "--strict",
      "--submit-rate", "30/0.5", "--ledger", "minimax.db" }
    local options = { emulator = slow, directory = folder.path }
    local child <close> = command.start(words, options)
    local deadline = socket.gettime() + 20
    repeat
      socket.sleep(0.01)
      local _, submitted = child:errors():gsub("  submitted  ", "")
    until submitted == 2 or socket.gettime() > deadline
    child:signal "INT"
    local result = child:finish()
    assert.equal(2, result.signal, result.err)
    assert.matches("Nothing is lost. To go on:\n  minimax " .. table.concat(words, " ") .. "\n",
      result.err, 1, true)
    slow:advance(10000)
    assert.equal(0, command.run(words, options).code)
    assert.equal(2, #slow:tasks())
    assert.equal(100000, #folder:read "rex.mp4")
  end)

  it("says at Ctrl-C what it waits for, and what ending at once would mean", function()
    emu:fault { endpoint = "submit", fault = "slow", seconds = 0.6, attempt = "all" }
    add("rex", "leo")
    local child <close> = command.start({ "batch", "run" },
      { emulator = emu, directory = folder.path })
    local deadline = socket.gettime() + 20
    repeat
      socket.sleep(0.01)
    until #emu:requests { endpoint = "submit" } == 2 or socket.gettime() > deadline
    child:signal "INT"
    local result = child:finish()
    assert.equal(2, result.signal, result.err)
    assert.matches("Interrupted: waiting for the answers to 2 submits. Ctrl-C once more ends at "
      .. "once;\nthose jobs are unknown then.\n", result.err, 1, true)
    assert.matches("Nothing is lost. To go on:\n  minimax batch run\n", result.err, 1, true)
    assert.equal(2, count_of "submitted")
  end)

  it("refuses a ledger that is none, and words that make no sense", function()
    folder:write("jobs.jsonl", lines "one")
    local result = run("status", "--ledger", "jobs.jsonl")
    assert.equal(8, result.code)
    assert.matches("'jobs.jsonl' is no ledger", result.err, 1, true)
    assert.equal(18, run("status", "--ledger", "none/minimax.db").code)
    assert.equal(18, run("add", "none.jsonl").code)
    for _, words in ipairs { {}, { "go" }, { "retry" }, { "run", "--submit-rate", "5" },
      { "run", "--submit-rate", "0/60" }, { "run", "--max-in-flight", "0" },
      { "status", "--state", "gone" }, { "status", "--ledger", "" } } do
      assert.equal(2, run(table.unpack(words)).code, table.concat(words, " "))
    end
    assert.equal(8, run("adopt", "nobody", "1").code)
  end)
end)
