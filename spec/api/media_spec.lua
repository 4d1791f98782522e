--- src/api/media.c: local files in a request, their rules and their way out.

local api = require "spec.support.api"
local mime = require "mime"
local minimax = require "minimax"
local picture = require "spec.support.picture"
local process = require "spec.support.process"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local MIB = 1 << 20

local jpeg, webp = picture.jpeg, picture.webp

local MP4 = string.pack(">I4", 24) .. "ftypisom\0\0\2\0isommp42"
local MOV = string.pack(">I4", 20) .. "ftypqt  \0\0\2\0qt  "
local HEIC = string.pack(">I4", 24) .. "ftypheic\0\0\0\0mif1heic"
local WAV = "RIFF" .. string.pack("<I4", 36) .. "WAVEfmt "
local MP3 = "ID3\4\0\0\0\0\0\0"

describe("a local file", function()
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

  -- A file that begins so and has so many bytes, most of them a hole.
  local function file(head, size, name)
    local path = folder:file(name or "media")
    local stream = assert(io.open(path, "wb"))
    assert(stream:write(head))
    if size and size > #head then
      assert(stream:seek("set", size - 1))
      assert(stream:write "\0")
    end
    assert(stream:close())
    return minimax.file(path)
  end

  local REQUESTS = {
    template = function(media)
      return { template_id = "1", media_inputs = { media } }
    end,
    video = function(media)
      return { model = "m", first_frame_image = media }
    end,
    video2 = function(media)
      return { model = "m", content = { { type = "image_url", image_url = { url = media } } } }
    end,
    video2_video = function(media)
      return { model = "m", content = { { type = "video_url", video_url = { url = media } } } }
    end,
    video2_audio = function(media)
      return { model = "m", content = { { type = "audio_url", audio_url = { url = media } } } }
    end,
  }

  -- What keeps the file from being sent in a request of that kind, or nil.
  local function problem(kind, media)
    local dry, err = client:submit(REQUESTS[kind](media), { dry_run = true })
    if dry then
      return nil
    end
    assert.equal("invalid", err.kind)
    assert.is_nil(tostring(err):find("%c"))
    return err.message
  end

  local function assert_problem(text, kind, media)
    local message = problem(kind, media)
    assert.is_truthy(message and message:find(text, 1, true), message)
    assert.is_truthy(message:find("media'", 1, true), message)
  end

  local function media_type(kind, media)
    local dry = assert(client:submit(REQUESTS[kind](media), { dry_run = true }))
    local value = dry.body.media_inputs and dry.body.media_inputs[1].value
      or dry.body.first_frame_image or dry.body.content[1].image_url.url
    return value:match("^data:([^;]+);base64,")
  end

  it("has a handle with a name, and a path that must be one", function()
    assert.equal("minimax.file: pet.jpg", tostring(minimax.file "pet.jpg"))
    assert.equal("minimax.file", getmetatable(minimax.file "pet.jpg").__name)
    assert.is_false(pcall(minimax.file))
    assert.is_false(pcall(minimax.file, ""))
    assert.is_false(pcall(minimax.file, "pet\0.jpg"))
    assert.is_false(pcall(minimax.file, {}))
  end)

  describe("that is an image", function()
    it("is read by its content, not its name, and the data URL's type follows", function()
      for _, kind in ipairs { "template", "video", "video2" } do
        assert.equal("image/jpeg", media_type(kind, file(jpeg(640, 480), nil, "pet.png")))
        assert.equal("image/png", media_type(kind, file(picture.png(640, 480), nil, "pet.jpg")))
        assert.equal("image/webp", media_type(kind, file(webp(640, 480), nil, "pet")))
      end
    end)

    it("is smaller than 20 MB; the error says the size and the limit", function()
      for _, kind in ipairs { "template", "video" } do
        assert.is_nil(problem(kind, file(picture.png(), 20 * MIB - 1)))
        assert_problem("has 20971520 bytes; the limit is less than 20971520 (20 MB)", kind,
          file(picture.png(), 20 * MIB))
      end
    end)

    it("has a shorter side above 300 pixels", function()
      for _, kind in ipairs { "template", "video" } do
        assert.is_nil(problem(kind, file(picture.png(301, 400))))
        assert.is_nil(problem(kind, file(jpeg(400, 301))))
        assert.is_nil(problem(kind, file(webp(301, 301))))
        assert_problem("is 300 x 400 pixels; the shorter side must exceed 300 pixels", kind,
          file(picture.png(300, 400)))
        assert_problem("is 400 x 300 pixels", kind, file(jpeg(400, 300)))
        assert_problem("is 300 x 300 pixels", kind, file(webp(300, 300)))
      end
    end)

    it("has an aspect ratio between 2:5 and 5:2, both allowed", function()
      for _, kind in ipairs { "template", "video", "video2" } do
        assert.is_nil(problem(kind, file(picture.png(400, 1000))))
        assert.is_nil(problem(kind, file(picture.png(1000, 400))))
        assert_problem("is 400 x 1001 pixels; the aspect ratio must lie between 2:5 and 5:2", kind,
          file(picture.png(400, 1001)))
        assert_problem("is 1001 x 400 pixels", kind, file(picture.png(1001, 400)))
      end
    end)

    it("has v2's limits for v2: 30 MB, sides of 256 to 5760 pixels", function()
      assert.is_nil(problem("video2", file(picture.png(256, 256), 30 * MIB)))
      assert_problem("has 31457281 bytes; the limit is at most 31457280 (30 MB)", "video2",
        file(picture.png(), 30 * MIB + 1))
      assert.is_nil(problem("video2", file(picture.png(5760, 2304))))
      assert_problem("each side must lie between 256 and 5760 pixels", "video2",
        file(picture.png(255, 256)))
      assert_problem("each side must lie between 256 and 5760 pixels", "video2",
        file(picture.png(5761, 5760)))
    end)

    it("is none where it is cut, damaged, or something else", function()
      for _, kind in ipairs { "template", "video", "video2" } do
        assert_problem("cut or damaged", kind, file "\xff\xd8\xff\xe0")
        for head, name in pairs {
          ["GIF89a\1\0\1\0"] = "GIF", ["<html></html>"] = "HTML or XML", [""] = "empty",
          ["\u{FEFF}\n<!doctype html>"] = "HTML or XML", ['{"error":1}'] = "JSON",
          ["version https://git-lfs.github.com/spec/v1\n"] = "a Git LFS pointer",
          ["%PDF-1.7"] = "PDF", ["words"] = "neither an image, a video nor audio",
          [string.pack(">I4", 24) .. "ftypavif\0\0\0\0mif1avif"] = "AVIF",
        } do
          assert_problem("media' is " .. name, kind, file(head))
        end
      end
      assert_problem("is HEIC; JPEG, PNG and WebP are allowed", "template", file(HEIC))
      assert_problem("JPEG, PNG and WebP are allowed", "video", file(HEIC))
    end)
  end)

  describe("that is another medium", function()
    it("passes with the size check alone: a template's MP4 or MOV", function()
      assert.equal("video/mp4", media_type("template", file(MP4)))
      assert.equal("video/mov", media_type("template", file(MOV)))
      assert.is_nil(problem("template", file(MP4, 20 * MIB)))
      assert_problem("the limit is at most 20971520 (20 MB)", "template",
        file(MP4, 20 * MIB + 1))
    end)

    it("passes with the size check alone: v2's HEIC, video and audio", function()
      assert.equal("image/heic", media_type("video2", file(HEIC)))
      assert.is_nil(problem("video2", file(HEIC, 30 * MIB)))
      assert_problem("(30 MB)", "video2", file(HEIC, 30 * MIB + 1))
      assert_problem("(50 MB)", "video2_video", file(MP4, 50 * MIB + 1))
      assert.is_nil(problem("video2_video", file(MOV, 48 * MIB - 1024)))
      assert.is_nil(problem("video2_audio", file(WAV, 15 * MIB)))
      assert.is_nil(problem("video2_audio", file(MP3)))
      assert_problem("(15 MB)", "video2_audio", file(MP3, 15 * MIB + 1))
    end)

    it("does not pass where it can't be meant", function()
      assert_problem("a JPEG, PNG or WebP image is expected here", "template", file(WAV))
      assert_problem("can't stand here", "video", file(MP4))
      assert_problem("can't stand here", "video2", file(MP4))
      assert_problem("can't stand here", "video2_video", file(picture.png()))
      assert_problem("can't stand here", "video2_audio", file(MP4))
    end)
  end)

  it("that is half a picture is refused before it is paid", function()
    server:answer '{"task_id":"17"}'
    for name, whole in pairs { JPEG = jpeg(640, 480), PNG = picture.png(),
      WebP = webp(640, 480) } do
      for _, kind in ipairs { "template", "video", "video2" } do
        for _, half in ipairs { whole:sub(1, #whole // 2), whole:sub(1, -2) } do
          assert_problem("is a " .. name .. " that is cut or damaged", kind, file(half))
          local task, err = client:submit(REQUESTS[kind](file(half)))
          assert.is_nil(task)
          assert.equal("invalid", err.kind)
        end
        assert.is_nil(problem(kind, file(whole .. "whatever follows")))
      end
    end
    assert.same({}, server:asked())
  end)

  it("is meant where a media string has no scheme; the error says how to name it", function()
    server:answer '{"task_id":"17"}'
    local fields = {
      function(text) return { template_id = "1", media_inputs = { text } } end,
      function(text) return { template_id = "1", media_inputs = { { value = text } } } end,
      function(text) return { model = "m", first_frame_image = text } end,
      function(text) return { model = "m", last_frame_image = text } end,
      function(text)
        return { model = "m", subject_reference = { { type = "character", image = { text } } } }
      end,
      function(text)
        return { model = "m", content = { { type = "image_url", image_url = { url = text } } } }
      end,
      function(text)
        return { model = "m", content = { { type = "video_url", video_url = { url = text } } } }
      end,
      function(text)
        return { model = "m", content = { { type = "audio_url", audio_url = text } } }
      end,
    }
    for _, text in ipairs { "pet.jpg", "", "/tmp/pet.jpg", "C:\\pet.jpg", "file:///pet.jpg",
      ("iVBORw0KGgo"):rep(20), "a.example/pet.jpg", "//a.example/pet.jpg", "httpsa" } do
      for _, make in ipairs(fields) do
        local task, err = client:submit(make(text))
        assert.is_nil(task, text)
        assert.equal("invalid", err.kind)
        assert.is_truthy(err.message:find("minimax.file", 1, true))
        assert.is_truthy(err.message:find("'" .. text:sub(1, 48), 1, true), err.message)
        assert.is_true(#err.message < 320, err.message)
      end
    end
    assert.same({}, server:asked())
    for _, text in ipairs { "https://a.example/x", "HTTP://a.example/x",
      "data:image/png;base64,AA==", "mm_file://17" } do
      for _, make in ipairs(fields) do
        assert(client:submit(make(text)))
      end
    end
    assert(client:submit { template_id = "1", text_inputs = { "pet.jpg", { value = "" } } })
    assert(client:call("POST", "/v1/other", { body = { first_frame_image = "pet.jpg" } }))
  end)

  it("that is a pipe is refused, and nothing waits for its other end", function()
    local fifo = folder:file "fifo"
    assert(os.execute("mkfifo '" .. fifo .. "'"))
    for _, kind in ipairs { "template", "video", "video2" } do
      local task, err = client:submit(REQUESTS[kind](minimax.file(fifo)))
      assert.is_nil(task)
      assert.equal("invalid", err.kind)
      assert.is_truthy(err.message:find("no regular file", 1, true))
    end
    for _, purpose in ipairs { "video_generation_input", "other" } do
      local stored, err = client:upload(fifo, purpose)
      assert.is_nil(stored)
      assert.is_truthy(err.message:find(fifo, 1, true), err.message)
    end
  end)

  it("that can't be read is an error that says why, and nothing is sent", function()
    server:answer '{"task_id":"17"}'
    for path, text in pairs { [folder:file "nowhere"] = "No such file",
      [folder.path] = "no regular file", ["/dev/null"] = "no regular file" } do
      local task, err = client:submit(REQUESTS.template(minimax.file(path)))
      assert.is_nil(task)
      assert.is_truthy(err.message:find("media_inputs[1]: ", 1, true))
      assert.is_truthy(err.message:find(text, 1, true), err.message)
    end
    assert.same({}, server:asked())
  end)

  it("arrives bit for bit as base64, whatever its length", function()
    math.randomseed(17)
    for rest = 0, 2 do
      local bytes = { picture.png() }
      for i = 2, 40000 do
        bytes[i] = string.pack("<i8", math.random(0))
      end
      bytes[#bytes + 1] = ("x"):rep((rest - #picture.png() - 39999 * 8) % 3)
      local content = table.concat(bytes)
      assert.equal(rest, #content % 3)
      server:answer '{"task_id":"17"}'
      assert(client:submit(REQUESTS.video(file(content))))
      local asked = server:asked()[1]
      local stream = assert(io.open(asked.body_file, "rb"))
      local sent = stream:read "a"
      stream:close()
      assert.equal(tostring(#sent), asked.headers["content-length"])
      local data = sent:match('"first_frame_image":"data:image/png;base64,([^"]+)"')
      assert.is_true(data == mime.b64(content), "what arrived is not the file")
    end
  end)

  it("and several others arrive each in its place", function()
    server:answer '{"task_id":"17"}'
    local one, other = jpeg(640, 480) .. "one", webp(640, 480) .. "other"
    assert(client:submit { template_id = "1", media_inputs = {
      file(one, nil, "one"), "https://a.example/x.png", { value = file(other, nil, "other") },
    } })
    local sent = server:asked()[1].body
    local places = {}
    for _, value in ipairs { "image/jpeg;base64," .. mime.b64(one), "https:\\/\\/a.example",
      "image/webp;base64," .. mime.b64(other) } do
      places[#places + 1] = assert(sent:find(value, 1, true), value)
    end
    assert.is_true(places[1] < places[2] and places[2] < places[3])
  end)

  it("costs no memory of its size", function()
    server:answer '{"task_id":"17"}'
    file(picture.png(), 19 * MIB)
    local result = process.run {
      args = { server.url, folder:file "media" },
      script = [[
        local url, path = ...
        local minimax = require "minimax"
        local client = minimax.new { base_url = url, api_key = "sk-spec" }
        local function most_memory()
          for line in io.lines "/proc/self/status" do
            local kib = line:match "^VmHWM:%s*(%d+) kB"
            if kib then
              return tonumber(kib)
            end
          end
        end
        assert(client:submit { model = "m" })
        local before = most_memory()
        assert(client:submit { model = "m", first_frame_image = minimax.file(path) })
        print(most_memory() - before)
      ]],
    }
    assert.equal(0, result.code, result.err)
    assert.is_true(server:asked()[2].body_length > 25 * MIB)
    assert.is_true(tonumber(result.out) < 4096, result.out)
  end)
end)

describe("a local file that changes while it is sent", function()
  local folder = temp.folder()
  local path = folder:file "pet.png"

  -- Submits the file to a server that reads the head alone until `change` was
  -- called; what comes of it, and what arrived.
  local function submit_and(change)
    folder:write("pet.png", picture.png() .. ("x"):rep(15 * MIB))
    local server <close> = wire.start { serve = [[
      local connection = ...
      local socket = connection.socket
      local head = connection:read_head()
      connection.server.report { type = "head" }
      connection:await "changed"
      local length = 0
      repeat
        local bytes = socket:read(-65536)
        length = length + (bytes and #bytes or 0)
      until not bytes
      connection.server.report { type = "body", length = length,
        announced = tonumber(head:match("[Cc]ontent%-[Ll]ength: (%d+)")) }
    ]] }
    local client <close> = minimax.new { base_url = server.url, api_key = api.KEY, retries = 4,
      request_timeout = 10 }
    local thread = coroutine.create(client.submit)
    assert(coroutine.resume(thread, client, { model = "m",
      first_frame_image = minimax.file(path) }))
    while #server:reports "head" == 0 do
      assert(coroutine.resume(thread))
    end
    change()
    server:tell "changed"
    local results
    repeat
      results = table.pack(coroutine.resume(thread))
    until coroutine.status(thread) == "dead"
    assert(results[1], results[2])
    assert(server:await("body", 1))
    assert.equal(1, server:connections())
    return results[2], results[3], server:reports("body")[1]
  end

  teardown(function()
    folder:close()
  end)

  local function write(mode, where, bytes)
    return function()
      local stream = assert(io.open(path, mode))
      stream:seek("set", where)
      stream:write(bytes)
      stream:close()
    end
  end

  for what, change in pairs {
    ["vanishes"] = function()
      assert(os.remove(path))
    end,
    ["is replaced"] = function()
      folder:write("other", picture.png() .. ("y"):rep(15 * MIB))
      assert(os.rename(folder:file "other", path))
    end,
    ["is cut"] = write("wb", 0, picture.png()),
    ["grows"] = write("r+b", 16 * MIB, "more"),
    ["is written to"] = write("r+b", 15 * MIB, "other"),
  } do
    it("or " .. what .. " is kind io, and no request was completed", function()
      local task, err, body = submit_and(change)
      assert.is_nil(task)
      assert.equal("io", err.kind)
      assert.equal("submit", err.stage)
      assert.equal(1, err.attempts)
      assert.is_truthy(err.message:find(path, 1, true))
      assert.is_truthy(err.message:find("nothing was submitted", 1, true))
      assert.is_true(body.length < body.announced)
    end)
  end
end)
