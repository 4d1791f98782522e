--- src/base/buffer.c: a growable run of bytes.

local pure = require "pure"

local function text(buffer)
  local content = buffer:content()
  return content and content:sub(1, -2)
end

describe("buffer", function()
  it("is empty, without memory, when all zero", function()
    local content, length, capacity = pure.buffer():content()
    assert.is_nil(content)
    assert.equal(0, length)
    assert.equal(0, capacity)
  end)

  it("keeps what was added, bytes of every value, with a NUL after it", function()
    local buffer, bytes = pure.buffer(), {}
    for value = 0, 255 do
      bytes[#bytes + 1] = string.char(value)
      assert.is_true(buffer:add(bytes[#bytes]))
    end
    assert.equal(table.concat(bytes) .. "\0", (buffer:content()))
  end)

  it("takes texts up to their NUL", function()
    local buffer = pure.buffer()
    assert.is_true(buffer:add_text("one "))
    assert.is_true(buffer:add_text("two\0three"))
    assert.equal("one two", text(buffer))
  end)

  it("becomes an empty text when nothing is added", function()
    local buffer = pure.buffer()
    assert.is_true(buffer:add_nothing())
    assert.equal("\0", (buffer:content()))
  end)

  it("grows by doubling: few allocations for many bytes", function()
    local buffer, growths, before = pure.buffer(), 0, 0
    for _ = 1, 5000 do
      buffer:add("twenty bytes of text")
      local _, _, capacity = buffer:content()
      if capacity ~= before then
        growths, before = growths + 1, capacity
      end
    end
    assert.equal(("twenty bytes of text"):rep(5000), text(buffer))
    assert.is_true(growths <= 12, growths .. " growths")
  end)

  it("reserves room without changing what it holds", function()
    local buffer = pure.buffer()
    buffer:add("held")
    assert.is_true(buffer:reserve(5000))
    local content, length, capacity = buffer:content()
    assert.equal("held\0", content)
    assert.equal(4, length)
    assert.is_true(capacity >= 5005)
    assert.is_true(buffer:reserve(5000))
    assert.equal(capacity, select(3, buffer:content()))
  end)

  it("says so when the size would overflow, and is unchanged", function()
    local buffer = pure.buffer()
    buffer:add("held")
    assert.is_false(buffer:reserve(-1)) -- SIZE_MAX
    assert.is_false(buffer:reserve(-5)) -- its NUL would overflow
    assert.equal("held\0", (buffer:content()))
    assert.is_true(buffer:add(" on"))
    assert.equal("held on", text(buffer))
  end)

  it("forgets its content and keeps its memory on clear", function()
    local buffer = pure.buffer()
    buffer:clear()
    assert.is_nil((buffer:content()))
    buffer:add(("x"):rep(1000))
    local _, _, capacity = buffer:content()
    buffer:clear()
    local content, length, kept = buffer:content()
    assert.equal("\0", content)
    assert.equal(0, length)
    assert.equal(capacity, kept)
  end)

  it("is usable after its memory was released, which may be done twice", function()
    local buffer = pure.buffer()
    buffer:add("old")
    buffer:free()
    buffer:free()
    assert.is_nil((buffer:content()))
    buffer:add("new")
    assert.equal("new", text(buffer))
  end)
end)
