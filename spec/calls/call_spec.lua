--- src/calls/call.c: any other endpoint, and v2's list.

local api = require "spec.support.api"
local cjson = require "cjson"
local minimax = require "minimax"
local picture = require "spec.support.picture"
local temp = require "spec.support.temp"

describe("call", function()
  local server, client

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  before_each(function()
    client = server:client()
  end)

  after_each(function()
    client:close()
  end)

  -- The request that a call makes.
  local function request(...)
    server:answer "{}"
    assert(client:call(...))
    return server:asked()[1]
  end

  it("reaches any endpoint with the key, and returns its reply", function()
    server:answer '{"files":[{"file_id":335797537439947}],"base_resp":{"status_code":0}}'
    local reply = assert(client:call("GET", "/v1/files/list", { query = { purpose = "x" } }))
    assert.equal("335797537439947", reply.files[1].file_id)
    local asked = server:asked()[1]
    assert.equal("GET", asked.method)
    assert.equal("/v1/files/list?purpose=x", asked.path)
    assert.equal("Bearer " .. api.KEY, asked.headers.authorization)
  end)

  it("knows GET, POST, PUT, PATCH and DELETE, in any case", function()
    for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE" } do
      assert.equal(method, request(method:lower(), "/v1/x").method)
    end
    for _, wrong in ipairs { "HEAD", "", "GET\r\n", 5, {} } do
      assert.is_false(pcall(client.call, client, wrong, "/v1/x"))
    end
  end)

  it("sends a body as JSON, with the client's conveniences", function()
    local folder <close> = temp.folder()
    local asked = request("POST", "/v1/x", { body = {
      n = 401047179385389059, image = minimax.file(folder:write("pet.png", picture.png(10, 10))),
    } })
    assert.equal("application/json", asked.headers["content-type"])
    assert.is_truthy(asked.body:find('"n":401047179385389059', 1, true))
    assert.is_truthy(cjson.decode(asked.body).image:find("^data:image/png;base64,"))
  end)

  it("announces the length of an empty body, where there could be one", function()
    for _, method in ipairs { "POST", "PUT", "PATCH" } do
      local asked = request(method, "/v1/x")
      assert.equal("0", asked.headers["content-length"])
    end
    for _, method in ipairs { "GET", "DELETE" } do
      assert.is_nil(request(method, "/v1/x").headers["content-length"])
    end
  end)

  it("sends ids as strings, but as bare numbers to files/delete", function()
    for _, id in ipairs { 335797537439947, "335797537439947" } do
      assert.equal('{"file_id":"335797537439947"}',
        request("POST", "/v1/x", { body = { file_id = id } }).body)
      assert.equal('{"file_id":335797537439947}',
        request("POST", "/v1/files/delete", { body = { file_id = id } }).body)
    end
    assert.equal('{"file_id":401047179385389059}',
      request("POST", "/v1/files/delete", { body = { file_id = "401047179385389059" } }).body)
  end)

  it("takes a query table: texts, numbers, booleans, lists", function()
    local path = request("GET", "/v1/x?a=1", { query = { b = { "x y", 2, true } } }).path
    assert.equal("/v1/x?a=1&b=x%20y&b=2&b=true", path)
    assert.is_false(pcall(client.call, client, "GET", "/v1/x", { query = { a = {{}} } }))
    assert.is_false(pcall(client.call, client, "GET", "/v1/x", { query = { a = print } }))
    assert.is_false(pcall(client.call, client, "GET", "/v1/x", { query = { "a" } }))
  end)

  it("raises for what is no path", function()
    for _, path in ipairs { "v1/x", "//other.example/v1", "", "https://a.example/", "/v1/x y",
      "/v1/x\r\nX: y", "/v1/\0", "/v1/x#y", "/v1/\u{e9}", 5 } do
      assert.is_false(pcall(client.call, client, "GET", path), path)
    end
  end)

  it("repeats a GET, and nothing else that may have arrived", function()
    for _, reply in ipairs { { status = 503 }, { reset = true }, { close = true } } do
      for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE" } do
        local stubborn <close> = server:client { retries = 1 }
        server:answer(reply, "{}")
        local result, err = stubborn:call(method, "/v1/x", method ~= "GET" and { body = {} } or {})
        if method == "GET" then
          assert.is_truthy(result)
          assert.equal(2, #server:asked())
        else
          assert.is_nil(result)
          assert.equal(reply.status and "server" or "unknown", err.kind)
          assert.is_false(err.retryable)
          assert.equal(1, err.attempts)
          assert.equal(1, #server:asked())
        end
      end
    end
  end)

  it("waits for the end of a rate limit, but not to delete what may have changed", function()
    for _, method in ipairs { "GET", "POST", "DELETE" } do
      local patient <close> = server:client()
      server:answer({ status = 429, headers = { ["Retry-After"] = "1" }, body = "{}" }, "{}")
      local result, err = patient:call(method, "/v1/x")
      assert.equal(method == "DELETE" and 1 or 2, #server:asked())
      assert.equal(method ~= "DELETE", result ~= nil)
      assert.equal(method == "DELETE" and "rate_limit" or nil, err and err.kind)
    end
  end)

  it("has the errors of other calls, and its own stage", function()
    server:answer { headers = { ["Trace-Id"] = "a17" },
      body = '{"base_resp":{"status_code":1004,"status_msg":"login fail"}}' }
    local reply, err = client:call("GET", "/v1/x")
    assert.is_nil(reply)
    assert.equal("auth", err.kind)
    assert.equal(1004, err.code)
    assert.equal("call", err.stage)
    assert.equal("a17", err.trace_id)
    assert.is_nil(err.task)
    reply, err = client:call("POST", "/v1/x", { body = { a = "\xff" } })
    assert.is_nil(reply)
    assert.equal("invalid", err.kind)
    assert.equal("call", err.stage)
  end)

  it("ends at its own timeout: unknown where something may have happened", function()
    server:answer { hang = true }
    local _, err = client:call("GET", "/v1/x", { timeout = 0.05 })
    assert.equal("timeout", err.kind)
    _, err = client:call("POST", "/v1/x", { timeout = 0.05, body = {} })
    assert.equal("unknown", err.kind)
    assert.is_false(err.retryable)
  end)
end)

describe("list", function()
  local server, client

  setup(function()
    server = api.start()
    client = server:client()
  end)

  teardown(function()
    client:close()
    server:close()
  end)

  it("returns statuses, and how many there are", function()
    server:answer [[{"items":[
      {"id":424010985738629,"status":"queued","created_at":1785229015},
      {"id":"424010985738630","status":"succeeded","content":{"url":"https://a.example/v.mp4"}}
    ],"total":17}]]
    local list = assert(client:list())
    assert.equal(17, list.total)
    assert.equal(2, #list.items)
    local first, second = table.unpack(list.items)
    assert.equal("424010985738629", first.task_id)
    assert.equal("video2", first.kind)
    assert.equal("queued", first.state)
    assert.equal(1785229015, first.created_at)
    assert.equal("https://a.example/v.mp4", second.url)
    assert.equal("succeeded", second.state)
    assert.equal("GET", server:asked()[1].method)
    assert.equal("/v2/query/video_generation", server:asked()[1].path)
    server:answer '{"task":{"id":"424010985738629","status":"running"}}'
    assert.equal("running", assert(first:query()).state)
    assert.equal("/v2/query/video_generation/424010985738629", server:asked()[1].path)
  end)

  it("takes filters; several ids are a repeated parameter", function()
    server:answer '{"items":[],"total":0}'
    local list = assert(client:list { page_num = 2, page_size = 10, status = "queued",
      task_ids = { "17", 401047179385389059 }, model = "MiniMax-H3", task_type = "generation" })
    assert.same({ items = {}, total = 0 }, list)
    assert.equal("/v2/query/video_generation?page_num=2&page_size=10&filter.status=queued"
      .. "&filter.task_ids=17&filter.task_ids=401047179385389059&filter.model=MiniMax-H3"
      .. "&filter.task_type=generation", server:asked()[1].path)
  end)

  it("raises for wrong filters", function()
    for _, options in ipairs { { page_num = 0 }, { page_size = "10" }, { status = 5 },
      { task_ids = "17" }, { task_ids = { {} } }, { task_ids = { 4.01e17 } }, { modle = "x" } } do
      assert.is_false(pcall(client.list, client, options))
    end
  end)

  it("without a list in its answer is kind protocol", function()
    for _, body in ipairs { "{}", '{"items":null}', '{"items":"x","total":1}' } do
      server:answer(body)
      local list, err = client:list()
      assert.is_nil(list)
      assert.equal("protocol", err.kind)
      assert.equal("list", err.stage)
    end
  end)
end)
