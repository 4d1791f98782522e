-- The client and the emulator with something between them that nobody here
-- wrote: Prism as a proxy that checks every request and every reply against our
-- OpenAPI documents of the endpoints that have no published one.

local minimax = require "minimax"
local picture = require "spec.support.picture"
local temp = require "spec.support.temp"
local proxied = require "spec.support.proxied" {
  describe = describe,
  it = it,
  pending = pending,
  setup = setup,
  teardown = teardown,
  after_each = after_each,
}

local folder = temp.folder()
local PET = folder:write("pet.png", picture.png())
local VIDEO = { model = "MiniMax-Hailuo-2.3", prompt = "A lion." }
local VIDEO2 = {
  model = "MiniMax-H3",
  content = { { type = "text", text = "A lion." } },
  resolution = "768P",
  duration = 5,
  ratio = "16:9",
}

teardown(function()
  folder:close()
end)

proxied.group("video_generation.yaml", {}, function(via)
  local image = minimax.file(PET)
  local subject = { { type = "character", image = { image } } }
  local requests = {
    ["text to video"] = proxied.with(VIDEO, { duration = 6, resolution = "1080P" }),
    ["image to video"] = { model = "MiniMax-Hailuo-2.3-Fast", first_frame_image = image },
    ["a last frame"] = { model = "MiniMax-Hailuo-02", last_frame_image = image },
    ["a subject"] = { model = "S2V-01", subject_reference = subject },
    ["false"] = proxied.with(VIDEO, { prompt_optimizer = false }),
  }
  for title, request in pairs(requests) do
    via:passes(title, function(client)
      assert.equal("video", assert(client:submit(request)).kind)
    end)
  end

  local refusals = { [1008] = "balance", [2056] = "quota", [2061] = "quota" }
  via:passes_refusals("submit", refusals, function(client)
    return client:submit(VIDEO)
  end)

  via:stops("an unknown model", function(client)
    return client:submit(proxied.with(VIDEO, { model = "Hailuo" }))
  end)

  via:stops("too long a prompt", function(client)
    return client:submit(proxied.with(VIDEO, { prompt = ("x"):rep(2001) }))
  end)

  via:notices("a bare id", "submit", { fault = "bare_ids" }, function(client)
    return client:submit(VIDEO)
  end)
end)

proxied.group("files.yaml", {}, function(via)
  local function finished_file()
    local task = assert(via.direct:submit(VIDEO))
    return assert(via.direct:wait(task, { timeout = 30 })).file_id
  end

  local function delete(client, file_id)
    local body = { file_id = file_id, purpose = "video_generation" }
    return client:call("POST", "/v1/files/delete", { body = body })
  end

  via:passes("a file, and it downloads by its id", function(client)
    local id = finished_file()
    local file = assert(client:retrieve(id))
    assert.equal(id, file.file_id)
    assert(client:download({ file_id = id }, folder:file "lion.mp4"))
  end)

  via:passes("an unknown file", function(client)
    local _, err = client:retrieve "1"
    assert.equal("invalid", err.kind)
  end)

  via:passes("an upload and the list of files", function(client)
    -- Prism hands a form on as text, so that only plain text arrives as it was.
    local path = folder:write("song.mp3", "ID3" .. ("x"):rep(1000))
    local file = assert(client:upload(path))
    assert.equal("video_generation_input", file.purpose)
    local query = { purpose = "video_generation_input" }
    local list = assert(client:call("GET", "/v1/files/list", { query = query }))
    assert.equal(file.file_id, list.files[1].file_id)
  end)

  via:passes("a deletion and the answer to the next one", function(client)
    local id = finished_file()
    assert.equal(id, assert(delete(client, math.tointeger(id))).file_id)
    local _, err = delete(client, math.tointeger(id))
    assert.equal("invalid", err.kind)
  end)

  via:passes("an unknown file's missing bytes", function(client)
    local query = { file_id = "1" }
    local _, err = client:call("GET", "/v1/files/retrieve_content", { query = query })
    assert.equal("invalid", err.kind)
  end)

  via:stops("a purpose that cannot be listed", function(client)
    local query = { purpose = "video_generation" }
    return client:call("GET", "/v1/files/list", { query = query })
  end)

  via:stops("a word for a file id", function(client)
    return client:retrieve "video_01J"
  end)

  via:notices("a null", "retrieve", { fault = "null_fields", fields = { "file" } }, function(client)
    return client:retrieve(finished_file())
  end)

  via:notices("a page of HTML", "retrieve", { fault = "html" }, function(client)
    return client:retrieve(finished_file())
  end)
end)

proxied.group("video_generation_v2.yaml", {}, function(via)
  local pet = { type = "image_url", image_url = { url = minimax.file(PET) }, role = "first_frame" }
  local frames = { VIDEO2.content[1], pet }

  via:passes("a submit, a wait and the list", function(client)
    local task = assert(client:submit(VIDEO2))
    local status = assert(client:wait(task, { timeout = 30 }))
    assert.truthy(status.url)
    local page = assert(client:list { page_num = 1, page_size = 5, task_ids = { task.task_id } })
    assert.equal(1, page.total)
    assert.equal(task.task_id, page.items[1].task_id)
  end)

  via:passes("a frame from a local file", function(client)
    assert(client:submit(proxied.with(VIDEO2, { content = frames, ratio = "adaptive" })))
  end)

  for _, word in ipairs { "queued", "running", "cancelled" } do
    via:passes("the status " .. word, function(client)
      local task = assert(client:submit(VIDEO2))
      via:faulty("query", { fault = "status", status = word })
      assert.equal(word, assert(client:query(task)).status)
    end)
  end

  via:passes("a failure", function(client)
    via:faulty("submit", { fault = "fail", code = 1026 })
    local task = assert(client:submit(VIDEO2))
    local _, err = client:wait(task, { timeout = 30 })
    assert.same({ "failed", 1026, "1026" }, { err.kind, err.code, err.status.error.code })
  end)

  via:passes("a wrong key", function()
    local client <close> = proxied.client(via.url, "sk-api-wrong")
    local _, err = client:submit(VIDEO2)
    assert.same({ "auth", 401 }, { err.kind, err.http_status })
  end)

  via:passes("the answer to an unknown task", function(client)
    local _, err = client:query("1", { kind = "video2" })
    assert.same({ "invalid", 400 }, { err.kind, err.http_status })
  end)

  local refusals = { [1008] = "balance", [1026] = "content", [2013] = "invalid" }
  via:passes_refusals("submit", refusals, function(client)
    return client:submit(VIDEO2)
  end)

  via:passes("a prompt to enhance", function(client)
    local body = { model = "MiniMax-H3", content = VIDEO2.content, duration = 5 }
    local task = assert(client:call("POST", "/v2/h3_context_ir", { body = body }))
    via.emu:advance(3600)
    local reply = assert(client:call("GET", "/v2/query/video_generation/" .. task.task_id))
    assert.equal("succeeded", reply.task.status)
    assert.equal("string", type(reply.task.content.prompt))
  end)

  via:passes("a task to regenerate", function(client)
    local source = assert(client:wait(assert(client:submit(VIDEO2)), { timeout = 30 }))
    local body = { model = "MiniMax-H3", resolution = "2K", source_task_id = source.task_id }
    assert(client:call("POST", "/v2/video_regeneration", { body = body }))
  end)

  via:stops("a text without a ratio", function(client)
    return client:submit(proxied.with(VIDEO2, { ratio = "adaptive" }))
  end)

  via:stops("too long a video", function(client)
    return client:submit(proxied.with(VIDEO2, { duration = 16 }))
  end)

  via:stops("a status of the other generation", function(client)
    return client:list { status = "Success" }
  end)

  via:notices("a bare id", "submit", { fault = "bare_ids" }, function(client)
    return client:submit(VIDEO2)
  end)

  local success = { fault = "status", status = "Success" }
  via:notices("a status that the document lacks", "query", success, function(client)
    return client:query(assert(via.direct:submit(VIDEO2)).task_id, { kind = "video2" })
  end)
end)

-- Slow enough for a task to be queued still.
proxied.group("video_generation_v2.yaml", { speed = 0.001 }, function(via)
  via:passes("the cancelling of a queued task, and its list", function(client)
    local task = assert(client:submit(VIDEO2))
    assert.equal("cancelled", assert(client:cancel(task)).state)
    assert.equal("cancelled", assert(client:list { status = "cancelled" }).items[1].state)
  end)
end)
