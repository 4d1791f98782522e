-- Keys, rate limits and the ways of gateways.

local cqueues = require "cqueues"
local emulated = require "spec.support.emulated"
local limits = require "minimax.emulator.limits"

describe("the emulator's keys", function()
  it("are demanded with HTTP 200 and a code in the first family", function()
    local api <close> = emulated.start { api_keys = { "one", "two" } }
    local function code(key)
      local reply = emulated.fetch(api.emu.base_url .. "/v1/files/retrieve?file_id=1",
        { headers = { authorization = key } })
      assert.equal(200, reply.status)
      return reply.object.base_resp.status_code
    end
    assert.equal("one", api.emu.api_key)
    assert.same({ 1004, 1004, 2049, 2013, 2013 },
      { code(), code "one", code "Bearer three", code "Bearer one", code "Bearer two" })
  end)

  it("come in another header, bare", function()
    local api <close> = emulated.start { auth_header = "X-Key", auth_scheme = "" }
    local url = api.emu.base_url .. "/v1/files/retrieve?file_id=1"
    local reply = emulated.fetch(url, { headers = { ["x-key"] = api.emu.api_key } })
    assert.equal(2013, reply.object.base_resp.status_code)
    reply = api:send "/v1/files/retrieve?file_id=1"
    assert.equal(1004, reply.object.base_resp.status_code)
  end)
end)

describe("the emulator", function()
  it("takes no body but a JSON object, however its type is spelled", function()
    local api <close> = emulated.start()
    local function message(body, content_type)
      return api:send("/v1/video_template_generation", { method = "POST", body = body,
        headers = { ["content-type"] = content_type } }).object.base_resp.status_msg
    end
    local json = '{"template_id":"1"}'
    for _, content_type in ipairs { "application/json", "application/json; charset=utf-8",
      "Application/JSON", "application/json;charset=UTF-8", "application/json ; a=b" } do
      assert.equal("success", message(json, content_type), content_type)
    end
    for _, content_type in ipairs { "text/plain", "application/jsonl", "text/json",
      "application/x; application/json" } do
      assert.truthy(message(json, content_type):find("Content-Type must be", 1, true))
    end
    assert.truthy(message("{", "application/json"):find("not a JSON object", 1, true))
    for _, body in ipairs { "12", "[]", '[{"template_id":"1"}]', "null", '"a"' } do
      assert.truthy(message(body, "application/json"):find("not a JSON object", 1, true), body)
    end
  end)

  it("knows its key behind the scheme in any case, and behind no other", function()
    local api <close> = emulated.start { api_keys = { "one", "Two" } }
    local function code(value)
      return api:send("/v1/files/list?purpose=video_generation_input",
        { headers = { authorization = value } }).object.base_resp.status_code
    end
    for _, value in ipairs { "Bearer one", "bearer one", "BEARER one", "Bearer  one",
      "bEARER Two" } do
      assert.equal(0, code(value), value)
    end
    for _, value in ipairs { "one", "Bearerone", "Basic one", "Bearer" } do
      assert.equal(1004, code(value), value)
    end
    assert.equal(2049, code "Bearer ONE")
  end)

  it("says when it answered, on both hosts and with errors, too", function()
    local api <close> = emulated.start()
    local url = api:query("template", api:finished "template").video_url
    local elsewhere = { headers = { host = "elsewhere" } }
    for _, reply in ipairs { api:send "/v1/nowhere", emulated.fetch(url),
      emulated.fetch(url .. "x"), emulated.fetch(api.emu.base_url, elsewhere) } do
      local day, year, rest = reply.headers.date:match("^%a%a%a, (%d%d) %a%a%a (%d+)( .*)$")
      assert.truthy(math.abs(tonumber(year) - tonumber(os.date "!%Y")) <= 1, reply.headers.date)
      assert.truthy(math.abs(tonumber(day) - tonumber(os.date "!%d")) <= 1 or day == "01")
      assert.matches("^ %d%d:%d%d:%d%d GMT$", rest)
    end
  end)

  it("does not answer to a name that only leads here, unless it is told to", function()
    local api <close> = emulated.start { allowed_hosts = { "emulator.test" } }
    local film = api:query("template", api:finished "template").video_url
    local function status(url, host)
      return emulated.fetch(url, { headers = { [":authority"] = host,
        authorization = "Bearer " .. api.emu.api_key } }).status
    end
    api.emu:clear()
    local list = api.emu.base_url .. "/v1/files/list?purpose=video_generation_input"
    for _, host in ipairs { "localhost", "LocalHost:1", "127.0.0.1:" .. api.emu.port, "[::1]:9",
      "emulator.test:80" } do
      assert.equal(200, status(list, host), host)
    end
    local before = #api.emu:requests()
    for _, host in ipairs { "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80",
      "[::2]", "10.0.0.1", "notlocalhost" } do
      assert.equal(421, status(list, host), host)
      assert.equal(421, status(film, host), host)
    end
    assert.equal(before, #api.emu:requests())
  end)

  it("answers an unknown path as plain text, and every request with a trace id", function()
    local api <close> = emulated.start()
    local reply = api:send "/v1/nowhere"
    assert.same({ 404, "404 page not found" }, { reply.status, reply.body })
    assert.truthy(reply.headers["content-type"]:find("^text/plain"))
    assert.truthy(reply.headers["trace-id"]:find("^%x+$"))
    assert.equal(404, api:send("/v1/video_generation").status)
  end)

  it("stands behind a prefix", function()
    local api <close> = emulated.start { path_prefix = "/minimaxi" }
    assert.truthy(api.emu.base_url:find "/minimaxi$")
    assert.truthy(api:submit "template")
    local bare = api.emu.base_url:gsub("/minimaxi$", "")
    assert.equal(404, emulated.fetch(bare .. "/v1/files/retrieve").status)
  end)

  it("wraps a query's reply one or two levels deep, the link inside", function()
    local one <close> = emulated.start { wrap = 1 }
    local object = one:query("video", one:finished "video")
    assert.equal("success", object.code)
    assert.equal("Success", object.data.status)
    assert.truthy(object.data.file.download_url)
    assert.is_nil(object.data.data)
    local two <close> = emulated.start { wrap = 2 }
    local id = two:finished "video"
    object = two:query("video", id)
    assert.same({ id, "SUCCESS", "100%" },
      { object.data.task_id, object.data.status, object.data.progress })
    assert.equal("Success", object.data.data.status)
    assert.equal(object.data.data.file_id, object.data.fail_reason)
    assert.equal(200, emulated.fetch(object.data.data.file.download_url).status)
    object = two:query("template", two:finished "template")
    assert.truthy(object.data.data.video_url)
    assert.equal(2013, two:query("template", "1").base_resp.status_code)
  end)

  it("gives ids of any length, quoted or bare, that no double holds", function()
    for _, digits in ipairs { 15, 18, 19, 20 } do
      for _, shape in ipairs { "string", "number" } do
        local api <close> = emulated.start { digits = digits, ids = shape }
        local _, reply = api:submit "video"
        local mark = shape == "string" and '"' or ""
        local id = reply.body:match('"task_id":' .. mark .. "(%d+)" .. mark .. "}")
        assert.equal(digits, #id)
        assert.equal(api.emu:tasks()[1].task_id, id)
        api.emu:advance(60)
        _, reply = api:query("video", id)
        assert.truthy(reply.body:find('"file_id":' .. mark .. "%d+" .. mark .. ","))
        local odd = digits < 16 or string.format("%.0f", tonumber(id .. ".0")) ~= id
        assert.is_true(odd)
      end
    end
  end)

  it("gives ids like video_01J", function()
    local api <close> = emulated.start { ids = "ulid" }
    local id = api:submit "video"
    assert.truthy(id:find("^video_01J[%dA-HJKMNP-TV-Z]+$"))
    assert.equal(32, #id)
    assert.equal(id, api:query("video", id).task_id)
  end)

  it("makes the same ids from the same seed", function()
    local function first(seed)
      local api <close> = emulated.start { seed = seed }
      return (api:submit "template")
    end
    assert.equal(first(7), first(7))
    assert.not_equal(first(7), first(8))
  end)

  it("lets a share of the tasks fail", function()
    local api <close> = emulated.start { fail_rate = 1 }
    local state = api:query("template", api:finished "template")
    assert.equal("Fail", state.status)
    assert.equal(1027, state.base_resp.status_code)
  end)
end)

describe("the emulator's rate limits", function()
  it("refuse what is too much with 1002, or HTTP 429 in the second family", function()
    local api <close> = emulated.start { speed = 0.001, submit_rate = { 2, 600 },
      query_rate = { 1, 600 } }
    local id = api:submit "template"
    assert.truthy(api:submit "video2")
    local _, reply = api:submit "template"
    assert.same({ 200, 1002 }, { reply.status, reply.object.base_resp.status_code })
    _, reply = api:submit "video2"
    assert.same({ 429, "rate limit (1002)" }, { reply.status, reply.object.error.message })
    assert.equal("Preparing", api:query("template", id).status)
    assert.equal(1002, api:query("template", id).base_resp.status_code)
    assert.equal(2, #api.emu:tasks())
    assert.equal(4, #api.emu:requests { endpoint = "submit" })
  end)

  it("open again as time passes", function()
    local budget = limits.new { submit_rate = { 2, 0.2 } }
    local start = cqueues.monotime()
    local taken = 0
    emulated.wait_until(function()
      taken = budget:take "submit" and taken + 1 or taken
      return taken == 5
    end, "five places")
    assert.truthy(cqueues.monotime() - start >= 0.4)
  end)

  it("leave alone what has none", function()
    local budget = limits.new {}
    for _ = 1, 100 do
      assert.is_true(budget:take "submit")
      assert.is_true(budget:take "retrieve")
    end
  end)
end)
