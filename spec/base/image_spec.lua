--- src/base/image.c: format, width and height from an image's first bytes.

local pure = require "pure"

-- A reader over a text, which notes what it was asked. Options: `piece`, the
-- most bytes it gives at a time; `fails_at`, the offset from which it can't
-- be read; `length`, a file longer than the text, zeros at its end.
local function reader(text, options)
  options = options or {}
  local asked = { reads = 0, bytes = 0 }
  local total = options.length or #text
  return function(offset, length)
    asked.reads, asked.bytes = asked.reads + 1, asked.bytes + length
    if options.fails_at and offset >= options.fails_at then
      return nil
    end
    length = math.max(0, math.min(length, options.piece or length, total - offset))
    local piece = text:sub(offset + 1, offset + length)
    return piece .. ("\0"):rep(length - #piece)
  end, asked
end

local function read(text, options)
  return pure.image((reader(text, options)))
end

local function assert_size(width, height, text, options)
  assert.same({ "ok", width, height }, { read(text, options) })
end

local function assert_result(expected, text, options)
  assert.same({ expected, 0, 0 }, { read(text, options) })
end

local function segment(marker, payload)
  return "\xFF" .. string.char(marker)
    .. string.pack(">I2", #payload + 2) .. payload
end

local function frame(marker, width, height)
  return segment(marker, string.pack(">BI2I2B", 8, height, width, 3) .. ("\1\17\0"):rep(3))
end

local SOI = "\xFF\xD8"
local JFIF = segment(0xE0, "JFIF\0\1\1\0\0\1\0\1\0\0")
local DQT = segment(0xDB, ("\1"):rep(65))
local SCAN = segment(0xDA, "\1\1\0\0\63\0") .. "pixels" .. "\xFF\xD9"

local function jpeg(width, height, before)
  return SOI .. JFIF .. (before or "") .. DQT .. frame(0xC0, width, height) .. SCAN
end

local function png(width, height)
  return "\x89PNG\r\n\26\n" .. string.pack(">I4", 13) .. "IHDR"
    .. string.pack(">I4I4", width, height) .. "\8\6\0\0\0" .. "\0\0\0\0"
end

local function webp(chunk, payload)
  local body = "WEBP" .. chunk .. string.pack("<s4", payload)
  return "RIFF" .. string.pack("<s4", body)
end

local function vp8(width, height)
  return webp("VP8 ", "\x30\1\0\x9D\1\x2A" .. string.pack("<I2I2", width, height) .. "pixels")
end

local function vp8l(width, height)
  return webp("VP8L", "\x2F" .. string.pack("<I4", width - 1 | height - 1 << 14) .. "pixels")
end

local function vp8x(width, height)
  return webp("VP8X", "\16\0\0\0" .. string.pack("<I3I3", width - 1, height - 1))
end

describe("image", function()
  it("reads the size of a JPEG, baseline, progressive and the rest", function()
    assert_size(640, 480, jpeg(640, 480))
    assert_size(65535, 1, jpeg(65535, 1))
    for marker = 0xC0, 0xCF do
      local text = SOI .. JFIF .. frame(marker, 640, 480) .. SCAN
      if marker == 0xC4 or marker == 0xC8 or marker == 0xCC then
        assert_result("broken", text)
      else
        assert_size(640, 480, text)
      end
    end
  end)

  it("reads the size of a PNG", function()
    assert_size(1920, 1080, png(1920, 1080))
    assert_size(2 ^ 31 - 1, 1, png(2 ^ 31 - 1, 1))
  end)

  it("reads the size of each kind of WebP", function()
    assert_size(550, 368, vp8(550, 368))
    assert_size(16383, 16383, vp8(16383, 16383))
    assert_size(550, 368, vp8(550 | 1 << 14, 368 | 3 << 14)) -- with scaling bits
    assert_size(386, 395, vp8l(386, 395))
    assert_size(16384, 16384, vp8l(16384, 16384))
    assert_size(1, 16384, vp8l(1, 16384))
    assert_size(400, 301, vp8x(400, 301))
    assert_size(1 << 24, 1 << 24, vp8x(1 << 24, 1 << 24))
  end)

  it("passes over APPn segments of 64 KB, thumbnails and all", function()
    local thumbnail = segment(0xE1, "Exif\0\0" .. jpeg(160, 120))
    local profiles = {}
    for number = 1, 12 do
      profiles[number] = segment(0xE2, "ICC_PROFILE\0" .. ("\xFF\xC0"):rep(32760))
    end
    local text = jpeg(3000, 2000, thumbnail .. table.concat(profiles))
    assert_size(3000, 2000, text)
    local source, asked = reader(text)
    assert.equal("ok", (pure.image(source)))
    assert.is_true(asked.bytes < #text / 4, asked.bytes .. " bytes read of " .. #text)
  end)

  it("takes fill bytes, stray bytes and markers without length", function()
    assert_size(640, 480, jpeg(640, 480, ("\xFF"):rep(5000)))
    assert_size(640, 480, jpeg(640, 480, "\xFF\x01\xFF\xD0\xFF\xD7"))
    assert_size(640, 480, jpeg(640, 480, "stray\xFF\0bytes\0"))
    assert_size(640, 480, jpeg(640, 480, segment(0xFE, "")))
  end)

  it("gives the same through a reader that gives a byte at a time", function()
    for _, text in ipairs {
      jpeg(640, 480, ("\xFF"):rep(50)), png(640, 480), vp8(640, 480), vp8l(640, 480),
      vp8x(640, 480),
    } do
      assert_size(640, 480, text, { piece = 1 })
      assert_size(640, 480, text, { piece = 7 })
    end
  end)

  it("finds an image without a size broken", function()
    for _, text in ipairs {
      jpeg(0, 480), jpeg(640, 0), png(0, 480), png(640, 0), png(2 ^ 31, 1), png(1, 2 ^ 32 - 1),
      vp8(0, 480), vp8(640, 1 << 14), SOI .. JFIF .. SCAN, SOI .. JFIF .. "\xFF\xD9",
      SOI .. JFIF .. jpeg(640, 480), SOI .. segment(0xC0, "\8\1\0\1\0"),
      SOI .. "\xFF\xE0\0\0" .. frame(0xC0, 640, 480), SOI .. "\xFF\xE0\0\1",
    } do
      assert_result("broken", text)
    end
  end)

  it("finds broken what only begins like an image", function()
    assert_result("broken", (png(640, 480):gsub("IHDR", "IDAT")))
    assert_result("broken", (png(640, 480):gsub("\0\0\0\13", "\0\0\0\12", 1)))
    assert_result("broken", webp("ANIM", ("\0"):rep(20)))
    assert_result("broken", webp("VP8 ", "\x31\1\0\x9D\1\x2A" .. ("\1"):rep(20))) -- no key frame
    assert_result("broken", webp("VP8 ", "\x30\1\0\x9D\1\x2B" .. ("\1"):rep(20)))
    assert_result("broken", webp("VP8L", "\x2E" .. ("\1"):rep(20)))
  end)

  it("finds every cut of an image unknown or broken, never of another size", function()
    for _, text in ipairs { jpeg(640, 480), png(640, 480), vp8(640, 480), vp8l(640, 480),
      vp8x(640, 480) } do
      local before
      for length = 0, #text do
        local result, width, height = read(text:sub(1, length))
        if result == "ok" then
          assert.same({ 640, 480 }, { width, height })
        else
          assert.is_true(result == "unknown" or result == "broken")
          assert.is_true(before ~= "ok")
        end
        before = result
      end
      assert.equal("ok", before)
    end
  end)

  it("does not know what is no image", function()
    for _, text in ipairs {
      "", "\xFF", "\xFF\xD8", "GIF89a" .. ("\0"):rep(100), "<svg/>",
      "\x89PNG\r\n\26\r" .. ("\0"):rep(20), "RIFF\0\0\0\0WAVE" .. ("\0"):rep(100),
      ("\0"):rep(10000), "\xFF\xD8\0\xFF\xC0",
    } do
      assert_result("unknown", text)
    end
  end)

  it("tells a file that can't be read from a broken one, wherever it fails", function()
    local text = jpeg(640, 480, segment(0xE1, ("x"):rep(60000)))
    for _, at in ipairs { 0, 1, 2, 4096, 60000 } do
      assert_result("unreadable", text, { fails_at = at, piece = 1000 })
    end
    assert_result("unreadable", png(640, 480), { fails_at = 0 })
    assert_result("unreadable", vp8x(640, 480), { fails_at = 5, piece = 5 })
  end)

  it("gives up in bounded work, whatever the file holds", function()
    local source, asked = reader(jpeg(640, 480, ("\xFF\xFE\0\2"):rep(20000)))
    assert.equal("broken", (pure.image(source)))
    assert.is_true(asked.bytes < 100000)
    -- a hundred times 64 MB of zeros where a marker should be
    source, asked = reader(SOI .. "\xFF\0", { length = 100 << 26 })
    assert.equal("broken", (pure.image(source)))
    assert.is_true(asked.bytes < 80 << 20)
    -- the longest segments, one after the other without end
    local calls = 0
    assert.equal("broken", (pure.image(function(offset, length)
      calls = calls + 1
      return offset == 0 and ("\xFF\xD8" .. ("\xFF"):rep(length)):sub(1, length)
        or ("\xFF"):rep(length - 1) .. "\xE1"
    end)))
    assert.is_true(calls < 50000, calls .. " calls")
  end)
end)

describe("image tells whether a file holds the whole of", function()
  local picture = require "spec.support.picture"

  local function whole(text, options)
    return pure.image_whole(reader(text, options), #text)
  end

  -- Cut anywhere it is not whole; whatever follows it still is.
  local function assert_cuts(text, ending)
    assert.equal("ok", whole(text))
    assert.equal("ok", whole(text, { piece = 1 }))
    for cut = 1, #text - (ending or 1) do
      assert.equal("broken", whole(text:sub(1, cut)), cut)
    end
    for _, more in ipairs { "\0", ("\0"):rep(5000), text, "\xFF" } do
      assert.equal("ok", whole(text .. more))
    end
  end

  it("a JPEG: an end marker after the scan, and not its thumbnail's", function()
    assert_cuts(picture.jpeg(640, 480))
    assert_cuts(jpeg(640, 480))
    assert.equal("broken", whole(SOI .. JFIF .. frame(0xC0, 640, 480) .. "\xFF\xD9"))
    -- A progressive one has many scans; its marker may lie across two windows.
    for filler = 4000, 4200 do
      local scans = SCAN:sub(1, -3) .. DQT .. segment(0xDA, "") .. ("x"):rep(filler)
        .. "\xFF\xFF\xD9"
      assert.equal("ok", whole(SOI .. frame(0xC2, 640, 480) .. scans))
      assert.equal("broken", whole((SOI .. frame(0xC2, 640, 480) .. scans):sub(1, -2)))
    end
  end)

  it("a PNG: all chunks up to IEND, data among them", function()
    assert_cuts(picture.png())
    assert.equal("broken", whole(png(640, 480)))
    assert.equal("broken", whole(png(640, 480) .. "\0\0\0\0IEND\0\0\0\0"))
    local long = picture.png():gsub("\0\0\0\6IDAT", "\xFF\xFF\xFF\xFFIDAT")
    assert.equal("broken", whole(long))
  end)

  it("a WebP: as long as it says, with a picture in it", function()
    assert_cuts(picture.webp(640, 480))
    assert.equal("ok", whole(webp("VP8 ", "pixels")))
    assert.equal("ok", whole(webp("VP8L", "pixel")))
    assert.equal("broken", whole(webp("VP8X", ("\0"):rep(10))))
    local animated = "WEBPVP8X" .. string.pack("<s4", ("\0"):rep(10)) .. "ANIM"
      .. string.pack("<s4", "five!") .. "\0ANMF" .. string.pack("<s4", "a frame")
    assert.equal("ok", whole("RIFF" .. string.pack("<s4", animated)))
  end)

  it("none of what is no image, or can't be read", function()
    for _, text in ipairs { "", "GIF89a", "<html>" } do
      assert.equal("broken", whole(text))
    end
    assert.equal("unreadable", whole(picture.jpeg(640, 480), { fails_at = 0 }))
  end)

  it("20 MB in few reads of a window", function()
    local text = picture.jpeg(640, 480):sub(1, -3)
    local pieces, asked = reader(text, { length = 20 << 20 })
    assert.equal("broken", pure.image_whole(pieces, 20 << 20))
    assert.is_true(asked.bytes < 21 << 20)
  end)
end)
