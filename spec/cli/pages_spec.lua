-- The pages of the command line say what it does: nothing is missing in them.

local grammar = require "minimax.cli.grammar"
local process = require "spec.support.process"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

-- Calls a function with each command, its full name and its options.
local function each_command(parser, call, prefix)
  for _, command in ipairs(parser._commands) do
    local options = {}
    for _, option in ipairs(command._options) do
      for _, alias in ipairs(option._public_aliases) do
        options[#options + 1] = alias ~= "-h" and alias ~= "--help" and alias or nil
      end
    end
    call((prefix or "") .. command._name, options, command)
    each_command(command, call, (prefix or "") .. command._name .. " ")
  end
end

-- What completion offers for the words of a command line, the last one begun.
local function complete(...)
  local script = [[
    source doc/minimax.bash
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
    _minimax
    printf '%s\n' "${COMPREPLY[@]}"
  ]]
  local result = process.run { command = { "bash", "-c", script, "bash", "minimax", ... } }
  assert.equal("", result.err)
  local words = {}
  for word in result.out:gmatch("%S+") do
    words[#words + 1] = word
  end
  return words
end

describe("the man page", function()
  local page = read("doc/minimax.1"):gsub("\\%-", "-"):gsub("\\f.", "")

  it("has a section for each command, with all its options and their meaning", function()
    local commands = 0
    each_command(grammar.parser(), function(name, options, command)
      commands = commands + 1
      local section = page:match('\n%.SS "' .. name:gsub("%-", "%%-")
        .. '[" ][^\n]*\n(.-)\n%.S[SH]')
      assert.is_truthy(section, name .. " has no section")
      for _, option in ipairs(options) do
        assert.truthy((section:find(option, 1, true)), name .. " " .. option .. " is missing")
      end
      for _, option in ipairs(command._options) do
        if option._public_aliases[1] ~= "-h" then
          assert.truthy((section:find("\n" .. option._description, 1, true)),
            name .. ": " .. option._description)
        end
      end
    end)
    assert.is_true(commands > 15)
  end)

  it("has the options that all commands take", function()
    for _, option in ipairs(grammar.parser()._options) do
      assert.matches("\n" .. option._public_aliases[1]:gsub("^-h$", ".B --help"):gsub("%-", "%%-"),
        page)
    end
  end)

  it("is of this version", function()
    assert.matches('"minimax ' .. require("minimax")._VERSION .. '"', page, 1, true)
  end)
end)

describe("doc/cli.md", function()
  it("names each command", function()
    local page = read "doc/cli.md"
    each_command(grammar.parser(), function(name)
      assert.matches("`" .. name:gsub("%-", "%%-") .. "[` ]", page)
    end)
  end)
end)

describe("the completion for bash", function()
  it("is what the command line says of itself", function()
    assert.equal(read "doc/minimax.bash", grammar.parser():get_bash_complete())
  end)

  it("offers commands, subcommands, options and choices", function()
    assert.same({ "wait" }, complete "wa")
    assert.same({ "export" }, complete("batch", "e"))
    assert.same({ "--json" }, complete "--js")
    assert.same({ "--media" }, complete("template", "--med"))
    assert.same({ "--max-submits" }, complete("batch", "run", "--max-s"))
    assert.same({ "template" }, complete("wait", "1", "--kind", "t"))
    assert.same({ "doc/cli.md" }, complete("--key-file", "doc/cl"))
  end)
end)
