--- lua/minimax/emulator/files.lua: files as the API keeps them: uploads, lists, links.

local emulated = require "spec.support.emulated"

describe("the emulator's files", function()
  local api

  setup(function()
    api = emulated.start { digits = 18, video_bytes = 3000 }
  end)

  teardown(function()
    api:close()
  end)

  local function upload(purpose, filename, bytes)
    local body = table.concat({ "--xyz", 'Content-Disposition: form-data; name="purpose"', "",
      purpose, "--xyz",
      'Content-Disposition: form-data; name="file"; filename="' .. filename .. '"',
      "Content-Type: image/png", "", bytes, "--xyz--", "" }, "\r\n")
    return assert(api:send("/v1/files/upload", { method = "POST", body = body,
      headers = { ["content-type"] = "multipart/form-data; boundary=xyz" } }))
  end

  local function film()
    return api:query("video", api:finished "video").file_id
  end

  it("are retrieved by a number: the film of a task, of size 0, with its link", function()
    local id = film()
    local object, reply = api:get("/v1/files/retrieve?file_id=" .. id)
    assert.truthy(reply.body:find('"file_id":' .. id .. ",", 1, true))
    assert.equal(0, object.file.bytes)
    assert.equal("output_aigc.mp4", object.file.filename)
    assert.equal("video_generation", object.file.purpose)
    local link = object.file.download_url
    assert.truthy(link:find("%2F", 1, true))
    assert.truthy(link:find("%?Expires=%d+&OSSAccessKeyId=%w+&Signature=.+%%3D$"))
  end)

  it("are not there before the task has succeeded", function()
    api:submit "video"
    local tasks = api.emu:tasks()
    local object = api:get("/v1/files/retrieve?file_id=" .. tasks[#tasks].file_id)
    assert.equal(2013, object.base_resp.status_code)
  end)

  it("give their bytes", function()
    local reply = api:send("/v1/files/retrieve_content?file_id=" .. film())
    assert.equal(200, reply.status)
    assert.equal(3000, #reply.body)
    assert.equal("ftyp", reply.body:sub(5, 8))
    local object, refused = api:get("/v1/files/retrieve_content?file_id=1")
    assert.equal(200, refused.status)
    assert.equal(2013, object.base_resp.status_code)
  end)

  it("are uploaded, listed and deleted by a bare number", function()
    local bytes = "\137PNG\r\n--xy\0--\r\n"
    local reply = upload("video_generation_input", "a.png", bytes)
    local id = reply.body:match('"file_id":(%d+)')
    assert.equal(18, #id)
    assert.equal(#bytes, reply.object.file.bytes)
    assert.equal("a.png", reply.object.file.filename)
    local _, listed = api:get("/v1/files/list?purpose=video_generation_input")
    assert.truthy(listed.body:find('"file_id":' .. id, 1, true))
    local function delete(text)
      local body = '{"file_id":' .. text .. ',"purpose":"video_generation_input"}'
      return api:send("/v1/files/delete", { method = "POST", body = body })
    end
    assert.equal(2013, delete('"' .. id .. '"').object.base_resp.status_code)
    reply = delete(id)
    assert.equal(0, reply.object.base_resp.status_code)
    assert.truthy(reply.body:find('"file_id":' .. id, 1, true))
    assert.equal(2013, delete(id).object.base_resp.status_code)
    _, listed = api:get("/v1/files/list?purpose=video_generation_input")
    assert.truthy(listed.body:find('"files":[]', 1, true))
  end)

  it("are refused with HTTP 400 where they do not conform", function()
    local reply = upload("video_generation_input", "a.txt", "text")
    assert.equal(400, reply.status)
    assert.equal(2013, reply.object.base_resp.status_code)
    assert.equal(400, upload("video_generation_input", "a.png", "").status)
    assert.equal(200, upload("voice_clone", "a.txt", "text").status)
  end)

  it("are refused without a purpose or a form", function()
    local reply = upload("holiday", "a.png", "x")
    assert.equal(200, reply.status)
    assert.truthy(reply.object.base_resp.status_msg:find("purpose must be one of", 1, true))
    local object = api:post("/v1/files/upload", { purpose = "voice_clone" })
    assert.equal(2013, object.base_resp.status_code)
    assert.equal(2013, api:get("/v1/files/list").base_resp.status_code)
  end)
end)
