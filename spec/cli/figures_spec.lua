-- Bars, sizes and times of the command line.

local figures = require "minimax.cli.figures"

describe("a bar", function()
  it("fills with the fraction, and never runs over", function()
    assert.equal("[----------]", figures.bar(0, 12))
    assert.equal("[#####-----]", figures.bar(0.5, 12))
    assert.equal("[#########-]", figures.bar(0.999, 12))
    assert.equal("[##########]", figures.bar(1, 12))
    assert.equal("[##########]", figures.bar(1.7, 12))
  end)

  it("has a block that walks to and fro where the end is not known", function()
    local seen = {}
    for beat = 0, 12 do
      seen[#seen + 1] = figures.bar(nil, 12, beat):find("####", 1, true)
      assert.equal(12, #figures.bar(nil, 12, beat))
    end
    assert.same({ 2, 3, 4, 5, 6, 7, 8, 7, 6, 5, 4, 3, 2 }, seen)
  end)
end)

describe("a size", function()
  for bytes, text in pairs {
    [0] = "0 B", [999] = "999 B", [1000] = "1.0 kB", [1294] = "1.3 kB", [999949] = "999.9 kB",
    [999950] = "1.0 MB", [2 ^ 30] = "1.1 GB", [5e15] = "5000.0 TB",
  } do
    it("of " .. bytes .. " bytes is " .. text, function()
      assert.equal(text, figures.size(bytes))
    end)
  end
end)

describe("a clock", function()
  it("shows minutes and seconds, and hours from the first on", function()
    assert.equal("0:00", figures.clock(0))
    assert.equal("0:09", figures.clock(9.8))
    assert.equal("59:59", figures.clock(3599))
    assert.equal("1:00:00", figures.clock(3600))
  end)
end)

describe("a transfer", function()
  it("shows its share, its bytes and its speed", function()
    assert.equal("[#####-----]  50 %  1.0 MB of 2.0 MB  250.0 kB/s",
      figures.transfer(1000000, 2000000, 2, 500000, 12))
  end)

  it("shows no share where the size is not known, and no speed in the first second", function()
    assert.equal("[####------]  1.0 MB", figures.transfer(1000000, nil, 0, 1000000, 12))
    assert.equal("[####------]  0 B", figures.transfer(0, 0, 0, 0, 12))
  end)
end)
