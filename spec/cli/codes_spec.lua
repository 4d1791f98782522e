-- The exit codes of the command line, each seen.

local codes = require "minimax.cli.codes"
local command = require "spec.support.command"
local process = require "spec.support.process"
local temp = require "spec.support.temp"

local CLIMBING = { "template", "climbing", "-m", "https://example.com/pet.jpg" }

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

local function words(...)
  local all = table.move(CLIMBING, 1, #CLIMBING, 1, {})
  return table.move({ ... }, 1, select("#", ...), #all + 1, all)
end

-- What leads to each kind: `words` the command, `fault` at the emulator.
local CASES = {
  auth = { words = CLIMBING, env = { MINIMAX_API_KEY = "sk-api-wrong" } },
  balance = { words = CLIMBING, fault = { endpoint = "submit", fault = "code", code = 1008 } },
  quota = { words = CLIMBING, fault = { endpoint = "submit", fault = "code", code = 2056 } },
  rate_limit = { words = words("--turn", "0.2"),
    fault = { endpoint = "submit", fault = "code", code = 1002, attempt = "all" } },
  content = { words = CLIMBING, fault = { endpoint = "submit", fault = "code", code = 1026 } },
  invalid = { words = { "query", "1" } },
  server = { words = { "query", "1", "--retries", "0" },
    fault = { endpoint = "query", fault = "status_500" } },
  timeout = { words = words("--wait", "--interval", "0.05", "--timeout", "0.1"),
    fault = { endpoint = "query", fault = "html", attempt = "all" } },
  network = { words = { "--base-url", "http://127.0.0.1:1", "query", "1", "--retries", "0" } },
  tls = { words = { "query", "1", "--retries", "0" }, https = true },
  protocol = { words = { "query", "1", "--retries", "0" },
    fault = { endpoint = "query", fault = "garbage", attempt = "all" } },
  failed = { words = words("--wait", "--interval", "0.05"),
    fault = { endpoint = "submit", fault = "fail" } },
  unknown = { words = CLIMBING, fault = { endpoint = "submit", fault = "close" } },
  expired = { words = { "download" }, expired = true },
  io = { words = words("-o", "/nonexistent/a.mp4") },
}

describe("the exit code", function()
  local emu, folder

  setup(function()
    emu = command.emulator()
    folder = temp.folder()
  end)

  teardown(function()
    emu:stop()
    folder:close()
  end)

  before_each(function()
    emu:clear()
  end)

  local function link_of_a_task()
    local result = command.run(words("--wait", "--interval", "0.05"), { emulator = emu })
    assert.equal(0, result.code, result.err)
    return result.out:match("%S+")
  end

  for kind, case in pairs(CASES) do
    it("of an error of kind " .. kind .. " is its own", function()
      local arguments = table.move(case.words, 1, #case.words, 1, {})
      if case.expired then
        arguments[#arguments + 1] = link_of_a_task()
        emu:fault { endpoint = "storage", fault = "expired", attempt = "all" }
      elseif case.https then
        table.move({ "--base-url", "https://127.0.0.1:" .. emu.port }, 1, 2, #arguments + 1,
          arguments)
      end
      if case.fault then
        emu:fault(case.fault)
      end
      for _, form in ipairs { "--quiet", "--json" } do
        local result = command.run(table.move(arguments, 1, #arguments, 2, { form }),
          { emulator = emu, env = case.env, directory = folder.path })
        if form == "--json" then
          assert.equal(kind, result.lines[#result.lines].error.kind)
        else
          assert.equal("", result.out)
        end
        assert.equal(codes.of_kind(kind), result.code, result.err)
        if case.fault then
          emu:clear()
          emu:fault(case.fault)
        end
      end
    end)
  end

  it("is 0 where all went well, and for --help and --version", function()
    for _, some in ipairs { { "templates" }, { "--help" }, { "wait", "-h" }, { "--version" } } do
      local result = command.run(some)
      assert.equal(0, result.code)
      assert.equal("", result.err)
    end
    assert.equal("minimax " .. require("minimax")._VERSION .. "\n",
      command.run({ "--version" }).out)
  end)

  it("is 2 where the words make no sense, and the nearest word is named", function()
    for _, some in ipairs { {}, { "wiat" }, { "query" }, { "query", "1", "2" }, { "--jsn" },
      { "list", "--status", "done" }, { "list", "--page", "0" }, { "query", "" }, { "wait", ".." },
      { "wait", '{"task_id":1}' } } do
      local result = command.run(some)
      assert.equal(codes.USAGE, result.code)
      assert.equal("", result.out)
      assert.matches("^minimax: ", result.err)
    end
    assert.matches("Did you mean 'wait'?", command.run({ "wiat" }).err, 1, true)
  end)

  it("is 1 where the program itself is wrong, and that is said", function()
    local result = process.run { script = [[
      require "minimax.cli.templates".run = function() error("oops") end
      os.exit(require "minimax.cli.main".run { "templates" }, true)
    ]] }
    assert.equal(codes.BUG, result.code)
    assert.matches("please report this:\n.*oops", result.err)
  end)

  it("is 2 without argparse, whose rock and package are named", function()
    local result = process.run { script = [[
      package.preload.argparse = function() error("not here") end
      os.exit(require "minimax.cli.main".run { "templates" }, true)
    ]] }
    assert.equal(codes.USAGE, result.code)
    assert.matches("luarocks install argparse", result.err, 1, true)
    assert.matches("lua-argparse", result.err, 1, true)
  end)

  it("of every kind of the contract is different, and stands in the pages", function()
    local seen = {}
    local page, manual = read "doc/cli.md", read "doc/minimax.1"
    for _, kind in ipairs(codes.KINDS) do
      local code = codes.of { kind = kind[1] }
      assert.is_nil(seen[code])
      seen[code] = true
      assert.truthy(CASES[kind[1]] or kind[1] == "cancelled", kind[1])
      assert.matches("| " .. code .. " | `" .. kind[1] .. "` |", page, 1, true)
      assert.matches("\n.B " .. code .. "\n" .. kind[1]:gsub("_", "\\_") .. "[:,]", manual)
    end
    assert.equal(codes.BUG, codes.of { kind = "nonsense" })
  end)
end)
