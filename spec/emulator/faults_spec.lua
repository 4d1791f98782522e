--- lua/minimax/emulator/faults.lua: faults by name, of the API and of its storage host.

local emulated = require "spec.support.emulated"
local errno = require "cqueues.errno"
local faults = require "minimax.emulator.faults"

local PATH = "/v1/video_template_generation"

describe("the emulator's faults", function()
  local api

  before_each(function()
    api = emulated.start { video_bytes = 200000 }
  end)

  after_each(function()
    api:close()
  end)

  -- A submit that meets a fault.
  local function submit(fault, patience)
    fault.endpoint = "submit"
    api.emu:fault(fault)
    return api:send(PATH, { method = "POST", body = emulated.request "template",
      patience = patience })
  end

  local function created()
    return #api.emu:tasks()
  end

  it("reset a connection once the task is created", function()
    local reply, _, number = submit { fault = "reset" }
    assert.is_nil(reply)
    assert.equal(errno.ECONNRESET, number)
    assert.equal(1, created())
  end)

  it("close a connection once the task is created", function()
    local reply, _, number = submit { fault = "close" }
    assert.is_nil(reply)
    assert.equal(errno.EPIPE, number)
    assert.equal(1, created())
  end)

  it("say nothing once the task is created", function()
    local reply, _, number = submit({ fault = "hang" }, 0.2)
    assert.is_nil(reply)
    assert.equal(errno.ETIMEDOUT, number)
    assert.equal(1, created())
    assert.truthy(api:submit "template")
  end)

  it("break an answer off or fall silent in it", function()
    local reply, _, number = submit { fault = "cut" }
    assert.is_nil(reply)
    assert.not_equal(errno.ETIMEDOUT, number)
    reply, _, number = submit({ fault = "stall" }, 0.2)
    assert.is_nil(reply)
    assert.equal(errno.ETIMEDOUT, number)
    assert.equal(2, created())
  end)

  it("leave the task out where they are told to", function()
    submit { fault = "reset", created = false }
    submit { fault = "close", created = false }
    submit({ fault = "hang", created = false }, 0.1)
    assert.equal(0, created())
    submit { fault = "status_500", created = true }
    assert.equal(1, created())
  end)

  it("answer late", function()
    local reply = submit { fault = "slow", seconds = 0.3 }
    assert.equal(0, reply.object.base_resp.status_code)
    local late = submit({ fault = "slow", seconds = 30 }, 0.1)
    assert.is_nil(late)
    assert.equal(2, created())
  end)

  it("answer with an HTTP status and a page, and create nothing", function()
    for _, status in ipairs { 408, 429, 500, 502, 503, 504 } do
      local reply = submit { fault = "status_" .. status, retry_after = 7 }
      assert.equal(status, reply.status)
      assert.equal("7", reply.headers["retry-after"])
      assert.truthy(reply.body:find("<html>", 1, true))
    end
    local page = submit { fault = "html" }
    assert.equal(200, page.status)
    assert.equal("text/html", page.headers["content-type"])
    local elsewhere = submit { fault = "redirect", url = "/there" }
    assert.same({ 302, "/there" }, { elsewhere.status, elsewhere.headers.location })
    assert.equal(0, created())
  end)

  it("answer with the API's own codes, in the envelope of each family", function()
    local reply = submit { fault = "code", code = 1008 }
    assert.equal(200, reply.status)
    assert.same({ status_code = 1008, status_msg = "insufficient balance" },
      reply.object.base_resp)
    reply = submit { fault = "code", code = 1039, message = "my words" }
    assert.equal("my words", reply.object.base_resp.status_msg)
    api.emu:fault { endpoint = "submit", fault = "code", code = 1008 }
    local _, second = api:submit "video2"
    assert.equal(402, second.status)
    assert.equal("insufficient balance (1008)", second.object.error.message)
    assert.equal("insufficient_balance_error", second.object.error.type)
    assert.equal(0, created())
  end)

  it("answer with a body that is empty, half or padded, with the task created", function()
    local reply = submit { fault = "empty" }
    assert.same({ 200, "" }, { reply.status, reply.body })
    reply = submit { fault = "garbage" }
    assert.equal(200, reply.status)
    assert.is_nil(reply.object)
    reply = submit { fault = "big", bytes = 100000 }
    assert.equal(100000, #reply.body)
    assert.equal(0, reply.object.base_resp.status_code)
    assert.equal(3, created())
  end)

  it("change single members of an answer", function()
    local reply = submit { fault = "bare_ids" }
    assert.truthy(reply.body:find('"task_id":%d+}'))
    assert.is_nil(submit({ fault = "no_task_id" }).object.task_id)
    reply = submit { fault = "null_fields", fields = { "task_id" } }
    assert.truthy(reply.body:find('"task_id":null', 1, true))
    assert.equal(3, created())
    local id = api.emu:tasks()[1].task_id
    api.emu:fault { endpoint = "query", fault = "status", status = "Odd" }
    assert.equal("Odd", api:query("template", id).status)
    api.emu:fault { endpoint = "query", fault = "no_status" }
    assert.is_nil(api:query("template", id).status)
    api.emu:fault { endpoint = "query", fault = "null_fields" }
    local _, query = api:query("template", id)
    assert.truthy(query.body:find('"video_url":null', 1, true))
  end)

  it("change the status in the second family and in a gateway's wrapping", function()
    local id = api:submit "video2"
    api.emu:fault { endpoint = "query", fault = "status", status = "expired" }
    assert.equal("expired", api:query("video2", id).status)
    local wrapped <close> = emulated.start { wrap = 2 }
    id = wrapped:submit "video"
    wrapped.emu:fault { endpoint = "query", fault = "status", status = "Odd" }
    local object = wrapped:query("video", id)
    assert.equal("Odd", object.data.data.status)
  end)

  it("let a task fail, with a code of its own", function()
    local reply = submit { fault = "fail", code = 1026, message = "too wild" }
    api.emu:advance(60)
    local state = api:query("template", reply.object.task_id)
    assert.equal("Fail", state.status)
    assert.same({ status_code = 1026, status_msg = "too wild" }, state.base_resp)
    assert.is_nil(state.video_url)
    api.emu:fault { endpoint = "submit", fault = "fail" }
    local id = api:submit "video2"
    api.emu:advance(60)
    assert.same({ code = "1027", message = "output new_sensitive" },
      api:query("video2", id).error)
  end)

  it("pack an answer with gzip that others can read", function()
    local reply = submit { fault = "gzip" }
    assert.equal("gzip", reply.headers["content-encoding"])
    local size = string.unpack("<I4", reply.body, -4)
    local text = reply.body:sub(16, 15 + size)
    assert.truthy(text:find('^{"base_resp"'), text)
  end)

  it("meet the attempts that were named, and each the first that fits", function()
    api.emu:fault { endpoint = "query", fault = "code", code = 1000, attempt = { 2, 4 } }
    api.emu:fault { endpoint = "query", fault = "code", code = 1024, attempt = "all" }
    local codes = {}
    for attempt = 1, 4 do
      codes[attempt] = api:query("template", "1").base_resp.status_code
    end
    assert.same({ 1024, 1000, 1024, 1000 }, codes)
  end)

  it("meet the next requests where no attempt is named", function()
    api:query("template", "1")
    api.emu:fault { endpoint = "query", fault = "code", code = 1000, times = 2 }
    local codes = {}
    for attempt = 1, 3 do
      codes[attempt] = api:query("template", "1").base_resp.status_code
    end
    assert.same({ 1000, 1000, 2013 }, codes)
  end)

  it("meet a path, one that the API does not have too", function()
    local path = "/v1/files/retrieve"
    api.emu:fault { endpoint = path, fault = "code", code = 1013, attempt = 1 }
    api.emu:fault { endpoint = "call", fault = "html" }
    assert.equal(1013, api:get(path .. "?file_id=1").base_resp.status_code)
    assert.equal(2013, api:get(path .. "?file_id=1").base_resp.status_code)
    assert.equal(200, api:send("/v1/nowhere").status)
    assert.equal(404, api:send("/v1/nowhere").status)
  end)

  it("are forgotten with the counts", function()
    api.emu:fault { endpoint = "query", fault = "html", attempt = "all" }
    api.emu:clear()
    assert.equal(2013, api:query("template", "1").base_resp.status_code)
    assert.equal(1, api.emu:requests()[1].attempt)
  end)

  describe("of the storage host", function()
    local link, whole

    before_each(function()
      link = api:query("template", api:finished "template").video_url
      whole = emulated.fetch(link).body
      api.emu:clear()
    end)

    local function fetch(fault, headers, patience)
      fault.endpoint = "storage"
      api.emu:fault(fault)
      return emulated.fetch(link, { headers = headers, patience = patience })
    end

    local RANGE = { range = "bytes=100-199" }

    it("cut, stall, reset and close", function()
      assert.is_nil(fetch { fault = "cut", at = 1000 })
      assert.equal(errno.ETIMEDOUT, select(3, fetch({ fault = "stall" }, nil, 0.3)))
      assert.equal(errno.ECONNRESET, select(3, fetch { fault = "reset" }))
      assert.equal(errno.EPIPE, select(3, fetch { fault = "close" }))
      assert.equal(whole, emulated.fetch(link).body)
    end)

    it("refuse the link or answer with a page", function()
      local reply = fetch { fault = "expired" }
      assert.equal(403, reply.status)
      assert.truthy(reply.body:find("<Code>AccessDenied</Code>", 1, true))
      assert.equal(503, fetch({ fault = "status_503" }).status)
      assert.equal("text/html", fetch({ fault = "html" }).headers["content-type"])
    end)

    it("spoil a range", function()
      local reply = fetch({ fault = "wrong_content_range" }, RANGE)
      assert.equal("bytes 101-200/200000", reply.headers["content-range"])
      assert.equal(whole:sub(101, 200), reply.body)
      reply = fetch({ fault = "wrong_content_range", content_range = "odd" }, RANGE)
      assert.equal("odd", reply.headers["content-range"])
      reply = fetch({ fault = "ignore_range" }, RANGE)
      assert.equal(200, reply.status)
      assert.equal(whole, reply.body)
    end)

    it("spoil the ETag", function()
      assert.truthy(fetch({ fault = "weak_etag" }).headers.etag:find '^W/"')
      assert.is_nil(fetch({ fault = "no_etag" }).headers.etag)
      local before = emulated.fetch(link)
      local headers = { range = "bytes=100-199", ["if-range"] = before.headers.etag }
      local after = fetch({ fault = "etag_change" }, headers)
      assert.equal(200, after.status)
      assert.not_equal(before.headers.etag, after.headers.etag)
      assert.not_equal(#before.body, #after.body)
      assert.equal(after.headers.etag, emulated.fetch(link).headers.etag)
    end)

    it("serve too much or too little as if it were whole", function()
      local reply = fetch { fault = "longer" }
      assert.equal(tostring(#reply.body), reply.headers["content-length"])
      assert.truthy(#reply.body > #whole)
      assert.equal(whole, reply.body:sub(1, #whole))
      reply = fetch { fault = "shorter" }
      assert.equal(whole:sub(1, -8), reply.body)
    end)
  end)
end)

describe("a fault", function()
  local function problem(rule)
    return select(2, faults.check(rule))
  end

  it("is refused where it could never be met", function()
    assert.equal("unknown endpoint 'sumbit' (did you mean 'submit'?)",
      problem { endpoint = "sumbit", fault = "reset" })
    assert.equal("unknown fault 'rest' (did you mean 'reset'?)",
      problem { endpoint = "submit", fault = "rest" })
    assert.equal("unknown field 'tims' (did you mean 'times'?)",
      problem { endpoint = "submit", fault = "reset", tims = 1 })
    assert.equal("field 'times' must be a number",
      problem { endpoint = "submit", fault = "reset", times = "2" })
    assert.equal("fault 'expired' is for endpoint 'storage'",
      problem { endpoint = "query", fault = "expired" })
    assert.equal("fault 'fail' is for endpoint 'submit'",
      problem { endpoint = "query", fault = "fail" })
    assert.equal("fault 'code' needs the field 'code'",
      problem { endpoint = "query", fault = "code" })
    assert.equal("field 'attempt' must be a number, a list of numbers or 'all'",
      problem { endpoint = "query", fault = "reset", attempt = "first" })
    assert.is_true(faults.check { endpoint = "/v1/x", fault = "status_418", attempt = { 1 } })
  end)

  it("raises where it is given", function()
    local api <close> = emulated.start()
    local ok, message = pcall(api.emu.fault, api.emu, { endpoint = "submit", fault = "rest" })
    assert.is_false(ok)
    assert.truthy(message:find("unknown fault 'rest'", 1, true))
  end)
end)
