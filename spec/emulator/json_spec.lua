--- lua/minimax/emulator/json.lua: the JSON of requests as they came, and of replies.

local json = require "minimax.emulator.json"

describe("the emulator's JSON", function()
  it("writes members in order, numbers digit for digit, and null", function()
    local text = json.encode { b = json.raw "401047179385389059", a = json.null, c = { 1, 2.5 } }
    assert.equal('{"a":null,"b":401047179385389059,"c":[1,2.5]}', text)
  end)

  it("writes an empty list where one is meant", function()
    assert.equal('{"a":[],"b":{}}', json.encode { a = json.array(), b = {} })
  end)

  it("escapes what must be", function()
    assert.equal([["a\"\\\n\u0001ä/"]], json.encode 'a"\\\n\1ä/')
  end)

  it("reads whole numbers as integers, whatever lua-cjson makes of them", function()
    local value = json.decode '{"a":6,"b":[1,2.5],"c":null}'
    assert.equal("integer", math.type(value.a))
    assert.equal("integer", math.type(value.b[1]))
    assert.equal(2.5, value.b[2])
    assert.is_true(json.is_null(value.c))
  end)

  it("says what is wrong with a text", function()
    local value, why = json.decode "{"
    assert.is_nil(value)
    assert.equal("string", type(why))
  end)
end)
