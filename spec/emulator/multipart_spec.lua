--- lua/minimax/emulator/multipart.lua: forms as clients send them, rightly and wrongly.

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

  it("is read however HTTP lets its type and its names be spelled", function()
    for _, content_type in ipairs { "Multipart/Form-Data; Boundary=b1",
      'multipart/form-data;charset=utf-8;boundary="b1"', "multipart/form-data ; boundary=b1 ; a=b",
      'multipart/form-data; a="; boundary=x"; boundary=b1' } do
      local parts = multipart.parse(content_type, body(FIELD))
      assert.equal("x", parts and parts.purpose.body, content_type)
    end
    local parts = multipart.parse(TYPE, body(
      "Content-Disposition: form-data; Name=file; FileName=a.png\r\n\r\n1",
      'Content-Disposition: form-data; filename="; name=no"; name="other"\r\n\r\n2'))
    assert.same({ "a.png", "1", "2", "; name=no" }, { parts.file.filename, parts.file.body,
      parts.other.body, parts.other.filename })
    assert.is_nil(multipart.parse("multipart/form-data; nboundary=b1", body(FIELD)))
    assert.is_nil(multipart.parse("multipart/form-data", body(FIELD)))
  end)

  it("is none where it breaks off or says another type", function()
    assert.is_nil(multipart.parse(TYPE, body(FIELD):sub(1, -8)))
    assert.is_nil(multipart.parse(TYPE, "something else"))
    assert.is_nil(multipart.parse("application/json", body(FIELD)))
    assert.is_nil(multipart.parse(nil, body(FIELD)))
  end)
end)
