--- src/base/sniff.c: the media type of a file, told by its first bytes.

local pure = require "pure"

local function ftyp(brand, ...)
  local rest = brand .. "\0\0\2\0" .. table.concat { ... }
  return string.pack(">I4", #rest + 8) .. "ftyp" .. rest
end

local KNOWN = {
  { "\xFF\xD8\xFF\xE0\0\16JFIF", "image", "image/jpeg", "JPEG" },
  { "\xFF\xD8\xFF\xDB", "image", "image/jpeg", "JPEG" },
  { "\x89PNG\r\n\26\n\0\0\0\13IHDR", "image", "image/png", "PNG" },
  { "RIFF\1\2\3\4WEBPVP8 ", "image", "image/webp", "WebP" },
  { ftyp("heic", "mif1", "heic"), "image", "image/heic", "HEIC" },
  { ftyp("heix", "mif1"), "image", "image/heic", "HEIC" },
  { ftyp("hevc", "msf1"), "image", "image/heic", "HEIC" },
  { ftyp("mif1", "mif1", "heic"), "image", "image/heif", "HEIF" },
  { ftyp "msf1", "image", "image/heif", "HEIF" },
  { ftyp("isom", "isom", "iso2", "avc1", "mp41"), "video", "video/mp4", "MP4" },
  { ftyp "mp42", "video", "video/mp4", "MP4" },
  { ftyp "M4V ", "video", "video/mp4", "MP4" },
  { ftyp "qt  ", "video", "video/mov", "MOV" },
  { "\0\0\0\8wide\0\0\0\0mdat", "video", "video/mov", "MOV" },
  { "\0\1\0\0moov", "video", "video/mov", "MOV" },
  { "RIFF\1\2\3\4WAVEfmt ", "audio", "audio/wav", "WAV" },
  { "ID3\4\0\0\0\0\0\0", "audio", "audio/mp3", "MP3" },
  { "\xFF\xFB\x90\x64", "audio", "audio/mp3", "MP3" },
  { "\xFF\xF3\x40\xC4", "audio", "audio/mp3", "MP3" },
  { "\xFF\xE2\x40\xC4", "audio", "audio/mp3", "MP3" }, -- MPEG 2.5
}

local UNKNOWN = {
  "", "\0", "RIFF", "RIFF\1\2\3\4AVI ", "GIF89a", "<html>", '{"a":1}', "%PDF-1.7",
  "\xFF\xD8", "\x89PNG\r\n\26", "\0\0\0\24ftypiso", "ID",
  "\xFF\xF1\x50\x80", -- AAC in ADTS: layer 0
  "\xFF\xFD\x90\x64", -- layer II
  "\xFF\xEB\x90\x64", -- a version that is reserved
  "\xFF\xFB\xF0\x64", "\xFF\xFB\x00\x64", "\xFF\xFB\x9C\x64", "\xFF\xFB\x90",
  ftyp("avif", "mif1"), ftyp("mif1", "avif", "miaf"), ftyp "M4A ", ftyp "crx ",
}

describe("sniff", function()
  it("knows each type that the API takes", function()
    for _, case in ipairs(KNOWN) do
      local head, class, mime, name = table.unpack(case)
      assert.same({ class, mime, name }, { pure.sniff(head) })
      assert.same({ class, mime, name }, { pure.sniff((head .. ("\0"):rep(32)):sub(1, 32)) })
    end
  end)

  it("knows nothing else, nor what is cut short", function()
    for _, head in ipairs(UNKNOWN) do
      local class, mime, name = pure.sniff(head)
      assert.equal("unknown", class, ("%q"):format(head))
      assert.is_nil(mime)
      assert.is_string(name)
    end
  end)

  it("names what is often taken for an image", function()
    for head, expected in pairs { ["GIF89a"] = "GIF", ["BM\1\2\3\4\0\0\0\0"] = "BMP",
      ["II*\0"] = "TIFF", ["MM\0*"] = "TIFF", ["PK\3\4"] = "a ZIP archive",
      [" <svg"] = "HTML or XML",
      ["{"] = "JSON", [""] = "empty", ["\x1F\x8B\8"] = "packed with gzip",
      ["\x1A\x45\xDF\xA3"] = "WebM", [ftyp "avif"] = "AVIF",
      [" "] = "neither an image, a video nor audio of a known format" } do
      local class, mime, name = pure.sniff(head)
      assert.same({ "unknown", nil, expected }, { class, mime, name })
    end
  end)

  it("reads no byte beyond what it was given", function()
    for _, case in ipairs(KNOWN) do
      for length = 0, #case[1] - 1 do
        local class = pure.sniff(case[1]:sub(1, length))
        assert.is_true(class == "unknown" or class == case[2])
      end
    end
  end)

  it("looks for brands no further than the box goes", function()
    assert.equal("image/heif", select(2, pure.sniff(ftyp("mif1", "miaf") .. "avif")))
  end)
end)
