--- src/fetch.c, src/answer.c and src/sink.c: what an earlier call left behind
-- and the host's word about it. It is resumed where both speak of one resource,
-- else begun anew; it never ends as a short or a mixed file.

local minimax = require "minimax"
local storage = require "spec.support.storage"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local SIZE = 5000

local folder, path

local function start(plan)
  return wire.start { serve = storage.script(plan) }
end

local function client_of(server, options)
  local merged = { base_url = server.url, api_key = "sk-spec-key", retries = 0 }
  for name, value in pairs(options or {}) do
    merged[name] = value
  end
  return minimax.new(merged)
end

before_each(function()
  folder = temp.folder()
  path = folder:file("out.mp4")
end)

after_each(function()
  folder:close()
end)

describe("a rest that the host does not have", function()
  it("is an error with a text where the retries are used up, and no crash", function()
    local gone = { status = 416, headers = { ["Content-Range"] = "bytes */900" } }
    local server <close> = start { a = { { size = SIZE, cut = 1000 }, gone,
      { size = SIZE, cut = 1000 }, gone, gone } }
    local client <close> = client_of(server)
    for _ = 1, 3 do
      local info, err = client:download(server.url .. "/a", path)
      assert.is_nil(info)
      assert.is_true(#err.message > 20)
      assert.is_nil(folder:read("out.mp4"))
    end
  end)
end)
