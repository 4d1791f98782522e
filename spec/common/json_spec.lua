-- JSON that loses nothing, as the ledger keeps it and JSON Lines are read.

local json = require "minimax.common.json"

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

  it("writes links without a backslash", function()
    assert.equal([["https://a.io/b"]], json.encode "https://a.io/b")
    assert.equal([["\\/ \\\\/ \"/"]], json.encode [[\/ \\/ "/]])
  end)

  it("writes the members of an object in one order", function()
    assert.equal('{"a":1,"b":[{"c":true,"d":null}]}',
      round '{ "b": [{"d":null,"c":true}], "a": 1 }')
  end)

  it("tells an empty list from an empty object", function()
    assert.equal('{"a":[],"b":{},"c":[{},[]]}', round '{"c":[{},[ \n]],"b":{ },"a":[]}')
    local given = json.decode '["[]",[]]'
    assert.same({ "[]", false, true },
      { given[1], json.is_empty_list { 1 }, json.is_empty_list(given[2]) })
    given[2][1] = 7
    assert.equal('["[]",[7]]', json.encode(given))
  end)

  it("reads every escape, and writes what needs one", function()
    assert.equal("\1\t\"\\/\n\127ä😀\b\f\r",
      json.decode '"\\u0001\\t\\"\\\\\\/\\n\\u007f\\u00e4\\ud83d\\ude00\\b\\f\\r"')
    for _, text in ipairs { "", '\\"', "\1\t\n\127ä😀/", "a\\", ("ä\"/"):rep(50000) } do
      assert.equal(text, json.decode((json.encode(text))))
    end
  end)

  it("takes no string for what lua-cjson would spoil", function()
    for _, text in ipairs { "393769180141805569", "[]", '\\"[]', "\127393769180141805569" } do
      local given = { text, { [text] = text } }
      assert.same(given, json.decode((json.encode(given))))
    end
  end)

  for text, why in pairs {
    [""] = "Expected value but found the end at character 1",
    ["[1,]"] = "Expected value but found ']' at character 4",
    ['{"a":[],"b" 1}'] = "Expected colon but found a number at character 13",
    ["{a:1}"] = "Expected object key string but found invalid token at character 2",
    ["{1234567890123456:1}"] = "Expected object key string but found a number at character 2",
    ["[1234567890123456x]"] =
      "Expected comma or array end but found invalid token at character 18",
    ['{"a" {'] = "Expected colon but found '{' at character 6",
    ['{"a" "b"}'] = "Expected colon but found a string at character 6",
    ['{"a":}'] = "Expected value but found '}' at character 6",
    ["[1 [2]]"] = "Expected comma or array end but found '[' at character 4",
    ["[1:2]"] = "Expected comma or array end but found a colon at character 3",
    ["{,}"] = "Expected object key string but found a comma at character 2",
    ["[1 null]"] = "Expected comma or array end but found null at character 4",
    ["[1 true]"] = "Expected comma or array end but found a boolean at character 4",
    ['"abc'] = "Expected value but found unexpected end of string at character 5",
    ['"\\ud800"'] = "Expected value but found invalid unicode escape code at character 2",
    ["01"] = "Expected value but found invalid number at character 1",
    ["{} x"] = "Expected the end but found invalid token at character 4",
    ["{}\0"] = "it holds a NUL byte",
    ['"\xff"'] = "it is not valid UTF-8",
    ["[1e999]"] = "a number that is too large",
    ["[9223372036854775808]"] = "an integer of more than 64 bits; write it as a string",
    ["[-9223372036854775809]"] = "an integer of more than 64 bits; write it as a string",
    [("["):rep(70)] = "Found too many nested data structures (61) at character 61",
  } do
    it("says what is wrong with " .. text:sub(1, 20):gsub("[%s%z]", " "), function()
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

  it("leaves the settings of the host's lua-cjson alone", function()
    local cjson = require "cjson"
    assert.equal(9007199254740993, json.decode "9007199254740993")
    assert.is_false(json.is_empty_list(cjson.decode "[]"))
    assert.equal(1000, cjson.decode_max_depth())
  end)
end)
