--- src/base/redact.c: cuts secrets out of texts that people see.

local pure = require "pure"

local KEY = "sk-api-Zm9vYmFy.x_1"

describe("redact", function()
  it("leaves plain text alone", function()
    for _, text in ipairs { "", "task 401047179385389059 failed", "Löwe 狮子 🦁", "a?b=c@d" } do
      assert.equal(text, pure.redact(text, KEY))
      assert.equal(text, pure.redact(text))
    end
  end)

  it("replaces the key wherever it stands", function()
    assert.equal("[key]", pure.redact(KEY, KEY))
    assert.equal("Bearer [key]\u{2026}[key][key]!",
      pure.redact("Bearer " .. KEY .. "\u{2026}" .. KEY .. KEY .. "!", KEY))
    assert.equal("https://x.io/[key]/a", pure.redact("https://x.io/" .. KEY .. "/a", KEY))
    assert.equal("[key]", pure.redact("https", "https"))
    assert.equal("h[key]://x", pure.redact("https://x", "ttps"))
  end)

  it("keeps what only resembles the key", function()
    assert.equal(KEY:sub(1, -2), pure.redact(KEY:sub(1, -2), KEY))
    assert.equal(KEY:upper(), pure.redact(KEY:upper(), KEY))
  end)

  it("looks for no key of less than four characters", function()
    assert.equal("abc abc", pure.redact("abc abc", "abc"))
    assert.equal("abc", pure.redact("abc", ""))
    assert.equal("[key]e", pure.redact("abcde", "abcd"))
  end)

  it("cuts the query of each URL, with what follows it", function()
    local cases = {
      ["https://a.io/v.mp4?Expires=1&Signature=x%2F"] = "https://a.io/v.mp4?[cut]",
      ["HTTP://A.IO?x"] = "HTTP://A.IO?[cut]",
      ["https://a.io/v?a=1?b=2#token"] = "https://a.io/v?[cut]",
      ["https://a.io/v#part"] = "https://a.io/v#part",
      ["https://a.io/v?"] = "https://a.io/v?[cut]",
      ["see https://a.io/v?s=1 and http://b.io/?t=2."] =
        "see https://a.io/v?[cut] and http://b.io/?[cut]",
      ["https://a.io/?u=https://b.io/?v=1 x"] = "https://a.io/?[cut] x",
      ["https://a.io/https://u:p@b.io/?v=1 x"] = "https://a.io/https://[cut]@b.io/?[cut] x",
      ["xhttps://a.io/?s"] = "xhttps://a.io/?[cut]",
      ["ftp://a.io/?s"] = "ftp://a.io/?[cut]", ["1+.-a://b.io/?s"] = "1+.-a://b.io/?[cut]",
      ["://a.io/?s /://a:b@c"] = "://a.io/?s /://a:b@c",
      ["https:/a?s http:a?s https//a?s"] = "https:/a?s http:a?s https//a?s",
    }
    for text, expected in pairs(cases) do
      assert.equal(expected, pure.redact(text))
    end
  end)

  it("finds where a URL ends inside a longer text", function()
    for _, ending in ipairs { " ", "\t", '"', "<", ">", "`", "' ", "',", "')", "'" } do
      local kept = ending:gsub("\t", " ")
      assert.equal("(https://a.io/?[cut]" .. kept, pure.redact("(https://a.io/?s=1" .. ending))
    end
    assert.equal("https://a.io/a b?c", pure.redact("https://a.io/a b?c"))
  end)

  it("shows nothing after an apostrophe inside a query", function()
    assert.equal("https://a.io/?[cut]' x", pure.redact("https://a.io/?s='secret'&t=1' x"))
  end)

  it("cuts user information", function()
    local cases = {
      ["https://user:pass@a.io/v"] = "https://[cut]@a.io/v",
      ["htps://bob:s3cret@a.io:1"] = "htps://[cut]@a.io:1",
      ["'socks5h://bob:s3cret@a.io'"] = "'socks5h://[cut]@a.io'",
      ["https://token@a.io"] = "https://[cut]@a.io",
      ["http://a@b:c@d.io:80/@x?y"] = "http://[cut]@d.io:80/@x?[cut]",
      ["https://a.io/x@y"] = "https://a.io/x@y",
      ["https://a.io?x@y"] = "https://a.io?[cut]",
      ["https://a.io \"u@b\""] = "https://a.io \"u@b\"",
    }
    for text, expected in pairs(cases) do
      assert.equal(expected, pure.redact(text))
    end
  end)

  it("knows URLs with the escaped slashes of JSON", function()
    assert.equal([[{"url":"https:\/\/[cut]@a.io\/v?[cut]","b":1}]],
      pure.redact([[{"url":"https:\/\/u:p@a.io\/v?s=1\u0026t=2","b":1}]]))
  end)

  it("makes a space of each control character", function()
    assert.equal("a b c  d e", pure.redact("a\nb\0c\27\rd\127e"))
    assert.equal("a b", pure.redact("a\u{9B}b"))
    assert.equal("a\u{A0}b", pure.redact("a\u{A0}b"))
    for byte = 0, 31 do
      assert.equal("x y", pure.redact("x" .. string.char(byte) .. "y"))
    end
  end)

  it("makes a question mark of each byte that is not valid UTF-8", function()
    assert.equal("a?b", pure.redact("a\xFFb"))
    assert.equal("???", pure.redact("\xED\xA0\x80"))
    assert.equal("é?", pure.redact("é\xC3"))
    assert.equal("?(", pure.redact("\xC3("))
    assert.equal("https://a.io/??[cut]", pure.redact("https://a.io/\xFF?s=\xFF"))
  end)

  it("is quick with a megabyte of hostile text #timing", function()
    local begin = os.clock()
    for _, piece in ipairs { "http://", "https:", "http://x@", "http://'", "h", KEY:sub(1, -2) } do
      local text = piece:rep(2 ^ 20 // #piece | 0)
      assert.is_true(#pure.redact(text, KEY) > 0)
    end
    assert.is_true(os.clock() - begin < 5)
  end)
end)
