--- src/base/number.c: numbers as text. (With other locales: stories/locale_spec.lua.)

local pure = require "pure"

describe("a number", function()
  it("is written in the fewest digits that read the same", function()
    for number, text in pairs {
      [0.5] = "0.5", [1 / 3] = "0.33333333333333331", [0.1 + 0.2] = "0.30000000000000004",
      [6.0] = "6", [-2.5e-10] = "-2.5e-10", [1e300] = "1e+300", [2.0 ^ 53 + 2] = "9007199254740994",
      [5e-324] = "4.9406564584125e-324", [1.7976931348623157e308] = "1.7976931348623157e+308",
    } do
      assert.equal(text, pure.write_number(number))
      assert.equal(number, pure.read_number(text))
    end
  end)

  it("that is whole is expanded to its digits, however it is written", function()
    for json, text in pairs {
      ["0"] = "0", ["-0"] = "0", ["0.000"] = "0", ["0e9999999999999999999"] = "0", ["7"] = "7",
      ["4.01047179385389059E+17"] = "401047179385389059", ["-12.50e1"] = "-125",
      ["1920.0"] = "1920",
      ["40104717938538905900e-2"] = "401047179385389059", ["1e3"] = "1000", ["100e-2"] = "1",
      ["0.0012e4"] = "12", ["1e29"] = "1" .. ("0"):rep(29), ["-0.5e1"] = "-5",
    } do
      assert.equal(text, pure.expand_number(json), json)
    end
  end)

  it("that is not whole, or has too many digits, is not", function()
    for _, json in ipairs {
      "1.5", "15e-1", "0.1", "1e-1", "1e31", "1e99999999999999999999", "1e-99999999999999999999",
      ("9"):rep(33), "1" .. ("0"):rep(40),
    } do
      assert.is_nil(pure.expand_number(json), json)
    end
  end)
end)
