-- What an answer is packed with (Content-Encoding), although nothing but its own
-- bytes was asked for.

local api = require "spec.support.api"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local ID = "401047179385389059"

describe("a packed answer", function()
  local server, client, folder

  setup(function()
    server = api.start()
    client = server:client { max_response_bytes = 1 << 20 }
    folder = temp.folder()
  end)

  teardown(function()
    client:close()
    server:close()
    folder:close()
  end)

  -- What gzip makes of the text.
  local function packed(text)
    folder:write("text", text)
    assert(os.execute(("gzip -9 <%s >%s"):format(shell.quote(folder:file "text"),
      shell.quote(folder:file "packed"))))
    return folder:read "packed"
  end

  local function reply(text, coding)
    return { headers = { ["Content-Encoding"] = coding or "gzip" }, body = packed(text) }
  end

  it("is not asked for, by any call", function()
    server:answer('{"task_id":"' .. ID .. '","status":"Processing","items":[]}')
    client:submit { model = "m" }
    client:query(ID)
    client:list()
    client:retrieve "1"
    client:call("POST", "/v1/anything", { body = {} })
    client:download(server.url .. "/v.mp4", folder:file "none.mp4")
    assert.equal(6, #server:asked())
    for _, request in ipairs(server:asked()) do
      assert.equal("identity", request.headers["accept-encoding"], request.path)
    end
  end)

  it("is read all the same, where it comes at once and in pieces", function()
    local prompt = ("狮子 and words "):rep(5000)
    local text = ('{"task_id":"%s","status":"Processing","prompt":"%s"}'):format(ID, prompt)
    server:answer(reply(text))
    assert.equal(ID, assert(client:submit { model = "m" }).task_id)
    assert.equal(prompt, assert(client:query(ID)).prompt)
    server:answer(reply(text, "GZIP"))
    assert.equal("running", assert(client:query(ID)).state)
    server:answer(reply('{"base_resp":{"status_code":1008,"status_msg":"no money"}}'))
    local _, err = client:submit { model = "m" }
    assert.same({ "balance", 1008 }, { err.kind, err.code })
  end)

  it("counts against max_response_bytes as what it is unpacked", function()
    server:answer(reply('{"a":"' .. ("x"):rep(8 << 20) .. '"}'))
    local _, err = client:query(ID)
    assert.equal("protocol", err.kind)
    assert.matches("larger than max_response_bytes", err.message)
    _, err = client:submit { model = "m" }
    assert.equal("unknown", err.kind)
    assert.equal(2, #server:asked())
  end)

  it("that can't be unpacked says so: a submit is unknown, a refusal refused", function()
    for coding, body in pairs { gzip = '{"task_id":"1"}', snappy = "\255\6\0\0sNaPpY" } do
      server:answer { headers = { ["Content-Encoding"] = coding }, body = body }
      local _, err = client:query(ID)
      assert.equal("protocol", err.kind)
      assert.matches("packed (Content-Encoding: " .. coding .. ")", err.message, 1, true)
      _, err = client:submit { model = "m" }
      assert.equal("unknown", err.kind)
      server:answer { status = 401, headers = { ["Content-Encoding"] = coding }, body = body }
      _, err = client:submit { model = "m" }
      assert.same({ "auth", 401 }, { err.kind, err.http_status })
    end
  end)

  it("is whole by its own end, where the server reads no more of the request", function()
    local body = packed('{"task_id":"' .. ID .. '"}')
    local deaf <close> = wire.start { serve = ([[
      local connection = ...
      connection:read_head()
      connection:send("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Encoding: gzip\r\n\r\n")
      connection:send(%q)
      connection:pause(5)
    ]]):format(#body, body) }
    local other <close> = server:client { base_url = deaf.url, request_timeout = 3 }
    local task = assert(other:submit { model = "m", prompt = ("x"):rep(8 << 20) })
    assert.equal(ID, task.task_id)
  end)

  it("is refused as a video, in those words", function()
    server:answer(reply(("x"):rep(100)))
    local _, err = client:download(server.url .. "/v.mp4", folder:file "v.mp4")
    assert.equal("protocol", err.kind)
    assert.matches("packed (Content-Encoding: gzip)", err.message, 1, true)
  end)

  it("is the file itself where no video is wanted", function()
    local file = reply(("x"):rep(100))
    server:answer(file)
    assert(client:download(server.url .. "/v.gz", folder:file "v.gz", { verify = false }))
    assert.equal(file.body, folder:read "v.gz")
  end)
end)
