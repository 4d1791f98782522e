-- What the command line prints, and how it looks.

local columns = require "minimax.cli.columns"
local output = require "minimax.cli.output"
local printable = require "minimax.common.printable"
local process = require "spec.support.process"

-- Runs a script that has an output of these options as the local `out`.
local function run(options, script)
  return process.run { env = { TERM = "dumb" }, script = string.format(
    'local out = require "minimax.cli.output".new { json = %s, quiet = %s }\n%s',
    options.json, options.quiet, script) }
end

local ALL = [[
  out:say("say %d", 1)
  out:emit("name", { value = 2 })
  out:note("note")
  out:warn("warn")
  out:fail(setmetatable({ kind = "io", message = "no" }, { __tostring = function(err)
    return err.message .. "\27[2J"
  end }))
]]

describe("the output", function()
  it("is lines for people: results on one stream, all else on the other", function()
    local result = run({}, ALL)
    assert.equal("say 1\n", result.out)
    assert.equal("note\nwarn\nno?[2J\n", result.err)
  end)

  it("is results and errors alone with --quiet", function()
    local result = run({ quiet = true }, ALL)
    assert.equal("say 1\n", result.out)
    assert.equal("warn\nno?[2J\n", result.err)
  end)

  it("is lines of JSON with --json, errors too", function()
    local result = run({ json = true }, ALL)
    assert.equal('{"name":{"value":2}}\n{"error":{"kind":"io","message":"no"}}\n', result.out)
    assert.equal("warn\n", result.err)
  end)

  it("keeps every digit in JSON, and what is no UTF-8 from breaking it", function()
    assert.equal("401047179385389059", output.text(401047179385389059))
    assert.equal('{"a":"b?c","d":["?"]}', output.text { a = "b\xFFc", d = { "\0" } })
  end)
end)

describe("columns", function()
  it("stand below each other, whatever the letters", function()
    assert.same({ "a    1", "äöü  22", "x?y  z" }, columns.lines { { "a", 1 }, { "äöü", 22 },
      { "x\ny", "z" } })
  end)

  it("show the plain fields of a table by name", function()
    assert.same({ { "a", 1 }, { "bc", true } }, columns.fields { bc = true, a = 1, c = {} })
  end)
end)

describe("a line for the terminal", function()
  it("can't steer it", function()
    assert.equal("?[2J a?b é?", printable.line "\27[2J a\nb é\194\155")
    assert.equal("7", printable.line(7))
  end)
end)
