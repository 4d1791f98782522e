--- src/net/part.c: a program that is killed in the middle of a download and started
-- again. Never a partial file under the final name, and little is fetched again.

local killed_download = require "spec.support.killed_download"
local temp = require "spec.support.temp"
local video = require "spec.support.video"
local wire = require "spec.support.wire"

local SIZE, PIECE = 1000000, 20000
local AGAIN = 65536 -- bytes that may be fetched a second time after a cut

-- Sends the next piece once the spec has seen the program take the last one:
-- so it is known what the program can have been sent. Another signature stands for
-- a link that was renewed; it is served at once.
local SERVE = ([[
  local connection = ...
  local bytes = require "spec.support.video".make(%d)
  local request = connection:read_request()
  local name, is_first = request.path:match "^/(.-)%%?Expires=(.*)$"
  local from = tonumber((request.headers.range or ""):match "%%d+") or 0
  if from == #bytes then
    return connection:reply(416, { ["Content-Range"] = "bytes */" .. #bytes })
  end
  connection:send(("HTTP/1.1 %%d Whatever\r\nETag: \"1\"\r\nContent-Length: %%d\r\n"
    .. "Content-Range: bytes %%d-%%d/%%d\r\n\r\n"):format(from > 0 and 206 or 200,
    #bytes - from, from, #bytes - 1, #bytes))
  for at = from, #bytes - 1, %d do
    connection:send(bytes:sub(at + 1, at + %d))
    if is_first == "first" then
      connection:await(name .. "/" .. at + %d)
    end
  end
]]):format(SIZE, PIECE, PIECE, PIECE)

describe("killed with SIGKILL at an instant and started again, a download", function()
  local server, folder, path
  local whole = video.make(SIZE)

  setup(function()
    server = wire.start { serve = SERVE }
  end)

  teardown(function()
    server:stop()
  end)

  before_each(function()
    folder = temp.folder()
    path = folder:file("out.mp4")
  end)

  after_each(function()
    folder:close()
  end)

  local function assert_file()
    assert.is_true(folder:read("out.mp4") == whole, "the bytes differ")
  end

  local function link(name, query)
    return ("%s/%s?Expires=%s"):format(server.url, name, query)
  end

  -- Returns the most that the server can have sent to it.
  local function die_at(instant, name)
    local sent = PIECE
    killed_download.die_at(instant, { url = server.url, link = link(name, "first"), path = path },
      function(received)
        if received == sent then
          server:tell(name .. "/" .. sent)
          sent = math.min(sent + PIECE, SIZE)
        end
      end)
    return sent
  end

  for i, instant in ipairs(killed_download.instants) do
    it("is whole in the end, and was never in part under its name: " .. instant, function()
      local sent = die_at(instant, "i" .. i)
      local part = folder:read("out.mp4.part") or ""
      assert.is_true(part == whole:sub(1, #part), "the .part holds other bytes")
      local was_whole = folder:read("out.mp4") ~= nil
      if was_whole then
        assert_file()
      end
      local from = killed_download.go_on { url = server.url, link = link("i" .. i, "second"),
        path = path }
      assert_file()
      assert.same({ "out.mp4" }, folder:names())
      assert.is_true(was_whole or sent - (from or 0) <= AGAIN, (from or 0) .. " of " .. sent)
    end)
  end
end)
