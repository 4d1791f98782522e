--- src/base/base64.c: RFC 4648, padded.

local pure = require "pure"

-- An encoder that shares nothing with the one under test.
local function reference(bytes)
  local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  local bits = bytes:gsub(".", function(byte)
    local value, out = byte:byte(), {}
    for place = 7, 0, -1 do
      out[#out + 1] = value >> place & 1
    end
    return table.concat(out)
  end)
  bits = bits .. ("0"):rep(-#bits % 6)
  local text = bits:gsub("%d%d%d%d%d%d", function(six)
    local at = tonumber(six, 2) + 1
    return alphabet:sub(at, at)
  end)
  return text .. ("="):rep(-#text % 4)
end

describe("base64", function()
  it("encodes the examples of RFC 4648", function()
    local examples = {
      [""] = "", f = "Zg==", fo = "Zm8=", foo = "Zm9v", foob = "Zm9vYg==",
      fooba = "Zm9vYmE=", foobar = "Zm9vYmFy",
    }
    for bytes, expected in pairs(examples) do
      assert.equal(expected, pure.base64_encode(bytes))
    end
  end)

  it("agrees with a slow reference for all lengths and bytes", function()
    local bytes, state = {}, 7
    for length = 0, 300 do
      assert.equal(reference(table.concat(bytes)), pure.base64_encode(table.concat(bytes)))
      local random
      random, state = pure.retry_random(state)
      bytes[length + 1] = string.char(random >> 40 & 255)
    end
  end)

  it("uses every character of the alphabet in order", function()
    local bytes = {}
    for value = 0, 63, 4 do
      local bits = value << 18 | value + 1 << 12 | value + 2 << 6 | value + 3
      bytes[#bytes + 1] = string.pack(">I3", bits)
    end
    assert.equal("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
      pure.base64_encode(table.concat(bytes)))
  end)

  it("makes one text of pieces that are multiples of three bytes", function()
    local whole = ("\0\255\127MiniMax"):rep(100)
    local pieces = {}
    for at = 1, #whole, 51 do
      pieces[#pieces + 1] = pure.base64_encode(whole:sub(at, at + 50))
    end
    assert.equal(pure.base64_encode(whole), table.concat(pieces))
  end)

  it("foretells its length, also beyond 4 GB", function()
    for length = 0, 50 do
      assert.equal(#pure.base64_encode(("x"):rep(length)), pure.base64_length(length))
    end
    assert.equal(27962028, pure.base64_length(20 * 2 ^ 20 // 1 | 0))
    assert.equal(4 << 40, pure.base64_length(3 << 40))
    assert.equal((4 << 40) + 4, pure.base64_length((3 << 40) + 1))
  end)
end)
