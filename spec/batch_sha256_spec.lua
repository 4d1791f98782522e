-- SHA-256, by luaossl and without it.

local sha256 = require "minimax.batch.sha256"
local temp = require "spec.support.temp"

-- FIPS 180-4, and the lengths around the end of a block.
local KNOWN = {
  [""] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  ["abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"] =
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  [("a"):rep(1000000)] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
}

describe("SHA-256", function()
  it("is that of the standard", function()
    for text, digest in pairs(KNOWN) do
      assert.equal(digest, sha256.text(text))
      assert.equal(digest, sha256.text(text, true))
    end
  end)

  it("is the same with luaossl and without, at each length around a block's end", function()
    for length = 50, 130 do
      local text = ("\xa5"):rep(length)
      assert.equal(sha256.text(text), sha256.text(text, true))
    end
  end)

  it("reads files in pieces", function()
    local folder <close> = temp.folder()
    local bytes = ("0123456789"):rep(20000)
    local digest, length = sha256.file(folder:write("file", bytes))
    assert.equal(sha256.text(bytes), digest)
    assert.equal(#bytes, length)
    assert.same({ nil, folder.path .. "/none: No such file or directory" },
      { sha256.file(folder:file "none") })
    assert.is_nil((sha256.file(folder.path)))
  end)
end)
