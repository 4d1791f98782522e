-- SHA-256 of files.

local process = require "spec.support.process"
local sha256 = require "minimax.batch.sha256"
local temp = require "spec.support.temp"

-- FIPS 180-4; the last is longer than what is read at a time.
local KNOWN = {
  [""] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  [("a"):rep(1000000)] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
}

describe("the SHA-256 of a file", function()
  local folder
  before_each(function() folder = temp.folder() end)
  after_each(function() folder:close() end)

  it("is that of the standard", function()
    for text, digest in pairs(KNOWN) do
      assert.same({ digest, #text }, { sha256.file(folder:write("file", text)) })
    end
  end)

  it("takes memory for a piece alone", function()
    local path = folder:file "file"
    local file <close> = assert(io.open(path, "wb"))
    for _ = 1, 320 do
      file:write(("x"):rep(65536))
    end
    collectgarbage()
    local before, most = collectgarbage "count", 0
    debug.sethook(function()
      most = math.max(most, collectgarbage "count")
    end, "c")
    sha256.file(path)
    debug.sethook()
    assert.is_true(most - before < 10000, most - before .. " KiB")
  end)

  it("is refused with the reason where the file can't be read", function()
    local none = folder:file "none"
    assert.same({ nil, "file can't be read: " .. none .. ": No such file or directory" },
      { sha256.file(none) })
    assert.same({ nil, "file can't be read: " .. folder.path .. ": no regular file" },
      { sha256.file(folder.path) })
  end)
end)

describe("without luaossl", function()
  it("a job with a local file is refused, naming rock and package; others are added", function()
    local folder <close> = temp.folder()
    local result = process.run { args = { folder:file "a.db" }, script = [[
      package.preload["openssl.digest"] = function() error "not here" end
      local minimax = require "minimax"
      local b = assert(require "minimax.batch".open(arg[1]))
      print(select(2, b:add { key = "a", request = { model = "m",
        first_frame_image = minimax.file "doc/examples/pet.jpg" } }))
      print((b:add { key = "b", request = { model = "m" } }))
    ]] }
    assert.equal("", result.err)
    assert.equal("minimax batch: job 'a': a batch with local files needs luaossl, which is not "
      .. "installed for this Lua: it is the rock luaossl, on Debian the package lua-luaossl (io)\n"
      .. "1\n", result.out)
  end)
end)
