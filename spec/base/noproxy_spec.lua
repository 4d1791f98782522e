--- src/base/noproxy.c: which hosts a `no_proxy` list names.

local process = require "spec.support.process"
local pure = require "pure"

-- What the curl tool does with a list and a host: 7.88, 8.14 and 8.23 alike.
local PAIRS = {
  { "*", "example.com", "direct" },
  { "*,x", "example.com", "proxy" },
  { "x,*", "example.com", "proxy" },
  { " *", "example.com", "proxy" },
  { "example.com", "example.com", "direct" },
  { "EXAMPLE.com", "example.COM", "direct" },
  { "example.com.", "example.com", "direct" },
  { "example.com", "example.com.", "direct" },
  { "example.com..", "example.com", "proxy" },
  { ".example.com", "example.com", "direct" },
  { "..example.com", "example.com", "proxy" },
  { ".example.com.", "www.example.com", "direct" },
  { "example.com", "www.example.com", "direct" },
  { "example.com", "nonexample.com", "proxy" },
  { "example.com", "www.example.com.", "direct" },
  { "www.example.com", "example.com", "proxy" },
  { "com", "example.com", "direct" },
  { ".", "example.com", "proxy" },
  { "example.com:80", "example.com", "proxy" },
  { "a,example.com", "example.com", "direct" },
  { "a, example.com", "example.com", "direct" },
  { ",,example.com", "example.com", "direct" },
  { "a,,b , example.com ,c", "example.com", "direct" },
  { "10.0.0.1", "10.0.0.1", "direct" },
  { "0.0.1", "10.0.0.1", "proxy" },
  { ".0.0.1", "10.0.0.1", "proxy" },
  { "10.0.0.1.", "10.0.0.1", "proxy" },
  { "10.0.0.0/8", "10.1.2.3", "direct" },
  { "10.0.0.0/33", "10.0.0.0", "proxy" },
  { "10.0.0.0/33", "10.1.2.3", "proxy" },
  { "10.0.0.1/32", "10.0.0.1", "direct" },
  { "10.0.0.1/0", "10.0.0.1", "direct" },
  { "10.0.0.1/0", "10.0.0.2", "proxy" },
  { "0.0.0.0/0", "10.0.0.1", "proxy" },
  { "10.0.0.0/-1", "10.0.0.1", "proxy" },
  { "10/8", "10.1.2.3", "proxy" },
  { "192.168.0.0/31", "192.168.0.1", "direct" },
  { "192.168.0.0/31", "192.168.0.2", "proxy" },
  { "127.1", "127.0.0.1", "proxy" },
  { "127.0.0.1", "127.1", "direct" },
  { "0.0.0.1", "0.0.1", "direct" },
  { "::1", "[::1]", "direct" },
  { "[::1]", "[::1]", "proxy" },
  { "::/0", "[::1]", "proxy" },
  { "fd00::/8", "[fe80::1]", "proxy" },
  { "fd00::/129", "[fd00::]", "proxy" },
  { "::1", "10.0.0.1", "proxy" },
  { "10.0.0.0/8", "[::ffff:10.0.0.1]", "proxy" },
  { "10.0.0.0/8", "example.com", "proxy" },
}

-- What 8.23 does: older ones read no CIDR of IPv6, and a wrong slash as none.
local NEWER = {
  { "10.0.0.0/x", "10.0.0.0", "proxy" },
  { "10.0.0.0/", "10.0.0.0", "proxy" },
  { "10.0.0.0/8x", "10.1.2.3", "proxy" },
  { "0:0:0:0:0:0:0:1", "[::1]", "direct" },
  { "::2/0", "[::2]", "direct" },
  { "fd00::/8", "[fd12::1]", "direct" },
  { "fd00::/128", "[fd00::]", "direct" },
  { "fd00::/127", "[fd00::1]", "direct" },
}

-- Blanks alone between names: versions differ, and it is kinder to take them.
local KINDER = {
  { "a example.com", "example.com", "direct" },
  { "a\texample.com", "example.com", "direct" },
  { "example.com b", "example.com", "direct" },
}

-- Where the curl tool itself goes: its proxy and all that it reaches directly
-- are ports of this machine on which nobody listens.
local CURL = [[
  while IFS='|' read -r list host; do
    if curl -sv --max-time 5 -x http://127.0.0.1:1 --noproxy "$list" \
      --connect-to ::127.0.0.1:2 "http://$host/" 2>&1 | grep -q '127\.0\.0\.1:1\.\.\.'; then
      echo proxy
    else
      echo direct
    fi
  done
]]

-- libcurl's URL parser, which the module and the tool share, writes them out.
local WRITTEN = { ["127.1"] = "127.0.0.1", ["0.0.1"] = "0.0.0.1" }

describe("a no_proxy list", function()
  for _, table_of_pairs in ipairs { PAIRS, NEWER, KINDER } do
    for _, pair in ipairs(table_of_pairs) do
      local list, host, way = table.unpack(pair)
      it(("%q sends %s %s"):format(list, host, way), function()
        assert.equal(way == "direct", pure.no_proxy(list, WRITTEN[host] or host))
      end)
    end
  end

  it("is read as the curl tool reads it, where there is one", function()
    if process.run({ command = { "sh", "-c", "curl --version" } }).code ~= 0 then
      return
    end
    local input, expected = {}, {}
    for i, pair in ipairs(PAIRS) do
      input[i], expected[i] = pair[1] .. "|" .. pair[2], pair[3]
    end
    local result = process.run { command = { "sh", "-c", "printf '%s' '"
      .. table.concat(input, "\n") .. "\n' | { " .. CURL .. " }" } }
    local found = {}
    for way in result.out:gmatch "%a+" do
      found[#found + 1] = way
    end
    assert.same(expected, found)
  end)
end)
