--- src/base/mp4.c: walks the top-level boxes of an MP4 as its bytes arrive.

local pure = require "pure"

local function box(kind, payload)
  return string.pack(">I4", #payload + 8) .. kind .. payload
end

local function large_box(kind, payload)
  return string.pack(">I4", 1) .. kind .. string.pack(">I8", #payload + 16) .. payload
end

local FTYP = box("ftyp", "isom\0\0\2\0isomiso2avc1mp41")
local REST = box("moov", "") .. box("mdat", "pixels") -- what makes a video of an ftyp
local VIDEO = FTYP .. box("free", "") .. box("mdat", ("x"):rep(300)) .. box("moov", ("y"):rep(200))

-- Feeds a text by pieces; returns the walk and whether all went in.
local function fed(text, piece)
  local walk, sound = pure.mp4(), true
  piece = piece or 1000
  for at = 1, #text, piece do
    sound = walk:feed(text:sub(at, at + piece - 1))
  end
  return walk, sound
end

local function assert_video(text)
  for _, piece in ipairs { 1, 3, 7, 16, 1000 } do
    local walk, sound = fed(text, piece)
    assert.is_true(sound and walk:begun() and walk:ended(), "pieces of " .. piece)
  end
end

local function assert_bad(text)
  for _, piece in ipairs { 1, 5, 1000 } do
    local walk, sound = fed(text, piece)
    assert.is_false(sound, "pieces of " .. piece)
    assert.is_false(walk:ended())
    assert.is_false(walk:feed(VIDEO)) -- and stays so
  end
end

describe("mp4", function()
  it("takes a video, in pieces of any size", function()
    assert_video(VIDEO)
    assert_video(FTYP .. large_box("mdat", ("x"):rep(100)) .. box("moov", ""))
    assert_video(FTYP .. REST .. box("\xA9nam", "") .. box("uuid", ("u"):rep(16)))
    assert_video(FTYP .. box("moof", "") .. box("mdat", "pixels"))
  end)

  it("takes nothing for a video that lacks tracks or pixels", function()
    for _, text in ipairs { FTYP, FTYP .. box("moov", "tracks"), FTYP .. box("mdat", "pixels"),
      FTYP .. box("moof", ""), FTYP .. box("free", box("moov", "") .. box("mdat", "")),
      FTYP .. "\0\0\0\0moov" .. box("mdat", "") } do
      local walk, sound = fed(text)
      assert.is_true(sound)
      assert.is_false(walk:ended())
    end
  end)

  it("takes a last box that runs to the end of the file", function()
    assert_video(FTYP .. box("moov", "") .. "\0\0\0\0mdat")
    assert_video(FTYP .. box("moov", "") .. "\0\0\0\0mdat" .. ("\0"):rep(500))
  end)

  it("has neither begun nor ended before the first header is whole", function()
    for length = 0, 7 do
      local walk, sound = fed(VIDEO:sub(1, length))
      assert.is_true(sound)
      assert.is_false(walk:begun() or walk:ended())
    end
    assert.is_true(fed(VIDEO:sub(1, 8)):begun())
  end)

  it("has ended exactly where a box ends", function()
    local longer = VIDEO .. box("free", "padding")
    for length = 0, #longer do
      assert.equal(length == #VIDEO or length == #longer,
        fed(longer:sub(1, length)):ended(), length)
    end
    assert.is_false(fed(VIDEO .. "\0"):ended())
  end)

  it("refuses what does not begin with ftyp", function()
    for _, text in ipairs {
      "<html><body>403 Forbidden</body></html>", '{"base_resp":{"status_code":1004}}',
      "\xFF\xD8\xFF\xE0\0\16JFIF\0\1", ("\0"):rep(100), box("moov", "") .. FTYP,
      box("FTYP", "isom\0\0\2\0"), "#EXTM3U\n#EXT-X-VERSION:3\n",
    } do
      assert_bad(text)
      assert.is_false(fed(text):begun())
    end
  end)

  it("refuses an ftyp that is too short, or would be all of the file", function()
    for size = 2, 15 do
      assert_bad(string.pack(">I4", size) .. "ftypisom\0\0\2\0")
    end
    assert_bad("\0\0\0\0ftypisom\0\0\2\0")
    assert_video(box("ftyp", "isom\0\0\2\0") .. REST)
    assert_video(large_box("ftyp", "isom\0\0\2\0") .. REST)
  end)

  it("refuses headers that are not sound", function()
    for size = 2, 7 do
      assert_bad(FTYP .. string.pack(">I4", size) .. "mdat")
    end
    for size = 0, 15 do
      assert_bad(FTYP .. "\0\0\0\1mdat" .. string.pack(">I8", size))
    end
    for _, kind in ipairs { "\0\0\0\0", "mda\0", "\31dat", "mda\127", "\xFFdat", "md\xA8t" } do
      assert_bad(FTYP .. box(kind, ""))
    end
    assert_bad(FTYP .. box("uuid", ("u"):rep(15)))
    assert_bad(VIDEO .. "<p>\n404\n</p>")
    assert.is_false(fed(VIDEO .. "<html>error</html>"):ended())
  end)

  it("walks a box of 64-bit size without wrapping around", function()
    local walk = fed(FTYP .. box("moov", "") .. "\0\0\0\1mdat" .. ("\xFF"):rep(8))
    assert.equal(-1 - 16, walk:skippable()) -- 2^64 - 1 - 16
    walk:skip(-1 - 16)
    assert.is_true(walk:ended())
    walk = fed(FTYP .. "\0\0\0\1mdat" .. string.pack(">I8", (5 << 32) + 16))
    assert.equal(5 << 32, walk:skippable())
    walk:feed(("x"):rep(1000))
    assert.equal((5 << 32) - 1000, walk:skippable())
  end)

  it("can be walked by seeking", function()
    local walk, at, fed_bytes = pure.mp4(), 1, 0
    while at <= #VIDEO do
      local skippable = walk:skippable()
      if skippable > 0 then
        walk:skip(skippable)
        at = at + skippable
      else
        assert.is_true(walk:feed(VIDEO:sub(at, at)))
        at, fed_bytes = at + 1, fed_bytes + 1
      end
    end
    assert.is_true(walk:ended())
    assert.equal(4 * 8, fed_bytes)
  end)

  it("lets nothing be passed over inside a header, nor beyond a box", function()
    local walk = pure.mp4()
    assert.equal(0, walk:skippable())
    walk:feed(FTYP .. "\0\0")
    assert.equal(0, walk:skippable())
    walk = fed(VIDEO:sub(1, 10))
    walk:skip(walk:skippable() + 1)
    assert.is_false(walk:feed "x")
    walk = fed(FTYP .. box("moov", "") .. "\0\0\0\0mdat")
    assert.equal(-1, walk:skippable()) -- 2^64 - 1
    walk:skip(1 << 40)
    assert.is_true(walk:ended())
  end)
end)
