local multipart = require "minimax.emulator.multipart"

local TYPE = "multipart/form-data; boundary=b1"

local function body(...)
  local parts = {}
  for index, part in ipairs { ... } do
    parts[index] = "--b1\r\n" .. part .. "\r\n"
  end
  return table.concat(parts) .. "--b1--\r\n"
end

local FIELD = 'Content-Disposition: form-data; name="purpose"\r\n\r\nx'

describe("a form", function()
  it("is read part by part, a file with its name", function()
    local parts = multipart.parse(TYPE, body(FIELD,
      'content-disposition: form-data; name="file"; filename="a b.png"\r\n'
      .. "Content-Type: image/png\r\n\r\n\0\r\n--b\r\n"))
    assert.equal("x", parts.purpose.body)
    assert.is_nil(parts.purpose.filename)
    assert.equal("a b.png", parts.file.filename)
    assert.equal("\0\r\n--b\r\n", parts.file.body)
  end)

  it("may name its boundary in quotes, and hold nothing", function()
    local parts = multipart.parse('multipart/form-data; boundary="b1"', body(FIELD))
    assert.equal("x", parts.purpose.body)
    assert.same({}, multipart.parse(TYPE, "--b1--\r\n"))
  end)

  it("is none where it breaks off or says another type", function()
    assert.is_nil(multipart.parse(TYPE, body(FIELD):sub(1, -8)))
    assert.is_nil(multipart.parse(TYPE, "something else"))
    assert.is_nil(multipart.parse("application/json", body(FIELD)))
    assert.is_nil(multipart.parse(nil, body(FIELD)))
  end)
end)
