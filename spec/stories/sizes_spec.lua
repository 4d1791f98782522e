--- Numbers that a user may set are as large as they like: what has no room for
-- them is taken for the most there is, not for what is left of it.

local api = require "spec.support.api"
local minimax = require "minimax"
local native = require "spec.support.native"
local process = require "spec.support.process"
local tasks = require "spec.support.tasks"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local HUGE = { 2 ^ 31, 2 ^ 32, 2 ^ 32 + 1, 2 ^ 53, 2 ^ 63, 2 ^ 64, 1e300, math.huge,
  -- In milliseconds they have nothing but zeros, or a one, in their lower 32 bits.
  2 ^ 32 / 1000, (2 ^ 32 + 1) / 1000, 2 ^ 31 / 1000 }
local WHOLE = { 2 ^ 31 | 0, 2 ^ 32 | 0, 2 ^ 32 + 1, 2 ^ 53, math.maxinteger }

describe("an option of", function()
  for _, name in ipairs { "connect_timeout", "request_timeout", "stall_timeout", "poll_interval",
    "wait_timeout" } do
    it("as much time as can be said is that long: " .. name, function()
      -- The handshake takes a while, and so does the answer.
      local server <close> = wire.start { tls = "later", serve = [[
        local connection = ...
        connection:pause(0.03)
        connection:starttls "good"
        while connection:read_request() do
          connection:pause(0.01)
          connection:reply(200, {}, '{"task_id":"1","status":"Success","file_id":"7",'
            .. '"base_resp":{"status_code":0}}')
        end
      ]] }
      for _, seconds in ipairs(HUGE) do
        local client <close> = minimax.new { base_url = server.url:gsub("^http:", "https:"),
          ca_file = server.ca_file, api_key = api.KEY, retries = 0, [name] = seconds }
        assert.equal("succeeded", assert(client:wait "1").state)
      end
    end)
  end

  it("a call's time, too", function()
    local server <close> = tasks.start()
    local client <close> = server:client()
    for _, seconds in ipairs(HUGE) do
      assert(client:query("1", { timeout = seconds }))
      assert(client:wait("1", { timeout = seconds, interval = seconds }))
      assert(client:submit({ template_id = "1" }, { timeout = seconds }))
    end
  end)

  it("no number at all, or less than none, raises", function()
    for _, name in ipairs { "connect_timeout", "request_timeout", "stall_timeout", "poll_interval",
      "wait_timeout", "retries", "max_connections", "max_response_bytes" } do
      for _, number in ipairs { 0 / 0, -1, -math.huge } do
        assert.has_error(function()
          minimax.new { api_key = api.KEY, [name] = number }
        end, nil, name)
      end
    end
  end)

  it("as many bytes as can be said is that many", function()
    local folder <close> = temp.folder()
    local server <close> = tasks.start()
    local video <close> = wire.start {
      serve = 'require "spec.support.storage".serve(..., { size = 100000 })' }
    for _, bytes in ipairs(WHOLE) do
      local client <close> = minimax.new { base_url = server.url, api_key = api.KEY,
        max_response_bytes = bytes }
      assert(client:submit { template_id = "1" })
      assert(client:download(video.url .. "/v.mp4", folder:file "v.mp4", { max_bytes = bytes }))
    end
  end)

  it("as many as can be said is that many: retries, connections, rates", function()
    local server <close> = tasks.start()
    for _, count in ipairs { 2 ^ 31 - 1, 42949673, 65537 } do
      local client <close> = minimax.new { base_url = server.url, api_key = api.KEY,
        retries = count, max_connections = count,
        submit_rate = { count, 1e300 }, query_rate = { count, math.huge } }
      for _ = 1, 3 do
        assert(client:submit { template_id = "1" })
        assert(client:query "1")
      end
    end
  end)

  it("any size is given to libcurl as one that it takes, on systems of 32 bits, too", function()
    local folder <close> = temp.folder()
    local server <close> = tasks.start()
    local video <close> = wire.start {
      serve = 'require "spec.support.storage".serve(..., { size = 100000 })' }
    local result = process.run {
      script = [[
        local minimax = require "minimax"
        local URL, VIDEO, PATH = ...
        for _, seconds in ipairs { 10, 2 ^ 32 / 1000, (2 ^ 32 + 1) / 1000, 1e300, math.huge } do
          local client = minimax.new { base_url = URL, api_key = "sk-spec",
            connect_timeout = seconds, request_timeout = seconds, stall_timeout = seconds,
            max_connections = 2147483647, max_response_bytes = math.maxinteger }
          assert(client:submit { template_id = "1" })
          assert(client:wait("1", { timeout = seconds, interval = 0.001 }))
          assert(client:download(VIDEO .. "/v.mp4", PATH, { max_bytes = math.maxinteger,
            allow_private = true }))
        end
      ]],
      args = { "http://sized.test:" .. server.port, video.url, folder:file "v.mp4" },
      env = { LD_PRELOAD = native.library "strict" .. " " .. native.library "resolver",
        RESOLVER = "sized.test=127.0.0.1" },
    }
    assert.same({ code = 0, out = "", err = "", timed_out = false }, result)
  end)
end)
