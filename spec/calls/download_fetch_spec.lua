--- src/calls/download_fetch.c and download_link.c: the way of a download to its link
-- and to its bytes: renewal, redirects, attempts, resumption.

local minimax = require "minimax"
local process = require "spec.support.process"
local storage = require "spec.support.storage"
local temp = require "spec.support.temp"
local video = require "spec.support.video"
local wire = require "spec.support.wire"

local SIZE = 300000
local KEY = "sk-spec-key-1234"

local folder

local function contents(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

-- Not assert.equal: it would print both files.
local function assert_bytes(expected, got)
  assert.equal(#expected, #got)
  assert.is_true(expected == got, "the bytes differ")
end

local function assert_fault(kind, pattern, result, err)
  assert.is_nil(result)
  assert.equal(kind, err.kind, tostring(err))
  assert.matches(pattern, tostring(err))
  assert.equal("download", err.stage)
  assert.is_nil(tostring(err):find(KEY, 1, true))
  return err
end

local function start(plan)
  return wire.start { serve = storage.script(plan) }
end

local function client_of(server, options)
  local merged = { base_url = server.url, api_key = KEY }
  for name, value in pairs(options or {}) do
    merged[name] = value
  end
  return minimax.new(merged)
end

-- The requests of one path, in their order.
local function requests_of(server, name)
  local list = {}
  for _, request in ipairs(server:requests()) do
    if request.path:match("^/([%w._]*)") == name then
      list[#list + 1] = request
    end
  end
  return list
end

local function ranges_of(server, name)
  local list = {}
  for i, request in ipairs(requests_of(server, name)) do
    list[i] = request.headers.range or "whole"
  end
  return list
end

local function answer(body)
  return { status = 200, headers = { ["Content-Type"] = "application/json" }, body = body }
end

local VIDEO = { size = SIZE }
local OK = '"base_resp":{"status_code":0,"status_msg":"success"}'

before_each(function()
  folder = temp.folder()
end)

after_each(function()
  folder:close()
end)

describe("the request for the bytes", function()
  it("is a bare one: no key, no header of the client, the link verbatim", function()
    local server <close> = start { a = { VIDEO } }
    local client <close> = client_of(server, {
      headers = { ["X-Gateway"] = "mine" }, query = { GroupId = "17" } })
    local path = "/a%2Fvideo%2fx.mp4?Expires=1763567386&Signature=c%2BdE%3D&x=[1]"
    assert(client:download(server.url .. path, folder:file("out.mp4"), { allow_private = true }))
    local head = server:requests()[1].head
    local expected = { "GET " .. path .. " HTTP/1.1", "Host: 127.0.0.1:" .. server.port,
      "User-Agent: minimax-lua/" .. minimax._VERSION, "Accept: */*",
      "Accept-Encoding: identity", "", "" }
    assert.equal(table.concat(expected, "\r\n"), head)
  end)

  it("needs no key", function()
    local server <close> = start { a = { VIDEO } }
    local client <close> = minimax.new { base_url = server.url }
    assert(client:download(server.url .. "/a", folder:file("out.mp4")))
  end)
end)

describe("the link", function()
  it("of a template task comes from its query", function()
    local server <close> = start {
      v1 = { answer('{"task_id":"401047179385389059","status":"Success",'
        .. '"video_url":"{origin}/a.mp4",' .. OK .. "}") },
      ["a.mp4"] = { VIDEO },
    }
    local client <close> = client_of(server)
    for _, what in ipairs { "401047179385389059",
      { task_id = "401047179385389059", kind = "template" } } do
      assert(client:download(what, folder:file("out.mp4")))
      assert_bytes(video.make(SIZE), contents(folder:file("out.mp4")))
    end
    assert.equal("/v1/query/video_template_generation?task_id=401047179385389059",
      server:requests()[1].path)
    assert.equal("Bearer " .. KEY, server:requests()[1].headers.authorization)
    assert.is_nil(requests_of(server, "a.mp4")[1].headers.authorization)
  end)

  it("of a video task comes from its file, an id of 18 digits and bare", function()
    local server <close> = start {
      v1 = {
        answer('{"task_id":"17","status":"Success","file_id":"401047179385389059",' .. OK .. "}"),
        answer('{"file":{"file_id":401047179385389059,"download_url":"{origin}/a.mp4"},'
          .. OK .. "}"),
      },
      ["a.mp4"] = { VIDEO },
    }
    local client <close> = client_of(server)
    assert(client:download({ task_id = "17", kind = "video" }, folder:file("out.mp4")))
    assert.equal("/v1/query/video_generation?task_id=17", server:requests()[1].path)
    assert.equal("/v1/files/retrieve?file_id=401047179385389059", server:requests()[2].path)
    assert.equal("/a.mp4", server:requests()[3].path)
  end)

  it("of a video2 task comes from its content", function()
    local server <close> = start {
      v2 = { answer('{"task":{"id":"17","status":"succeeded",'
        .. '"content":{"url":"{origin}/a.mp4"}}}') },
      ["a.mp4"] = { VIDEO },
    }
    local client <close> = client_of(server)
    assert(client:download("17", folder:file("out.mp4"), { kind = "video2" }))
    assert.equal("/v2/query/video_generation/17", server:requests()[1].path)
  end)

  it("of a status is taken as it stands, without a query", function()
    local server <close> = start {
      v1 = { answer('{"task_id":"17","status":"Success","video_url":"{origin}/a.mp4",'
        .. OK .. "}") },
      ["a.mp4"] = { VIDEO },
    }
    local client <close> = client_of(server)
    local status = assert(client:query("17"))
    assert(client:download(status, folder:file("out.mp4")))
    assert(status:download(folder:file("out.mp4")))
    assert.equal(1, #requests_of(server, "v1"))
  end)

  it("of any table with file_id comes from files/retrieve", function()
    local server <close> = start {
      v1 = { answer('{"file":{"file_id":5,"download_url":"{origin}/a.mp4"},' .. OK .. "}") },
      ["a.mp4"] = { VIDEO },
    }
    local client <close> = client_of(server)
    assert(client:download({ file_id = "401047179385389059" }, folder:file("out.mp4")))
    assert(client:download({ file_id = 401047179385389059 }, folder:file("out.mp4")))
    for _, request in ipairs(requests_of(server, "v1")) do
      assert.equal("/v1/files/retrieve?file_id=401047179385389059", request.path)
    end
  end)

  it("that files/retrieve does not name leads to files/retrieve_content, with the key", function()
    local server <close> = start {
      v1 = { answer('{"file":{"file_id":5,"download_url":""},' .. OK .. "}"), VIDEO },
    }
    local client <close> = client_of(server, { headers = { ["X-Gateway"] = "mine" } })
    assert(client:download({ file_id = "5" }, folder:file("out.mp4")))
    assert_bytes(video.make(SIZE), contents(folder:file("out.mp4")))
    local request = server:requests()[2]
    assert.equal("/v1/files/retrieve_content?file_id=5", request.path)
    assert.equal("Bearer " .. KEY, request.headers.authorization)
    assert.equal("mine", request.headers["x-gateway"])
  end)

  it("of files/retrieve_content is resumed with the key, too", function()
    local server <close> = start {
      v1 = { answer('{"file":{"file_id":5},' .. OK .. "}"), { size = SIZE, cut = 100000 }, VIDEO },
    }
    local client <close> = client_of(server)
    assert(client:download({ file_id = "5" }, folder:file("out.mp4")))
    assert_bytes(video.make(SIZE), contents(folder:file("out.mp4")))
    local request = server:requests()[3]
    assert.equal("bytes=100000-", request.headers.range)
    assert.equal("Bearer " .. KEY, request.headers.authorization)
  end)

  it("of files/retrieve_content keeps the key at home when it redirects", function()
    local other <close> = start { a = { VIDEO } }
    local server <close> = start {
      v1 = { answer('{"file":{"file_id":5},' .. OK .. "}"),
        { status = 302, headers = { Location = other.url .. "/a" } } },
    }
    local client <close> = client_of(server, { headers = { ["X-Gateway"] = "mine" } })
    assert(client:download({ file_id = "5" }, folder:file("out.mp4")))
    local head = other:requests()[1].head
    assert.is_nil(head:find(KEY, 1, true))
    assert.is_nil(head:find("mine", 1, true))
  end)

  it("of a task that has not succeeded is kind invalid with its state", function()
    for word, state in pairs { Processing = "running", Queueing = "queued", Fail = "failed" } do
      local server <close> = start {
        v1 = { answer('{"task_id":"17","status":"' .. word .. '",' .. OK .. "}") } }
      local client <close> = client_of(server)
      local err = assert_fault("invalid", state, client:download("17", folder:file("out.mp4")))
      assert.equal("17", err.task_id)
      assert.equal(state, err.status.state)
      assert.same({}, folder:names())
    end
  end)

  it("of a file that is not there is the API's error", function()
    local server <close> = start {
      v1 = { answer '{"base_resp":{"status_code":2013,"status_msg":"no such file"}}' } }
    local client <close> = client_of(server)
    local err = assert_fault("invalid", "no such file",
      client:download({ file_id = "5" }, folder:file("out.mp4")))
    assert.equal(2013, err.code)
  end)
end)

describe("a link as it is named", function()
  -- What is asked for where the task's answer names that link.
  local function path_of(link, prefix)
    local server <close> = start {
      v1 = { answer('{"status":"Success","video_url":"' .. link .. '",' .. OK .. "}") },
      gw = { answer('{"status":"Success","video_url":"' .. link .. '",' .. OK .. "}"), VIDEO },
      [""] = { VIDEO }, v = { VIDEO },
    }
    local client <close> = minimax.new { base_url = server.url .. (prefix or ""), api_key = KEY,
      retries = 0 }
    local destination = folder:file("out.mp4")
    local _, err = client:download("17", destination)
    assert.is_nil(err)
    local requests = server:requests()
    return requests[#requests].path, requests[#requests].headers.authorization
  end

  for link, path in pairs {
    ["{origin}/v/a.mp4?x=1"] = "/v/a.mp4?x=1",
    [" {origin}/v/a.mp4 "] = "/v/a.mp4",
    ["\\n\\t{origin}/v/a.mp4\\r\\n"] = "/v/a.mp4",
    ["{origin}/v/my cat.mp4?of=my pet"] = "/v/my%20cat.mp4?of=my%20pet",
    ["{origin}/v/my%20cat%2F.mp4"] = "/v/my%20cat%2F.mp4",
    ["{origin}/v/k\u{F6}nig.mp4"] = "/v/k%C3%B6nig.mp4",
    ["//127.0.0.1:{port}/v/a.mp4"] = "/v/a.mp4",
    ["/v/a.mp4?x=1"] = "/v/a.mp4?x=1",
    [" /v/my cat.mp4"] = "/v/my%20cat.mp4",
    ["v/a.mp4"] = "/v/a.mp4",
    ["HTTP://127.0.0.1:{port}/v/a.mp4"] = "/v/a.mp4",
  } do
    it(("%q leads to %s"):format(link, path), function()
      local asked, key = path_of(link)
      assert.equal(path, asked)
      assert.is_nil(key)
    end)
  end

  it("leads on from base_url and its prefix", function()
    assert.equal("/gw/v/a.mp4", (path_of("v/a.mp4", "/gw")))
    assert.equal("/v/a.mp4", (path_of("/v/a.mp4", "/gw")))
  end)

  it("by files/retrieve may be relative, too", function()
    local server <close> = start {
      v1 = { answer('{"file":{"file_id":5,"download_url":"/v/a b.mp4"},' .. OK .. "}") },
      v = { VIDEO } }
    local client <close> = client_of(server)
    assert(client:download({ file_id = "5" }, folder:file("out.mp4")))
    assert.equal("/v/a%20b.mp4", requests_of(server, "v")[1].path)
  end)

  it("by the program may have blanks and capitals, too", function()
    local server <close> = start { v = { VIDEO } }
    local client <close> = client_of(server)
    for _, link in ipairs { " " .. server.url .. "/v/a b\n",
      (server.url:gsub("^http", "HTTP")) .. "/v/a b" } do
      assert(client:download(link, folder:file("out.mp4")))
      assert.equal("/v/a%20b", requests_of(server, "v")[1].path)
    end
  end)

  it("that is none, or of blanks, is kind invalid", function()
    local server <close> = start { v = { VIDEO } }
    local client <close> = client_of(server)
    for _, link in ipairs { "ftp://127.0.0.1/v.mp4", " ", "data:video/mp4;base64,AAAA" } do
      assert_fault("invalid", "URL can't be used",
        client:download({ url = link }, folder:file("out.mp4")))
    end
  end)

  it("with http:// says in its error that https:// was tried", function()
    local server <close> = wire.start { steps = {
      { "send", "HTTP/1.1 400 Bad Request\r\n\r\n" }, { "close" } } }
    local client <close> = minimax.new { api_key = KEY, retries = 0 }
    local err = select(2, client:download(server.url .. "/v.mp4?Signature=s3cret",
      folder:file("out.mp4"), { allow_private = true }))
    assert.matches("begins with http:// and was asked for over https://", err.message)
    assert.is_nil(err.message:find("s3cret", 1, true))
    local secure <close> = wire.start { tls = "good", serve = storage.script({
      v = { { status = 404 } } }, "https") }
    local own <close> = minimax.new { base_url = secure.url, api_key = KEY, retries = 0,
      ca_file = secure.ca_file }
    err = assert_fault("expired", "serves no more", own:download(secure.url .. "/v.mp4",
      folder:file("out.mp4")))
    assert.is_nil(err.message:find("http://", 1, true))
    err = assert_fault("expired", "http://", own:download(
      (secure.url:gsub("^https", "http")) .. "/v.mp4", folder:file("out.mp4")))
    assert.equal(404, err.http_status)
  end)
end)

describe("a link that has expired", function()
  local function task_server(status)
    return start {
      v1 = {
        answer('{"task_id":"17","status":"Success","video_url":"{origin}/old",' .. OK .. "}"),
        answer('{"task_id":"17","status":"Success","video_url":"{origin}/new",' .. OK .. "}"),
      },
      old = { { status = status, body = "<Error>Expired</Error>" } },
      new = { VIDEO },
    }
  end

  for _, status in ipairs { 401, 403, 404, 410 } do
    it("with " .. status .. " is renewed by querying the task again", function()
      local server <close> = task_server(status)
      local renewed = {}
      local client <close> = client_of(server, { on_event = function(event)
        if event.type == "renew" then
          renewed[#renewed + 1] = event.http_status
        end
      end })
      assert(client:download("17", folder:file("out.mp4")))
      assert_bytes(video.make(SIZE), contents(folder:file("out.mp4")))
      assert.equal(2, #requests_of(server, "v1"))
      assert.same({ status }, renewed)
    end)

    it("with " .. status .. " and no task behind it is kind expired", function()
      local server <close> = task_server(status)
      local client <close> = client_of(server)
      local err = assert_fault("expired", "download the task",
        client:download(server.url .. "/old?Signature=secret", folder:file("out.mp4")))
      assert.equal(status, err.http_status)
      assert.is_nil(tostring(err):find("secret", 1, true))
      assert.equal(1, #server:requests())
    end)
  end

  it("in the middle of the download goes on where it was", function()
    local server <close> = start {
      v1 = { answer('{"task_id":"17","status":"Success","video_url":"{origin}/a",' .. OK .. "}") },
      a = { { size = SIZE, cut = 100000 }, { status = 403 }, VIDEO },
    }
    local client <close> = client_of(server)
    assert(client:download("17", folder:file("out.mp4")))
    assert_bytes(video.make(SIZE), contents(folder:file("out.mp4")))
    assert.same({ "whole", "bytes=100000-", "bytes=100000-" }, ranges_of(server, "a"))
    assert.equal(2, #requests_of(server, "v1"))
  end)

  it("of a file is renewed by retrieving it again", function()
    local server <close> = start {
      v1 = { answer('{"file":{"file_id":5,"download_url":"{origin}/old"},' .. OK .. "}"),
        answer('{"file":{"file_id":5,"download_url":"{origin}/new"},' .. OK .. "}") },
      old = { { status = 403 } }, new = { VIDEO },
    }
    local client <close> = client_of(server)
    assert(client:download({ file_id = "5" }, folder:file("out.mp4")))
    assert.equal(2, #requests_of(server, "v1"))
  end)

  it("of files/retrieve_content is asked for with the key again", function()
    local server <close> = start {
      v1 = { answer('{"file":{"file_id":5},' .. OK .. "}"),
        { status = 302, headers = { Location = "/old" } },
        answer('{"file":{"file_id":5},' .. OK .. "}"), VIDEO },
      old = { { status = 403 } },
    }
    local client <close> = client_of(server)
    assert(client:download({ file_id = "5" }, folder:file("out.mp4")))
    assert.equal("Bearer " .. KEY, requests_of(server, "v1")[4].headers.authorization)
    assert.is_nil(requests_of(server, "old")[1].headers.authorization)
  end)

  it("and whose renewed one does not serve either ends as expired", function()
    local server <close> = start {
      v1 = { answer('{"task_id":"17","status":"Success","video_url":"{origin}/a",' .. OK .. "}") },
      a = { { status = 403 } },
    }
    local client <close> = client_of(server)
    assert_fault("expired", "renewed", client:download("17", folder:file("out.mp4")))
    assert.equal(4, #requests_of(server, "a"))
  end)
end)

describe("a redirect", function()
  it("to the same host is followed, a relative one too", function()
    local server <close> = start {
      a = { { status = 302, headers = { Location = "{origin}/b" } } },
      b = { { status = 307, headers = { Location = "/c/../d" } } },
      d = { VIDEO },
    }
    local client <close> = client_of(server)
    assert(client:download(server.url .. "/a", folder:file("out.mp4")))
    assert_bytes(video.make(SIZE), contents(folder:file("out.mp4")))
  end)

  it("to another host is followed, with a bare request", function()
    local other <close> = start { b = { VIDEO } }
    local server <close> = start {
      a = { { status = 301, headers = { Location = other.url .. "/b?Signature=s" } } } }
    local client <close> = client_of(server)
    assert(client:download(server.url .. "/a", folder:file("out.mp4")))
    assert.is_nil(other:requests()[1].head:find(KEY, 1, true))
    assert.is_nil(other:requests()[1].headers.referer)
  end)

  it("to a link that has expired in the middle is asked for anew", function()
    local server <close> = start {
      a = { { status = 302, headers = { Location = "/v?Expires=1" } },
        { status = 302, headers = { Location = "/v?Expires=2" } } },
      v = { { size = SIZE, cut = SIZE // 2 }, { status = 403 }, VIDEO },
    }
    local client <close> = client_of(server)
    assert(client:download(server.url .. "/a", folder:file("out.mp4")))
    assert_bytes(video.make(SIZE), contents(folder:file("out.mp4")))
    local paths = {}
    for i, request in ipairs(server:requests()) do
      paths[i] = request.path
    end
    assert.same({ "/a", "/v?Expires=1", "/v?Expires=1", "/a", "/v?Expires=2" }, paths)
    assert.equal(("bytes=%d-"):format(SIZE // 2), server:requests()[5].headers.range)
  end)

  it("to a link that never serves is asked for three times more", function()
    local server <close> = start {
      a = { { status = 302, headers = { Location = "/gone" } } }, gone = { { status = 410 } } }
    local client <close> = client_of(server)
    assert_fault("expired", "serves no more",
      client:download(server.url .. "/a", folder:file("out.mp4")))
    assert.equal(8, #server:requests())
  end)

  it("is followed five times and no more", function()
    local plan = { f = { VIDEO }, g = { { status = 302, headers = { Location = "/a" } } } }
    for name in ("abcde"):gmatch(".") do
      local target = "/" .. string.char(name:byte() + 1)
      plan[name] = { { status = 302, headers = { Location = target } } }
    end
    local server <close> = start(plan)
    local client <close> = client_of(server)
    assert(client:download(server.url .. "/a", folder:file("out.mp4")))
    assert_fault("protocol", "too often",
      client:download(server.url .. "/g", folder:file("out.mp4")))
  end)

  it("in a circle is kind protocol", function()
    local server <close> = start { a = { { status = 302, headers = { Location = "/a" } } } }
    local client <close> = client_of(server)
    local err = assert_fault("protocol", "too often",
      client:download(server.url .. "/a", folder:file("out.mp4")))
    assert.equal(302, err.http_status)
    assert.equal(6, #server:requests())
  end)

  for _, target in ipairs { "file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://127.0.0.1/a",
    "dict://127.0.0.1/a", "javascript:alert(1)" } do
    it("to " .. target .. " is kind protocol", function()
      local server <close> = start { a = { { status = 302, headers = { Location = target } } } }
      local client <close> = client_of(server)
      assert_fault("protocol", "redirects to", client:download(server.url .. "/a",
        folder:file("out.mp4")))
      assert.equal(1, server:connections())
    end)
  end

  it("without a target is kind protocol", function()
    local server <close> = start { a = { { status = 302 } } }
    local client <close> = client_of(server)
    assert_fault("protocol", "nowhere", client:download(server.url .. "/a",
      folder:file("out.mp4")))
  end)

  it("with an endless body is followed all the same", function()
    local server <close> = start {
      a = { { status = 302, headers = { Location = "/b" }, body = ("x"):rep(300000) } },
      b = { VIDEO },
    }
    local client <close> = client_of(server)
    assert(client:download(server.url .. "/a", folder:file("out.mp4")))
  end)
end)

describe("an answer that is an error", function()
  it("500 is tried again, and then fine", function()
    local server <close> = start { a = { { status = 500 }, { status = 503 }, VIDEO } }
    local client <close> = client_of(server)
    assert(client:download(server.url .. "/a", folder:file("out.mp4")))
    assert_bytes(video.make(SIZE), contents(folder:file("out.mp4")))
  end)

  it("500 for ever ends as kind server after the retries", function()
    local server <close> = start { a = { { status = 500, body = "<html>oops</html>" } } }
    local client <close> = client_of(server, { retries = 1 })
    local err = assert_fault("server", "storage host",
      client:download(server.url .. "/a", folder:file("out.mp4")))
    assert.equal(500, err.http_status)
    assert.equal(2, err.attempts)
    assert.is_true(err.retryable)
  end)

  it("429 is tried again after its Retry-After", function()
    local server <close> = start {
      a = { { status = 429, headers = { ["Retry-After"] = "600ms" } }, VIDEO } }
    local delays = {}
    local client <close> = client_of(server, { on_event = function(event)
      if event.type == "retry" then
        delays[#delays + 1] = event.delay
      end
    end })
    assert(client:download(server.url .. "/a", folder:file("out.mp4")))
    assert.same({ 0.6 }, delays)
  end)

  local function busy(seconds)
    return { status = 503, headers = { ["Retry-After"] = seconds } }
  end

  -- How long each pause of a download is, as the events tell, and what was said.
  local function holds_of(server, link, retry_after, options)
    local result = process.run { script = ([[
      warn "@on"
      local minimax = require "minimax"
      local url, link, path, options = %q, %q, %q, %s
      local held
      local client = minimax.new { base_url = url, api_key = "sk-spec-key",
        on_event = function(event)
          if event.type == "retry" then
            held = true
            print(event.delay, event.retry_after, event.http_status)
          end
        end }
      local thread = coroutine.create(client.download)
      assert(coroutine.resume(thread, client, link, path, options))
      while not held and coroutine.status(thread) == "suspended" do
        minimax.step(0.01)
        assert(coroutine.resume(thread))
      end
      coroutine.close(thread)
    ]]):format(server.url, link, folder:file("out.mp4"), options or "nil") }
    assert.equal(0, result.code, result.err)
    local delay, asked, status = result.out:match("^(%S+)\t(%S+)\t(%S+)\n$")
    assert.equal(retry_after, tonumber(asked))
    assert.equal("503", status)
    return tonumber(delay), result.err
  end

  it("503 for a day is not slept through in silence: an hour, an event and a warning", function()
    local server <close> = start { a = { busy "86400" } }
    local delay, said = holds_of(server, server.url .. "/a", 86400)
    assert.equal(3600, delay)
    assert.equal("Lua warning: minimax: the storage host asks for a pause of 86400 s; the "
      .. "download goes on in 3600 s\n", said)
  end)

  it("503 for longer than the link serves is followed to its end", function()
    local server <close> = start { a = { busy "3000" } }
    for _, name in ipairs { "Expires", "x-oss-expires" } do
      local link = ("%s/a?%s=%d"):format(server.url, name, os.time() + 1000)
      local delay = holds_of(server, link, 3000)
      assert.is_true(delay <= 1000 and delay > 980, delay)
    end
    assert.equal(3000, (holds_of(server, server.url .. "/a?Expires=1000", 3000)))
  end)

  it("503 for longer than the call may last leaves time for another attempt", function()
    local server <close> = start { a = { busy "3600" } }
    local delay = holds_of(server, server.url .. "/a", 3600, "{ timeout = 1000 }")
    assert.is_true(delay <= 500 and delay > 480, delay)
    assert.equal(3600, (holds_of(server, server.url .. "/a", 3600, "{ timeout = 4000 }")))
  end)

  it("400 is kind protocol at once", function()
    local server <close> = start { a = { { status = 400 } } }
    local client <close> = client_of(server)
    local err = assert_fault("protocol", "refused",
      client:download(server.url .. "/a", folder:file("out.mp4")))
    assert.equal(400, err.http_status)
    assert.equal(1, #server:requests())
  end)

  it("a status of success that brings no file is kind protocol", function()
    for _, status in ipairs { 201, 204, 205 } do
      local server <close> = start { a = { { status = status } } }
      local client <close> = client_of(server)
      assert_fault("protocol", "MP4", client:download(server.url .. "/a",
        folder:file("out.mp4"), { verify = false }))
      assert.same({}, folder:names())
    end
  end)
end)
