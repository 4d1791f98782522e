--- src/calls/files.c: retrieve and upload.

local api = require "spec.support.api"
local picture = require "spec.support.picture"
local temp = require "spec.support.temp"

local FILE = '{"file":{"file_id":335797537439947,"bytes":0,"created_at":1763534921,'
  .. '"filename":"output_aigc.mp4","purpose":"video_generation"%s},'
  .. '"base_resp":{"status_code":0,"status_msg":"success"}}'

describe("retrieve", function()
  local server, client

  setup(function()
    server = api.start()
    client = server:client()
  end)

  teardown(function()
    client:close()
    server:close()
  end)

  it("returns the file, with url and expires_at", function()
    local link = "https://a.example/video%2Foutput.mp4?Expires=1763567386&Signature=x%3D"
    server:answer(FILE:format(',"download_url":"' .. link .. '"'))
    local file = assert(client:retrieve "335797537439947")
    assert.same({
      file_id = "335797537439947", bytes = 0, created_at = 1763534921, url = link,
      filename = "output_aigc.mp4", purpose = "video_generation", download_url = link,
      expires_at = 1763567386,
    }, file)
    assert.equal("GET", server:asked()[1].method)
    assert.equal("/v1/files/retrieve?file_id=335797537439947", server:asked()[1].path)
  end)

  it("takes an integer, too, and raises for anything else", function()
    server:answer(FILE:format "")
    local file = assert(client:retrieve(401047179385389059))
    assert.is_nil(file.url)
    assert.is_nil(file.expires_at)
    assert.equal("/v1/files/retrieve?file_id=401047179385389059", server:asked()[1].path)
    for _, wrong in ipairs { 4.01e17, "", {}, true } do
      assert.is_false(pcall(client.retrieve, client, wrong))
    end
    assert.is_false(pcall(client.retrieve, client))
  end)

  it("is not held up by a rate of queries, be it set or learned", function()
    for _, rate in ipairs { { 1, 60 }, false } do
      local own <close> = server:client { query_rate = rate or nil }
      server:answer('{"task_id":"17","status":"Processing"}',
        '{"base_resp":{"status_code":1002,"status_msg":"slow down"}}')
      assert(own:query "17")
      assert.equal("rate_limit", select(2, own:query("17", { timeout = 0.05 })).kind)
      assert.equal("rate_limit", select(2, own:query("17", { timeout = 0.05 })).kind)
      server:answer(FILE:format "", { status = 429, body = "{}" })
      assert(own:retrieve("17", { timeout = 1 }))
      -- it has its own
      assert.equal("rate_limit", select(2, own:retrieve("17", { timeout = 0.05 })).kind)
      assert.equal("rate_limit", select(2, own:retrieve("17", { timeout = 0.05 })).kind)
      assert.equal(2, #server:asked())
    end
  end)

  it("has errors with its own stage; an answer without a file is kind protocol", function()
    for _, body in ipairs { "{}", '{"file":null}', '{"file":{}}', '{"file":"x"}' } do
      server:answer(body)
      local file, err = client:retrieve "17"
      assert.is_nil(file)
      assert.equal("protocol", err.kind)
      assert.equal("retrieve", err.stage)
    end
    server:answer '{"base_resp":{"status_code":2013,"status_msg":"invalid file_id"}}'
    local _, err = client:retrieve "17"
    assert.equal("invalid", err.kind)
    assert.equal(2013, err.code)
  end)

  it("is repeated, since it costs nothing", function()
    server:answer({ status = 502 }, FILE:format "")
    local stubborn <close> = server:client { retries = 1 }
    assert(stubborn:retrieve "17")
    assert.equal(2, #server:asked())
  end)
end)

describe("upload", function()
  local server, client, folder

  setup(function()
    server = api.start { keep_bodies = true }
    client = server:client()
    folder = temp.folder()
  end)

  teardown(function()
    client:close()
    server:close()
    folder:close()
  end)

  local function form(request)
    local file = assert(io.open(request.body_file, "rb"))
    local body = file:read "a"
    file:close()
    assert.equal(tostring(#body), request.headers["content-length"])
    local boundary = request.headers["content-type"]:match("^multipart/form%-data; boundary=(%S+)$")
    local parts = {}
    local mark = "--" .. boundary
    assert.equal(mark .. "\r\n", body:sub(1, #mark + 2))
    assert.equal("\r\n" .. mark .. "--\r\n", body:sub(-#mark - 6))
    local from = #mark + 3
    while body:sub(from - 2, from - 1) ~= "--" do
      local to = assert(body:find("\r\n" .. mark, from, true))
      local head, content = body:sub(from, to - 1):match("^(.-)\r\n\r\n(.*)$")
      parts[#parts + 1] = { head = head, content = content }
      from = to + #mark + 4
    end
    return parts
  end

  it("sends the purpose and the file, bit for bit, as a form", function()
    server:answer(FILE:format "")
    local content = picture.png() .. ("\0\r\n--x\255"):rep(50000)
    local path = folder:write('a "pet".jpg', content)
    local file = assert(client:upload(path))
    assert.equal("335797537439947", file.file_id)
    local asked = server:asked()[1]
    assert.equal("POST", asked.method)
    assert.equal("/v1/files/upload", asked.path)
    assert.equal("Bearer " .. api.KEY, asked.headers.authorization)
    assert.is_nil(asked.headers.expect)
    local parts = form(asked)
    assert.equal(2, #parts)
    assert.equal('Content-Disposition: form-data; name="purpose"', parts[1].head)
    assert.equal("video_generation_input", parts[1].content)
    assert.equal('Content-Disposition: form-data; name="file"; filename="a %22pet%22.jpg"\r\n'
      .. "Content-Type: image/png", parts[2].head)
    assert.is_true(parts[2].content == content)
  end)

  it("takes another purpose, and then any file", function()
    server:answer(FILE:format "")
    assert(client:upload(folder:write("notes.txt", "notes"), "t2a_async_input"))
    local parts = form(server:asked()[1])
    assert.equal("t2a_async_input", parts[1].content)
    assert.equal("notes", parts[2].content)
    assert.is_truthy(parts[2].head:find("application/octet-stream", 1, true))
  end)

  it("checks v2's rules before anything is sent", function()
    server:answer(FILE:format "")
    local file, err = client:upload(folder:write("small.png", picture.png(255, 256)))
    assert.is_nil(file)
    assert.equal("invalid", err.kind)
    assert.equal("upload", err.stage)
    assert.is_truthy(err.message:find("255 x 256", 1, true))
    assert.same({}, server:asked())
  end)

  it("of a file that can't be read is an error, and sends nothing", function()
    server:answer(FILE:format "")
    for _, purpose in ipairs { "video_generation_input", "other" } do
      local file, err = client:upload(folder:file "nowhere", purpose)
      assert.is_nil(file)
      assert.equal("upload", err.stage)
      assert.is_truthy(err.message:find("No such file", 1, true))
    end
    assert.same({}, server:asked())
  end)

  it("raises for what is no path or purpose", function()
    for _, wrong in ipairs { {}, 5, true, "a\0b" } do
      assert.is_false(pcall(client.upload, client, wrong))
      assert.is_false(pcall(client.upload, client, "pet.png", wrong))
    end
    assert.is_false(pcall(client.upload, client, "pet.png", "x\r\n--boundary"))
  end)

  it("costs nothing, so it is repeated, from its first byte", function()
    local content = picture.png() .. ("x"):rep(100000)
    local path = folder:write("pet.png", content)
    for _, reply in ipairs { { status = 503 }, { reset = true }, { body = "<html>" } } do
      server:answer(reply, FILE:format "")
      local stubborn <close> = server:client { retries = 1 }
      assert(stubborn:upload(path))
      local asked = server:asked()
      assert.equal(2, #asked)
      assert.is_true(form(asked[2])[2].content == content)
    end
  end)

  it("that is refused says so", function()
    server:answer { status = 400,
      body = '{"base_resp":{"status_code":2013,"status_msg":"not a video"}}' }
    local _, err = client:upload(folder:write("pet.png", picture.png()))
    assert.equal("invalid", err.kind)
    assert.equal(400, err.http_status)
    assert.equal(2013, err.code)
  end)
end)
