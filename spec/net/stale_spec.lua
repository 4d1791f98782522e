--- src/net/stale.c: what waits on a kept-alive connection answers no later request.

local minimax = require "minimax"
local video = require "spec.support.video"
local wire = require "spec.support.wire"

-- Answers each request, and once more, unasked, where the spec says "late1"
-- and so on. (What comes in one packet with the answer closes the connection;
-- over TLS newer versions of libcurl hide it from us, and the id must tell.)
local TWICE = [==[
local connection, shared = ...
local video = require "spec.support.video"
local function reply(word)
  connection:reply(200, {}, ('{"task_id":"17","status":"%s","video_url":"https://x.test/v",'
    .. '"base_resp":{"status_code":0}}'):format(word))
end
local request = connection:read_request()
while request do
  if request.path:find "mp4$" then
    connection:reply(200, {}, video.make(2000))
  else
    reply "Processing"
  end
  if not request.path:find "quiet" then
    shared.count = (shared.count or 0) + 1
    connection:await("late" .. shared.count)
    reply "Success"
    connection.server.report { type = "late" }
  end
  request = connection:read_request()
end
]==]

describe("bytes that wait on a connection", function()
  for _, tls in ipairs { false, "good" } do
    local words = tls and " (TLS)" or ""
    local server, client

    before_each(function()
      server = wire.start { serve = TWICE, tls = tls or nil }
      client = minimax.new { base_url = server.url, api_key = "sk-spec", retries = 0,
        ca_file = server.ca_file }
    end)

    after_each(function()
      client:close()
      server:stop()
    end)

    local function speak_late(count)
      server:tell("late" .. count)
      assert(server:await("late", count))
    end

    it("are no answer to the next query: it has a connection of its own" .. words, function()
      for round = 1, 3 do
        assert.equal("running", assert(client:query("17", { kind = "template" })).state)
        assert.equal(round, server:connections())
        assert.equal(round, #server:requests())
        speak_late(round)
      end
    end)

    it("end no wait" .. words, function()
      local seen = 0
      local status, err = client:wait("17", { interval = 0.05, timeout = 5,
        on_status = function(status)
          assert.equal("running", status.state)
          seen = seen + 1
          speak_late(seen)
          if seen == 3 then
            client:abort "17"
          end
        end })
      assert.is_nil(status)
      assert.equal("cancelled", err.kind)
      assert.equal(3, seen)
    end)

    it("are no bytes of a download" .. words, function()
      local options = { allow_private = true }
      for round = 1, 3 do
        local got = {}
        assert(client:download(server.url .. "/a.mp4", function(chunk)
          got[#got + 1] = chunk
        end, options))
        assert.equal(video.make(2000), table.concat(got))
        speak_late(round)
      end
    end)

    it("make no difference where there are none: one connection serves all" .. words, function()
      for _ = 1, 5 do
        assert.equal("Processing", assert(client:call("GET", "/quiet")).status)
      end
      assert.equal(1, server:connections())
    end)
  end
end)
