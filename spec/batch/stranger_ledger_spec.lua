-- A ledger, a list of jobs, a file from somebody else: whatever they hold, a command
-- ends, and not with "please report this".

local batch = require "minimax.batch"
local columns = require "minimax.cli.columns"
local command = require "spec.support.command"
local cqueues = require "cqueues"
local temp = require "spec.support.temp"

local REQUEST = { template_id = "394514820878671878", text_inputs = { "a scene" } }

-- What a column holds, as SQL.
local DAMAGE = {
  request = { "''", "'{'", "'7'", "'null'", "x'00ff'", "'\"x\"'", "'[]'", "'[1,2]'",
    "'{\"template_id\":1e400}'" },
  files = { "''", "'7'", "'[7]'", "'[{}]'", "'{\"a\":1}'", "'[{\"at\":[],\"path\":\"x\"}]'",
    "'[{\"at\":[\"a\",\"b\",1],\"path\":\"x\",\"sha256\":\"x\",\"bytes\":1}]'",
    "'[{\"at\":[\"a\"],\"path\":7,\"sha256\":\"x\",\"bytes\":1}]'" },
  added_at = { "'yesterday'", "1e400", "-1e400", "1e300", "x'00'" },
  submitted_at = { "'yesterday'", "1e400", "1e300" }, ended_at = { "'x'", "1e400" },
  attempt = { "'x'", "1e400" }, bytes = { "'x'", "1e400", "1.5" },
  error_details = { "'x'", "7", "'7'", "'{\"code\":{},\"stage\":[1],\"trace_id\":true}'",
    "x'7b00'", "'{\"code\":1e400,\"http_status\":-1.5}'" },
  kind = { "'x'", "7", "''" }, error_kind = { "'x'", "7" }, strays = { "7", "x'ff'" },
}

describe("a ledger of somebody else", function()
  local folder, emu, where

  setup(function()
    folder, emu = temp.folder(), command.emulator()
    where = folder:file "l.db"
  end)

  teardown(function()
    emu:stop()
    folder:close()
  end)

  local function run(...)
    local result = command.run({ "batch", ... }, { emulator = emu, directory = folder.path })
    assert.is_nil(result.err:find("please report", 1, true), result.err)
    assert.is_false(result.timed_out)
    return result
  end

  -- A new ledger with one job for each way in which a column can be damaged.
  local function damage(column)
    os.execute("rm -f " .. where .. "*")
    local ledger <close> = assert(batch.open(where))
    for index, value in ipairs(DAMAGE[column]) do
      assert(ledger:add { key = "k" .. index, output = folder:file(column .. index .. ".mp4"),
        request = REQUEST })
      ledger.ledger.db:run("UPDATE minimax_jobs SET " .. column .. " = " .. value
        .. (column == "error_details" and ", error_kind = 'io'" or "")
        .. " WHERE key = 'k" .. index .. "'")
    end
  end

  for column in pairs(DAMAGE) do
    it("may hold anything as " .. column, function()
      damage(column)
      run("status", "--all", "--ledger", where)
      run("status", "--all", "--json", "--ledger", where)
      run("export", "page.html", "--ledger", where)
      run("run", "--dry-run", "--strict", "--ledger", where)
      if column == "request" or column == "files" or column == "kind" then
        local result = run("run", "--ledger", where, "--json")
        assert.is_true(result.code ~= 0, result.out)
      end
    end)
  end

  it("may have any version", function()
    for _, version in ipairs { "'x'", "1.5", "1e400", "x'00'" } do
      damage "kind"
      do
        local ledger <close> = assert(batch.open(where))
        ledger.ledger.db:run("UPDATE minimax_ledger SET version = " .. version)
      end
      local result = run("status", "--ledger", where)
      assert.matches("it is no ledger", result.err, 1, true)
    end
  end)
end)

describe("a file of somebody else", function()
  local folder

  setup(function()
    folder = temp.folder()
    assert(os.execute("mkfifo " .. folder:file "fifo"))
  end)

  teardown(function()
    folder:close()
  end)

  it("that has no end, or waits for ever, is no input of a job", function()
    for _, path in ipairs { folder:file "fifo", "/dev/zero" } do
      local jobs = folder:write("jobs", '{"key":"a","request":{"template_id":"1","media_inputs":["@'
        .. path .. '"]}}')
      local result = command.run({ "batch", "add", jobs, "--ledger", folder:file "l.db" },
        { timeout = 20 })
      assert.is_false(result.timed_out)
      assert.matches("no regular file", result.err, 1, true)
    end
  end)

  it("that has no end is no list of jobs", function()
    local result = command.run({ "batch", "add", "/dev/zero", "--ledger", folder:file "l.db" },
      { timeout = 50 })
    assert.is_false(result.timed_out)
    assert.matches("a line is longer than 64 MiB", result.err, 1, true)
  end)
end)

describe("a key of 100 KB", function()
  it("makes no other line long, and is cut off by no slow search", function()
    local rows = { { ("x"):rep(100000), "added" }, { (" "):rep(100000) .. "x", "" } }
    for index = 1, 2000 do
      rows[#rows + 1] = { "k" .. index, "added", "-", "out.mp4" }
    end
    local since = cqueues.monotime()
    local lines = columns.lines(rows)
    assert.is_true(cqueues.monotime() - since < 2)
    assert.equal("k1     added  -  out.mp4", lines[3])
    assert.equal((" "):rep(100000) .. "x", lines[2])
  end)
end)
