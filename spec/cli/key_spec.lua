-- Where the command line takes its key from.

local process = require "spec.support.process"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"

-- What `key.find` returns in a process with that environment.
local function find(env, path)
  local all = { MINIMAX_API_KEY = false, MINIMAX_API_KEY_FILE = false }
  for name, value in pairs(env) do
    all[name] = value
  end
  local result = process.run { env = all, args = { path }, script = [[
    local found, err, from = require "minimax.cli.key".find(arg[1])
    print(found)
    print(err and err.kind)
    print(err)
    print(from)
  ]] }
  assert(result.code == 0, result.err)
  local key, kind, message, from = result.out:match("^(.-)\n(.-)\n(.-)\n(.-)\n$")
  return { key = key, kind = kind, message = message, from = from }
end

local function chmod(mode, path)
  assert(os.execute(shell.join { "chmod", mode, path }))
  return path
end

describe("the key", function()
  local folder, private

  before_each(function()
    folder = temp.folder()
    private = chmod("600", folder:write("it's a key", "  sk-file\n"))
  end)

  after_each(function()
    folder:close()
  end)

  it("comes from the environment", function()
    assert.same({ key = "sk-env", kind = "nil", message = "nil", from = "MINIMAX_API_KEY" },
      find { MINIMAX_API_KEY = "sk-env" })
  end)

  it("comes from a file with mode 0600, white space around it dropped", function()
    local found = find({}, private)
    assert.equal("sk-file", found.key)
    assert.equal("the file " .. private, found.from)
    found = find { MINIMAX_API_KEY_FILE = private }
    assert.equal("sk-file", found.key)
    assert.matches("MINIMAX_API_KEY_FILE", found.from, 1, true)
  end)

  it("comes from --key-file first, then the environment, then the environment's file", function()
    assert.equal("sk-file", find({ MINIMAX_API_KEY = "sk-env" }, private).key)
    assert.equal("sk-env", find { MINIMAX_API_KEY = "sk-env", MINIMAX_API_KEY_FILE = private }.key)
  end)

  it("is none where an empty variable is all there is", function()
    assert.same({ key = "nil", kind = "nil", message = "nil", from = "nil" },
      find { MINIMAX_API_KEY = "", MINIMAX_API_KEY_FILE = "" })
  end)

  it("is not taken from a file that others may read, and the error says what to do", function()
    for _, mode in ipairs { "640", "604", "660", "610" } do
      chmod(mode, private)
      for _, found in ipairs { find({}, private), find { MINIMAX_API_KEY_FILE = private } } do
        assert.equal("nil", found.key)
        assert.equal("auth", found.kind)
        assert.matches("chmod 600 '" .. folder.path .. "/it'\\''s a key'", found.message, 1, true)
        assert.is_nil(found.message:find("sk-file", 1, true))
      end
    end
  end)

  it("is looked for through a link", function()
    local link = folder:file "link"
    assert(os.execute(shell.join { "ln", "-s", "it's a key", link }))
    assert.equal("sk-file", find({}, link).key)
    chmod("644", private)
    assert.equal("auth", find({}, link).kind)
  end)

  it("is not in a file that is missing, a folder, empty, too long or of two lines", function()
    local cases = {
      [folder:file "none"] = "No such file",
      [chmod("700", folder.path)] = "Is a directory",
      [chmod("600", folder:write("empty", ""))] = "it is empty",
      [chmod("600", folder:write("blank", " \n"))] = "holds no key",
      [chmod("600", folder:write("long", ("k"):rep(5000)))] = "too long",
      [chmod("600", folder:write("two", "sk-one\nsk-two\n"))] = "holds no key",
    }
    for path, text in pairs(cases) do
      local found = find({}, path)
      assert.equal("nil", found.key)
      assert.equal("auth", found.kind)
      assert.matches(text, found.message, 1, true)
    end
  end)
end)
