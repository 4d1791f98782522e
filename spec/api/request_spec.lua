--- src/api/request.c: what a Lua table becomes as a request's body.

local api = require "spec.support.api"
local cjson = require "cjson"
local minimax = require "minimax"
local picture = require "spec.support.picture"
local temp = require "spec.support.temp"

local ACCEPTED = '{"task_id":"17","base_resp":{"status_code":0}}'

describe("a request", function()
  local server, client, folder, pet

  setup(function()
    server = api.start { keep_bodies = true }
    client = server:client()
    folder = temp.folder()
    pet = folder:write("pet.png", picture.png())
  end)

  teardown(function()
    client:close()
    server:close()
    folder:close()
  end)

  -- The body text that left for a request.
  local function sent(request, options)
    server:answer(ACCEPTED)
    assert(client:submit(request, options))
    local file = assert(io.open(server:asked()[1].body_file, "rb"))
    local text = file:read "a"
    file:close()
    return text
  end

  local function body(request, options)
    return cjson.decode(sent(request, options))
  end

  -- The error of a request that is not sent.
  local function refused(request, options)
    server:answer(ACCEPTED)
    local task, err = client:submit(request, options)
    assert.is_nil(task)
    assert.equal("invalid", err.kind)
    assert.equal("submit", err.stage)
    assert.is_nil(tostring(err):find("%c"))
    assert.same({}, server:asked())
    return err.message
  end

  it("is sent as it is: unknown fields pass, and nothing is added", function()
    local request = {
      model = "MiniMax-Hailuo-02", prompt = "A lion [Push in]", duration = 6, resolution = "768P",
      prompt_optimizer = false, new_field = { a = { 1, 2.5, "x" }, b = { c = true } },
    }
    assert.same(request, body(request))
    assert.same({ model = "m" }, body { model = "m" })
    assert.same({ template_id = "1" }, body { template_id = "1" })
  end)

  it("is not changed by it", function()
    local request = { template_id = 393769180141805569, text_inputs = { "Lion" },
      media_inputs = {} }
    body(request)
    assert.same({ template_id = 393769180141805569, text_inputs = { "Lion" }, media_inputs = {} },
      request)
  end)

  it("sends false and null as they are", function()
    assert.equal('{"prompt_optimizer":false}', sent({ prompt_optimizer = false },
      { kind = "video" }))
    assert.equal('{"a":null}', sent({ a = cjson.null }, { kind = "video" }))
  end)

  describe("with conveniences", function()
    it("takes a string inside text_inputs or media_inputs for { value = string }", function()
      local sent_body = body { template_id = "1", text_inputs = { "Lion", { value = "Tiger" } },
        media_inputs = { "https://a.example/pet.jpg" } }
      assert.same({ { value = "Lion" }, { value = "Tiger" } }, sent_body.text_inputs)
      assert.same({ { value = "https://a.example/pet.jpg" } }, sent_body.media_inputs)
    end)

    it("leaves an empty list there out, and only there", function()
      assert.equal('{"template_id":"1"}',
        sent { template_id = "1", text_inputs = {}, media_inputs = {} })
      assert.same({ model = "m", extra = {} }, body { model = "m", extra = {} })
    end)

    it("sends an empty table as a list where its __jsontype says so", function()
      local list = setmetatable({}, { __jsontype = "array" })
      assert.equal('{"extra":[]}', sent({ extra = list }, { kind = "video" }))
      assert.equal('{"a":[[],{}]}', sent({ a = { list, {} } }, { kind = "video" }))
      assert.equal('{"template_id":"1"}', sent { template_id = "1", text_inputs = list })
      assert.equal('{"a":[1]}', sent({ a = setmetatable({ 1 }, getmetatable(list)) },
        { kind = "video" }))
      assert.equal('{"a":{}}', sent({ a = setmetatable({}, { __jsontype = 7 }) },
        { kind = "video" }))
      local preview = client:submit({ model = "m", extra = list }, { dry_run = true })
      assert.equal(getmetatable(list), getmetatable(preview.body.extra))
    end)

    it("takes minimax.file as a media value anywhere", function()
      local data = "data:image/png;base64,"
      local file = minimax.file(pet)
      local sent_body = body { template_id = "1", media_inputs = { file, { value = file } } }
      assert.equal(data, sent_body.media_inputs[1].value:sub(1, #data))
      assert.equal(data, sent_body.media_inputs[2].value:sub(1, #data))
      sent_body = body { model = "m", first_frame_image = file,
        subject_reference = { { type = "character", image = { file } } } }
      assert.equal(data, sent_body.first_frame_image:sub(1, #data))
      assert.equal(data, sent_body.subject_reference[1].image[1]:sub(1, #data))
      sent_body = body { model = "m", content = { { type = "image_url",
        image_url = { url = file }, role = "first_frame" } } }
      assert.equal(data, sent_body.content[1].image_url.url:sub(1, #data))
    end)

    it("takes an integer for template_id, task_id and file_id as its decimal string", function()
      assert.equal('{"template_id":"393769180141805569"}',
        sent { template_id = 393769180141805569 })
      local sent_body = body({ task_id = 335797537439947, file_id = math.maxinteger },
        { kind = "video" })
      assert.same({ task_id = "335797537439947", file_id = "9223372036854775807" }, sent_body)
    end)

    it("raises for a float there: it has lost its last digits", function()
      for _, name in ipairs { "template_id", "task_id", "file_id" } do
        local ok, message = pcall(client.submit, client, { [name] = 3.93769180141805569e17 },
          { kind = "video" })
        assert.is_false(ok)
        assert.is_truthy(message:find("'" .. name .. "' must be a string or an integer", 1, true))
      end
    end)
  end)

  it("that is a string or nothing raises", function()
    assert.is_false(pcall(client.submit, client, "{}"))
    assert.is_false(pcall(client.submit, client))
  end)

  describe("that can't be sent is an error of kind invalid, and nothing leaves:", function()
    it("NUL and invalid UTF-8 in a prompt", function()
      assert.is_truthy(refused({ model = "m", prompt = "a\0b" })
        :find("prompt: a NUL byte can't be sent", 1, true))
      for _, text in ipairs { "\xff", "a\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80" } do
        assert.is_truthy(refused({ model = "m", prompt = text })
          :find("prompt: it is not valid UTF-8", 1, true))
        assert.is_truthy(refused({ template_id = "1", text_inputs = { "Lion", text } })
          :find("text_inputs[2]: it is not valid UTF-8", 1, true))
        assert.is_truthy(refused({ model = "m", [text] = 1 })
          :find("a key is not valid UTF-8", 1, true))
      end
      refused { model = "m", prompt = ("x"):rep(70000) .. "\xff" }
      refused { model = "m", ["a\0b"] = 1 }
    end)

    it("values that JSON can't carry, named by their place", function()
      assert.is_truthy(refused({ model = "m", a = { b = { print } } })
        :find("a.b[1]: a function can't be sent as JSON", 1, true))
      assert.is_truthy(refused({ model = "m", a = coroutine.create(print) })
        :find("a: a thread can't be sent", 1, true))
      assert.is_truthy(refused({ model = "m", a = io.stdout })
        :find("a: a userdata can't be sent", 1, true))
      for _, number in ipairs { 1 / 0, -1 / 0, 0 / 0 } do
        assert.is_truthy(refused({ model = "m", a = number })
          :find("a: a number that is not finite", 1, true))
      end
      assert.is_truthy(refused({ model = "m", a = { [true] = 1 } }):find("a key that is", 1, true))
      assert.is_truthy(refused({ model = "m", a = { [1.5] = 1 } }):find("a key that is", 1, true))
      assert.is_truthy(refused({ model = "m", a = { [1] = 1, [1000000] = 2 } })
        :find("sparse", 1, true))
    end)

    it("a table that holds itself", function()
      local request = { model = "m" }
      request.request = request
      assert.is_truthy(refused(request):find("holds itself", 1, true))
    end)

    it("a v2 body above 64 MB", function()
      local long = ("x"):rep((64 << 20) - 4096)
      assert.is_truthy(refused({ content = { { type = "text", text = long .. ("x"):rep(4096) } } })
        :find("64 MB", 1, true))
      local dry = assert(client:submit({ content = { { type = "text", text = long } } },
        { dry_run = true }))
      assert.is_true(dry.bytes > #long)
    end)
  end)

  describe("with long strings", function()
    it("arrives whole, escapes and all", function()
      local text = ('"\\\n\t\u{1f981}x/\127'):rep(20000)
      assert.equal(text, body({ model = "m", prompt = text }).prompt)
      local data = "data:image/jpeg;base64," .. ("QUJD"):rep(50000)
      local sent_body = body { template_id = "1", media_inputs = { data, { value = data } },
        text_inputs = { data } }
      assert.equal(data, sent_body.media_inputs[1].value)
      assert.equal(data, sent_body.media_inputs[2].value)
      assert.equal(data, sent_body.text_inputs[1].value)
    end)

    it("and texts that resemble a placeholder keeps them apart", function()
      local text = "@minimax:0000000000000000:1@"
      assert.equal(text, body({ model = "m", prompt = text, other = ("x"):rep(70000) }).prompt)
    end)
  end)

  describe("as a dry run", function()
    it("returns the endpoint and the body, media shortened, and sends nothing", function()
      server:answer(ACCEPTED)
      local data = "data:image/jpeg;base64," .. ("QUJD"):rep(5000)
      local dry = assert(client:submit({
        template_id = 393769180141805569, text_inputs = { "Lion" },
        media_inputs = { minimax.file(pet), data, "https://a.example/pet.jpg" }, seed = 1 / 3,
      }, { dry_run = true }))
      assert.equal("POST", dry.method)
      assert.equal(server.url .. "/v1/video_template_generation", dry.url)
      assert.equal("/v1/video_template_generation", dry.path)
      assert.equal("template", dry.kind)
      assert.equal("393769180141805569", dry.body.template_id)
      assert.same({ { value = "Lion" } }, dry.body.text_inputs)
      assert.equal("data:image/png;base64,… (" .. pet .. ")", dry.body.media_inputs[1].value)
      assert.is_true(#dry.body.media_inputs[2].value < 100)
      assert.is_truthy(dry.body.media_inputs[2].value:find("(20023 bytes)", 1, true))
      assert.equal("https://a.example/pet.jpg", dry.body.media_inputs[3].value)
      assert.equal(1 / 3, dry.body.seed)
      assert.same({}, server:asked())
    end)

    it("announces as many bytes as would be sent", function()
      local request = { model = "m", first_frame_image = minimax.file(pet), n = 2 ^ 60 }
      local dry = assert(client:submit(request, { dry_run = true }))
      assert.equal(#sent(request), dry.bytes)
    end)

    it("does all checks", function()
      server:answer(ACCEPTED)
      refused({ model = "m", prompt = "\xff" }, { dry_run = true })
      refused({ prompt = "A lion." }, { dry_run = true })
      refused({ model = "m", first_frame_image = minimax.file(folder:file "nowhere") },
        { dry_run = true })
      assert.is_false(pcall(client.submit, client, { template_id = 1.5 }, { dry_run = true }))
    end)

    it("needs no key", function()
      local keyless <close> = server:client { api_key = "" }
      assert(keyless:submit({ model = "m" }, { dry_run = true }))
    end)
  end)
end)
