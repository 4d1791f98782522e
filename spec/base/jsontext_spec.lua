--- src/base/jsontext.c: what JSON text needs before lua-cjson may see it.

local pure = require "pure"

local MARK = "\127"

-- What the text becomes: itself where nothing was marked.
local function marked(text)
  local result, out = pure.mark_json(text)
  if result == "same" then
    assert.is_nil(out)
    return text
  end
  assert.equal("marked", result)
  return out
end

local function assert_same(text)
  assert.equal(text, marked(text))
end

describe("jsontext marks numbers", function()
  local function quoted(number)
    return '"' .. MARK .. number .. '"'
  end

  it("in objects, lists and alone", function()
    for _, number in ipairs { "401047179385389059", "7", "-0.5e+3" } do
      for _, frame in ipairs {
        '{"task_id":%s}', '{ "task_id" : %s , "a": true }', "[%s]", "[null, %s]", "[%s ,%s]", "%s",
        "\t%s\r\n", '{"a":{"b":[%s]},"c":%s}',
      } do
        local text = frame:gsub("%%s", number)
        assert.equal((frame:gsub("%%s", quoted(number))), marked(text))
      end
    end
  end)

  it("of every length, with their signs", function()
    for digits = 1, 40 do
      for _, sign in ipairs { "", "-" } do
        local number = sign .. ("9"):rep(digits)
        assert.equal("[" .. quoted(number) .. "]", marked("[" .. number .. "]"))
      end
    end
  end)

  it("of every form that JSON has", function()
    for _, number in ipairs {
      "0", "-0", "0.0", "10", "1234567890123456789.5", "1.2345678901234567890",
      "12345678901234567890e3", "12345678901234567890E-3", "1e12345678901234567890", "1E+05",
      "-0.25e00", "1e999",
    } do
      assert.equal("[" .. quoted(number) .. "]", marked("[" .. number .. "]"))
    end
  end)

  it("and makes errors of what is none, which some parsers take for some", function()
    for _, number in ipairs {
      "01", "-01", "1.", "-", "--1", "+1", ".5", "-.5", "1e", "1e+", "1.e3", "0x1F", "1x", "1.5.2",
      "1-1", "0401047179385389059", "1_", "1e5e5", "-Infinit", "00",
    } do
      assert.equal("[" .. MARK .. number .. "]", marked("[" .. number .. "]"))
    end
  end)

  it("and nothing inside strings, whatever they hold", function()
    for _, text in ipairs {
      '{"a":"401047179385389059"}', '{"401047179385389059":true}',
      [[["\"401047179385389059,"]\]], [[{"a":"x\\","b":"[401047179385389059]"}]],
      [[["\\\"", "401047179385389059"] ]], '["', [["\\]], '["401047179385389059',
    } do
      assert_same(text)
    end
    assert.equal([[["\\","]] .. MARK .. [[401047179385389059"]\]],
      marked([[["\\",401047179385389059]\]]))
  end)

  it("never so that bad JSON becomes good", function()
    for _, text in ipairs {
      "[x401047179385389059]", "{401047179385389059:true}", "{1.5 : true}",
      '[401047179385389059"a"]', "[1.5 true]", "{NaN:true}", "[NaN true]", "[nanx]", "[Inf]",
    } do
      assert_same(text)
    end
  end)

  it("and leaves what else there is as it was", function()
    for _, text in ipairs { "", " ", "null", "{}", "<html>", "[true]", ("["):rep(1000) } do
      assert_same(text)
    end
  end)

  it("and marks twice what is so marked already, unless it is a name", function()
    for text, expected in pairs {
      ['["\127"]'] = '["\127\127"]', ['{"a":"\127\0495"}'] = '{"a":"\127\127\0495"}',
      ['["\\u007f5"]'] = '["\127\\u007f5"]', ['"\\u007F"'] = '"\127\\u007F"',
    } do
      assert.equal(expected, marked(text))
    end
    for _, text in ipairs { '{"\1275":true}', '{"\\u007f" : true}', '["a\127"]', '["\127' } do
      assert_same(text)
    end
  end)

  it("among a thousand others", function()
    local given, expected = {}, {}
    for at = 1, 1000 do
      local number = tostring(400000000000000000 + at)
      given[at] = at % 2 == 0 and number or '"' .. number .. '"'
      expected[at] = at % 2 == 0 and '"' .. MARK .. number .. '"' or '"' .. number .. '"'
    end
    assert.equal("[" .. table.concat(expected, ", ") .. "]",
      marked("[" .. table.concat(given, ", ") .. "]"))
  end)

  it("and empty lists, wherever they stand", function()
    for text, expected in pairs {
      ["[]"] = '["\127"]', ["[ \n\t]"] = '[ \n\t"\127"]', ['{"a":[],"b":[[],{}]}'] =
        '{"a":["\127"],"b":[["\127"],{}]}',
      ["[[],401047179385389059]"] = '[["\127"],"\127401047179385389059"]',
    } do
      assert.equal(expected, marked(text))
    end
    for _, text in ipairs { "[", "[ ", "[true]", '"[]"', '["[]"]', "[,]", "[\v]" } do
      assert_same(text)
    end
  end)

  it("and refuses a NUL byte between values", function()
    for _, text in ipairs { "{}\0garbage", "{\0}", "[401047179385389059,\0]", "\0{}" } do
      assert.equal("nul", (pure.mark_json(text)))
    end
  end)
end)

describe("jsontext mends", function()
  local REPLACEMENT = "\u{FFFD}"

  -- Frames that put a string where it may stand.
  local function each_string(odd, sound)
    for _, frame in ipairs { '"%s"', '{"%s":true}', '{"a":"%s","b":"x"}', '["a%sz"]', '["%s' } do
      local function framed(text) return (frame:gsub("%%s", function() return text end)) end
      assert.equal(framed(sound), marked(framed(odd)))
    end
  end

  it("half of a surrogate pair", function()
    for odd, sound in pairs {
      ["\\ud83e"] = REPLACEMENT, ["\\uDE81"] = REPLACEMENT,
      ["\\ud83e\\ud83e\\udd81"] = REPLACEMENT .. "\\ud83e\\udd81",
      ["\\udd81\\ud83e"] = REPLACEMENT .. REPLACEMENT, ["\\ud83ex"] = REPLACEMENT .. "x",
      ["\\ud83e\\n"] = REPLACEMENT .. "\\n", ["\\ud83e\\u0041"] = REPLACEMENT .. "\\u0041",
    } do
      each_string(odd, sound)
    end
  end)

  it("what is no UTF-8, byte by byte, and NUL, which would end a text", function()
    for odd, sound in pairs {
      ["\xFF"] = REPLACEMENT, ["\xC3"] = REPLACEMENT, ["L\xF6we"] = "L" .. REPLACEMENT .. "we",
      ["\xED\xA0\x80"] = REPLACEMENT:rep(3), ["é\x80狮"] = "é" .. REPLACEMENT .. "狮",
      ["\0"] = REPLACEMENT, ["\\u0000"] = REPLACEMENT,
    } do
      each_string(odd, sound)
    end
  end)

  it("a backslash that escapes nothing", function()
    for odd, sound in pairs {
      ["C:\\x"] = "C:\\\\x", ["\\u12"] = "\\\\u12", ["\\u12G4"] = "\\\\u12G4", ["\\'"] = "\\\\'",
      ["\\é"] = "\\\\é",
    } do
      each_string(odd, sound)
    end
  end)

  it("numbers that are none, as some writers have them", function()
    for _, word in ipairs { "NaN", "nan", "Infinity", "-Infinity", "inf", "-inf" } do
      assert.equal('{"a":null, "b":[null]}', marked(('{"a":%s, "b":[%s]}'):format(word, word)))
      assert_same('{"a":"' .. word .. '"}')
    end
  end)

  it("what stands before and behind a text", function()
    assert.equal('{"a":true}', marked('\u{FEFF}{"a":true}'))
    assert_same('{"a":"\u{FEFF}"}')
    for _, rest in ipairs { "\0", "\0\0\0", "\0\n", "\n\0" } do
      assert.equal('{"a":true}' .. rest:match "^\n*", marked('{"a":true}' .. rest))
    end
    assert.equal("", marked "\0\0")
  end)

  it("and leaves each sound string, and each control character, as it was", function()
    for _, text in ipairs {
      [["\ud83e\udd81 \\ud83e \\\\ud83e \" \/ \b\f\n\r\t \u00e9"]], '"a\1\nb\127"', '"狮子🦁"',
      '"\u{10FFFF}"',
    } do
      assert_same(text)
    end
  end)
end)

describe("jsontext checks UTF-8", function()
  it("and takes every code point that may be written", function()
    for point = 0, 0x10FFFF, 7 do
      if point < 0xD800 or point > 0xDFFF then
        assert(not pure.utf8_error(utf8.char(point)), point)
      end
    end
    for _, point in ipairs {
      0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF,
    } do
      assert.is_nil(pure.utf8_error("a" .. utf8.char(point) .. "z"))
    end
  end)

  it("and tells where the first bad byte is", function()
    local bad = {
      "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2a", "\xC2\xC2", "\xE0\x9F\xBF",
      "\xE0\xA0", "\xE2\x82a", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF",
      "\xF0\x90\x80", "\xF1\x80\x80a", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF",
    }
    for _, bytes in ipairs(bad) do
      assert.equal(0, pure.utf8_error(bytes))
      assert.equal(6, pure.utf8_error("aé€" .. bytes .. "z"))
    end
  end)

  it("as Lua's own utf8.len does, for all pairs and many longer runs", function()
    local function agree(text)
      local length, at = utf8.len(text)
      if (pure.utf8_error(text)) ~= (not length and at - 1 or nil) then
        error(("they differ about %q"):format(text))
      end
    end
    for first = 0, 255 do
      for second = 0, 255 do
        agree(string.char(first, second))
      end
    end
    local state = 9
    for _ = 1, 5000 do
      local random
      random, state = pure.retry_random(state)
      agree(string.pack("<I8", random | 0x8080808080808080))
      agree(string.pack("<I8", random))
    end
  end)
end)

describe("jsontext counts values", function()
  it("with the names of fields, outside strings", function()
    for text, count in pairs {
      ["1"] = 1, ["[]"] = 1, ["[1,2]"] = 3, ['{"a":1}'] = 3, ['{"a":{},"b":[null,true]}'] = 7,
      ['"[1,2,{}]"'] = 1, [" "] = 0, ['["\\"[[[",1]'] = 3, ["[[[[["] = 5, ["NaN"] = 1,
    } do
      assert.not_equal("too many", (pure.mark_json(text, count)), text)
      if count > 0 then
        assert.equal("too many", (pure.mark_json(text, count - 1)), text)
      end
    end
  end)
end)
