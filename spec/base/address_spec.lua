--- src/base/address.c: which addresses are not on the public internet.

local pure = require "pure"

-- The first and the last address of each private range, and its neighbours.
local V4 = {
  { "0.0.0.0", "0.255.255.255" }, { "10.0.0.0", "10.255.255.255" },
  { "100.64.0.0", "100.127.255.255" }, { "127.0.0.0", "127.255.255.255" },
  { "169.254.0.0", "169.254.255.255" }, { "172.16.0.0", "172.31.255.255" },
  { "192.0.0.0", "192.0.0.255" }, { "192.168.0.0", "192.168.255.255" },
  { "198.18.0.0", "198.19.255.255" }, { "224.0.0.0", "255.255.255.255" },
}

local PUBLIC_V4 = {
  "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
  "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
  "191.255.255.255", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
  "198.20.0.0", "223.255.255.255", "8.8.8.8",
}

local PRIVATE_V6 = {
  "::", "::1", "fc00::", "fdff:ffff::1", "fe80::", "febf::1", "fec0::", "feff::1", "ff00::",
  "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
  "64:ff9b:1::", "64:ff9b:1::808:808", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
  "::ffff:0:0:0", "::ffff:0:8.8.8.8", "::ffff:0:10.0.0.1", "::ffff:0:ffff:ffff",
}

local PUBLIC_V6 = {
  "2001:4860:4860::8888", "2606:4700::1", "fbff::1", "fe00::", "fe7f:ffff::", "2003::1",
  "64:ff9a::7f00:1", "64:ff9b:0:0:0:1:7f00:1", "1::1", "64:ff9b:2::1", "64:ff9b:0:ffff::1",
  "::fffe:0:a00:1", "0:0:0:1:ffff:0:a00:1", "2001:1::a00:1",
}

-- The IPv6 forms that hold an IPv4 address.
local function embed(address)
  local a, b, c, d = address:match "(%d+)%.(%d+)%.(%d+)%.(%d+)"
  return {
    "::ffff:" .. address, "::" .. address, "64:ff9b::" .. address,
    ("2002:%02x%02x:%02x%02x::5"):format(a, b, c, d),
    ("2001:0:%02x%02x:%02x%02x:0:0:f7f7:f7f7"):format(a, b, c, d), -- its client is 8.8.8.8
    ("2001:0:808:808:0:0:%02x%02x:%02x%02x"):format(255 - a, 255 - b, 255 - c, 255 - d),
  }
end

describe("address", function()
  it("knows both ends of each private IPv4 range", function()
    for _, range in ipairs(V4) do
      for _, address in ipairs(range) do
        assert.is_true(pure.address_private(address), address)
        assert.is_true(pure.name_private(address), address)
      end
    end
  end)

  it("knows the public neighbours of these ranges", function()
    for _, address in ipairs(PUBLIC_V4) do
      assert.is_false(pure.address_private(address), address)
      assert.is_false(pure.name_private(address), address)
    end
  end)

  it("knows private and public IPv6 addresses, with brackets and zone", function()
    for _, address in ipairs(PRIVATE_V6) do
      assert.is_true(pure.address_private(address), address)
      assert.is_true(pure.name_private("[" .. address .. "]"), address)
      assert.is_true(pure.name_private(address:upper()), address)
    end
    for _, address in ipairs(PUBLIC_V6) do
      assert.is_false(pure.address_private(address), address)
      assert.is_false(pure.name_private("[" .. address .. "]"), address)
    end
    assert.is_true(pure.name_private "fe80::1%eth0")
    assert.is_true(pure.name_private "[fe80::1%25eth0]")
  end)

  it("applies the IPv4 rules to mapped, compatible, NAT64, 6to4 and Teredo addresses", function()
    for _, range in ipairs(V4) do
      for _, address in ipairs(embed(range[2])) do
        assert.is_true(pure.address_private(address), address)
        assert.is_true(pure.name_private(address), address)
      end
    end
    for _, plain in ipairs(PUBLIC_V4) do
      for _, address in ipairs(embed(plain)) do
        assert.is_false(pure.address_private(address), address)
      end
    end
  end)

  it("takes a socket of another family as private", function()
    assert.is_true(pure.address_private "/run/some.sock")
  end)

  it("knows localhost and what is under it", function()
    for _, name in ipairs {
      "localhost", "LocalHost", "localhost.", "a.localhost", "a.b.LOCALHOST.",
    } do
      assert.is_true(pure.name_private(name), name)
    end
  end)

  it("knows the short and the numeric forms that resolvers take", function()
    for _, name in ipairs {
      "127.1", "127.0.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0", "10.1",
      "127.0.0.1.",
    } do
      assert.is_true(pure.name_private(name), name)
    end
    assert.is_false(pure.name_private "134744072") -- 8.8.8.8
  end)

  it("takes any other name as not private", function()
    for _, name in ipairs {
      "", ".", "[]", "[", "%", "api.minimax.io", "localhost.io", "xlocalhost", "local", "256.1.1.1",
      "127.0.0.1.io", ("1"):rep(1000), ("a"):rep(1000) .. ".localhost",
    } do
      assert.is_false(pure.name_private(name), name)
    end
  end)
end)
