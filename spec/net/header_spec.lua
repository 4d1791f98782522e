--- src/net/header.c: Retry-After, Content-Range and ETag as servers write them.
-- What a download makes of a Content-Range is in calls/download_resume_spec.lua.

local minimax = require "minimax"
local storage = require "spec.support.storage"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local HOUR = 3600 -- what is believed at most
local JITTER = 0.5 -- the longest first back-off of our own

local NOW = os.time()

local function http_date(format, seconds)
  return os.date("!" .. format, NOW + seconds)
end

-- Value, and the least and the most that a client may wait for it.
local RETRY_AFTER = {
  { "2", 2 },
  { " 2 ", 2 },
  { "0002", 2 },
  { "1.5", 1.5 },
  { "2s", 2 },
  { "2 s", 2 },
  { "700ms", 0.7 },
  { "700 MS", 0.7 },
  { http_date("%a, %d %b %Y %H:%M:%S GMT", 100), 99, 100, is_date = true },
  { http_date("%A, %d-%b-%y %H:%M:%S GMT", 100), 99, 100, is_date = true },
  { http_date("%a %b %d %H:%M:%S %Y", 100), 99, 100, is_date = true },
  { "3601", HOUR },
  { "99999999999999999999999999", HOUR },
  { ("9"):rep(400), HOUR },
  { http_date("%a, %d %b %Y %H:%M:%S GMT", 3 * HOUR), HOUR },
  { http_date("%a, %d %b %Y %H:%M:%S GMT", -100), 0, JITTER },
  { "0", 0, JITTER },
  { "", 0, JITTER },
  { "-5", 0, JITTER },
  { "soon", 0, JITTER },
  { "2 minutes", 0, JITTER },
  { "1.2.3", 0, JITTER },
  { "0x10", 0, JITTER },
  { "1e3", 0, JITTER },
  { "inf", 0, JITTER },
  { "nan", 0, JITTER },
  { ".", 0, JITTER },
}

describe("Retry-After", function()
  local server, folder
  local delays, told = {}, {}

  -- All at once: each is given up as soon as it waits.
  setup(function()
    local plan = {}
    for i, case in ipairs(RETRY_AFTER) do
      plan["r" .. i] = { { status = 503, headers = { ["retry-AFTER"] = case[1] } } }
    end
    server = wire.start { serve = storage.script(plan) }
    folder = temp.folder()
    minimax.run(function()
      for i in ipairs(RETRY_AFTER) do
        minimax.spawn(function()
          local client
          client = minimax.new { base_url = server.url, api_key = "sk-spec-key",
            on_event = function(event)
              if event.type == "retry" then
                delays[i], told[i] = event.delay, os.time() - NOW
                client:close()
              end
            end }
          client:download(server.url .. "/r" .. i, folder:file("r" .. i))
        end)
      end
    end)
  end)

  teardown(function()
    server:stop()
    folder:close()
  end)

  for i, case in ipairs(RETRY_AFTER) do
    local shown = #case[1] > 60 and case[1]:sub(1, 20) .. "…" or case[1]
    it(("%q is %s s"):format(shown, case[3] and case[2] .. " to " .. case[3] or case[2]), function()
      -- A date comes nearer from the moment on in which it is written.
      local gone = case.is_date and told[i] or 0
      assert.is_true(delays[i] >= case[2] - gone, delays[i])
      assert.is_true(delays[i] <= (case[3] or case[2]) - math.max(gone - 1, 0), delays[i])
    end)
  end
end)

describe("an entity tag", function()
  local TAGS = {
    { '"abc"', true },
    { '""', true },
    { '"a;b,c"', true },
    { '"a b, c"', false }, -- no blanks: RFC 9110, 8.8.3
    { 'W/"abc"', false },
    { "abc", false },
    { '"', false },
    { '"abc', false },
    { "", false },
  }

  for _, case in ipairs(TAGS) do
    it(("%s is %s to go by"):format(case[1], case[2] and "good" or "none"), function()
      local folder <close> = temp.folder()
      local server <close> = wire.start { serve = storage.script {
        a = { { size = 100000, cut = 50000, etag = case[1] }, { size = 100000, etag = case[1] } },
      } }
      local client <close> = minimax.new { base_url = server.url, api_key = "sk-spec-key" }
      assert(client:download(server.url .. "/a", folder:file("out.mp4")))
      assert.equal(case[2] and "bytes=50000-" or nil, server:requests()[2].headers.range)
    end)
  end
end)
