-- Words for the shell, and the folder it is in.

local lfs = require "lfs"
local shell = require "minimax.common.shell"

describe("a word for the shell", function()
  for text, word in pairs {
    ["a.mp4"] = "a.mp4", [""] = "''", ["a b"] = "'a b'", ["it's"] = "'it'\\''s'",
    ["https://x/y"] = "https://x/y", ["$(x)"] = "'$(x)'", ["a\nb"] = "'a\nb'", ["~"] = "'~'",
  } do
    it("is quoted where it must be: " .. word:gsub("\n", " "), function()
      assert.equal(word, shell.word(text))
      local pipe <close> = io.popen("printf '%s.' " .. shell.command { text, "x" })
      assert.equal(text .. ".x.", pipe:read "a")
    end)
  end
end)

it("the folder is this process's own", function()
  assert.equal(lfs.currentdir(), shell.folder())
end)
