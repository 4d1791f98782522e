--- Downloads from the emulator's storage host, each with a fault of its own: the
-- right bytes in the end, or the error that names what is wrong; never anything
-- but a whole video under the final name.

local emulated = require "spec.support.emulated"
local minimax = require "minimax"
local temp = require "spec.support.temp"

local SIZE = 300000
local AGAIN = 65536 -- bytes that may be fetched a second time after a cut

local api, folder

setup(function()
  api = emulated.start { video_bytes = SIZE }
end)

teardown(function()
  api:close()
end)

before_each(function()
  folder = temp.folder()
end)

after_each(function()
  folder:close()
end)

local function new_client(options)
  local complete = { base_url = api.emu.base_url, api_key = api.emu.api_key }
  for name, value in pairs(options or {}) do
    complete[name] = value
  end
  return minimax.new(complete)
end

-- A finished task and its link.
local function finished()
  local id = api:finished "template"
  return id, api:query("template", id).video_url
end

-- Downloads a task where each attempt at the link meets its fault.
-- @param list of faults, false for none; `always` stands for all attempts
local function download(list, options)
  local id, link = finished()
  local client <close> = new_client(options)
  api.emu:clear()
  for attempt, rule in ipairs(list) do
    if rule then
      rule.endpoint, rule.attempt = "storage", list.always and "all" or attempt
      rule.url = rule.url and rule.url:gsub("{link}", (link:gsub("%%", "%%%%")))
      api.emu:fault(rule)
    end
  end
  local info, err = client:download(id, folder:file "out.mp4")
  local requests = api.emu:requests { endpoint = "storage" }
  api.emu:clear()
  return info, err, requests, link
end

local CUT = { fault = "cut", at = 100000 }

-- Right bytes in the end, after so many requests.
local rows = {
  ["a reset"] = { { fault = "reset" }, requests = 2 },
  ["a close"] = { { fault = "close" }, requests = 2 },
  ["a cut"] = { CUT, requests = 2, from = "bytes=100000-" },
  ["a stall"] = { { fault = "stall", at = 100000 }, requests = 2, from = "bytes=100000-",
    options = { stall_timeout = 0.3 } },
  ["a range that is ignored"] = { CUT, { fault = "ignore_range" }, requests = 2 },
  ["a wrong Content-Range"] = { CUT, { fault = "wrong_content_range" }, requests = 3 },
  ["an odd Content-Range"] = { CUT,
    { fault = "wrong_content_range", content_range = "odd" }, requests = 3 },
  ["an ETag that changed between attempts"] = { CUT, { fault = "etag_change" }, requests = 2 },
  ["a weak ETag"] = { CUT, { fault = "weak_etag" }, requests = 2 },
  ["no ETag"] = { CUT, { fault = "no_etag" }, requests = 3 },
  ["a link that has expired"] = { { fault = "expired" }, requests = 2 },
  ["a link that expires in the middle"] = { CUT, { fault = "expired" }, requests = 3,
    from = "bytes=100000-" },
  ["a redirect to the same host"] = { { fault = "redirect", url = "{link}" }, requests = 2 },
}
for _, status in ipairs { 401, 403, 404, 410, 500, 503, 429 } do
  rows["status " .. status] = { { fault = "status_" .. status }, requests = 2 }
end

describe("the emulator's storage host, with", function()
  for what, row in pairs(rows) do
    it(what .. ", leads to the right bytes", function()
      local list = {}
      for attempt, rule in ipairs(row) do
        list[attempt] = {}
        for name, value in pairs(rule) do
          list[attempt][name] = value
        end
      end
      local info, err, requests, link = download(list, row.options)
      assert.is_nil(err)
      local whole = emulated.fetch(link).body
      assert.equal(#whole, info.bytes)
      assert.is_true(folder:read "out.mp4" == whole, "the bytes differ")
      assert.same({ "out.mp4" }, folder:names())
      assert.equal(row.requests, #requests)
      assert.equal(row.from, row.from and requests[#requests].headers.range)
    end)
  end

  for what, row in pairs {
    ["a page of HTML"] = { "protocol", "MP4", { fault = "html" } },
    ["a JSON reply"] = { "protocol", "MP4", { fault = "code", code = 1000 } },
    ["an empty body"] = { "protocol", "MP4", { fault = "empty" } },
    ["a body that is longer than the video"] = { "protocol", "MP4", { fault = "longer" } },
    ["a body that is shorter than the video"] = { "protocol", "MP4", { fault = "shorter" } },
    ["a body that is packed"] = { "protocol", "packed", { fault = "gzip" } },
    ["redirects without an end"] = { "protocol", "too often",
      { fault = "redirect", url = "{link}" } },
    ["a redirect to a file"] = { "protocol", "redirects to",
      { fault = "redirect", url = "file:///etc/passwd" } },
    ["links that serve no more"] = { "expired", "renewed", { fault = "expired" } },
    ["cuts that never end"] = { "network", "", { fault = "cut", at = 0 } },
  } do
    it(what .. ", leads to an error of kind " .. row[1], function()
      local info, err = download({ row[3], always = true }, { retries = 1 })
      assert.is_nil(info)
      assert.equal(row[1], err.kind, tostring(err))
      assert.matches(row[2], err.message)
      assert.is_nil(folder:read "out.mp4")
    end)
  end

  it("cuts at 50 offsets, fetches little again", function()
    local client <close> = new_client()
    local jobs = {}
    for i = 1, 50 do
      local id, link = finished()
      jobs[i] = { id = id, at = math.max(1, i * SIZE // 50 - i), link = link,
        path = link:match "^%w+://[^/]*([^?]*)" }
    end
    api.emu:clear()
    for _, job in ipairs(jobs) do
      api.emu:fault { endpoint = job.path, fault = "cut", at = job.at, attempt = 1 }
    end
    minimax.run(function()
      for i, job in ipairs(jobs) do
        minimax.spawn(function()
          assert(client:download(job.id, folder:file("f" .. i)))
        end)
      end
    end)
    local whole = emulated.fetch(jobs[1].link).body
    for i, job in ipairs(jobs) do
      assert.is_true(folder:read("f" .. i) == whole, "the bytes differ")
      local requests = api.emu:requests { path = job.path }
      local from = tonumber((requests[2].headers.range or ""):match "%d+") or 0
      assert.is_true(job.at - from <= AGAIN, job.at .. " " .. from)
    end
    api.emu:clear()
  end)
end)
