-- JSON that loses nothing, as the ledger keeps it and JSON Lines are read.

local json = require "minimax.batch.json"

local function round(text)
  return json.encode(assert(json.decode(text)))
end

describe("reading and writing JSON", function()
  it("keeps every digit of an integer, also as an id of 18 digits", function()
    for _, digits in ipairs { "0", "-1", "393769180141805569", "9223372036854775807",
      "-9223372036854775808" } do
      assert.equal(digits, round(digits))
    end
  end)

  it("keeps floats exactly, and writes a whole one as the client sends it", function()
    for _, number in ipairs { 0.1, 1 / 3, -2.5e-300, 1e15 + 0.5 } do
      assert.equal(number, json.decode((json.encode(number))))
    end
    assert.equal("6", json.encode(6.0))
    assert.equal("6", round "6.0")
  end)

  it("writes the members of an object in one order", function()
    assert.equal('{"a":1,"b":[{"c":true,"d":null}]}',
      round '{ "b": [{"d":null,"c":true}], "a": 1 }')
  end)

  it("reads every escape, and writes what needs one", function()
    assert.equal('"\\u0001\\t\\"\\\\/\\n\\u007fä😀"',
      round '"\\u0001\\t\\"\\\\\\/\\n\\u007f\\u00e4\\ud83d\\ude00"')
    assert.equal("\b\f\r", json.decode '"\\b\\f\\r"')
  end)

  for text, why in pairs {
    [""] = "a value is expected (at character 1)",
    ["[1,]"] = "a value is expected (at character 4)",
    ["[1 2]"] = "',' or ']' is expected (at character 4)",
    ['{"a" 1}'] = "':' is expected (at character 6)",
    ['{"a":1 "b":2}'] = "',' or '}' is expected (at character 8)",
    ["{a:1}"] = "a name in quotes is expected (at character 2)",
    ['{"a":1,"a":2}'] = '"a" stands there twice (at character 8)',
    ['"abc'] = "a string without an end (at character 1)",
    ['"a\nb"'] = "a control character in a string (at character 3)",
    ['"\\x"'] = "an unknown escape (at character 2)",
    ['"\\u12g4"'] = "\\u wants four digits (at character 4)",
    ['"\\ud800"'] = "half of a surrogate pair (at character 2)",
    ['"\\ud800\\u0041"'] = "half of a surrogate pair (at character 2)",
    ["01"] = "a malformed number (at character 1)",
    ["1."] = "a malformed number (at character 1)",
    ["-"] = "a value is expected (at character 1)",
    ["1e999"] = "a number that is too large (at character 1)",
    ["9223372036854775808"] =
      "an integer of more than 64 bits; write it as a string (at character 1)",
    ["nul"] = "a value is expected (at character 1)",
    ["{} x"] = "something follows the value (at character 4)",
    ['"\xff"'] = "it is not valid UTF-8 (at character 2)",
    [("["):rep(70)] = "it is nested too deep (at character 61)",
  } do
    it("says what is wrong with " .. text:sub(1, 20):gsub("%s", " "), function()
      assert.same({ nil, why }, { json.decode(text) })
    end)
  end

  it("says what can't be written, and where", function()
    local loop = {}
    loop.again = loop
    for _, case in ipairs {
      { { a = { b = { 1, print } } }, "a function", "a.b[2]" },
      { { 0 / 0 }, "a number that is not finite", "[1]" },
      { { { 1, nil, 3 } }, "a table that is neither a list nor an object", "[1]" },
      { { [true] = 1 }, "a boolean as a name", nil },
      { { x = "\xff" }, "text that is not valid UTF-8", "x" },
      { { x = "a\0b" }, "text with a NUL byte", "x" },
    } do
      local text, why, where = json.encode(case[1])
      assert.same({ nil, case[2], case[3] }, { text, why, where })
    end
    assert.matches("nested too deep", select(2, json.encode(loop)))
  end)
end)
