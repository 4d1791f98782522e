-- `minimax template`, `video` and `video2`, against the emulator.

local command = require "spec.support.command"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"

local PET = require "lfs".currentdir() .. "/doc/examples/pet.jpg"
local RUN_FOR_LIFE = "393769180141805569"

describe("a render from the command line", function()
  local emu, folder

  setup(function()
    emu = command.emulator()
  end)

  teardown(function()
    emu:stop()
  end)

  before_each(function()
    folder = temp.folder()
    emu:clear()
  end)

  after_each(function()
    folder:close()
  end)

  local function run(words, options)
    options = options or {}
    options.emulator, options.directory = emu, folder.path
    return command.run(words, options)
  end

  local function submitted()
    local requests = emu:requests { endpoint = "submit" }
    assert.equal(1, #requests)
    return requests[1].body
  end

  it("with -o submits, waits, downloads and prints the path", function()
    local result = run { "template", "run-for-life", "-m", "@" .. PET, "-t", "Lion", "-o",
      "lion.mp4", "--interval", "0.05" }
    assert.equal(0, result.code, result.err)
    assert.equal("lion.mp4\n", result.out)
    assert.equal(100000, #folder:read "lion.mp4")
    local body = submitted()
    assert.equal(RUN_FOR_LIFE, body.template_id)
    assert.same({ { value = "Lion" } }, body.text_inputs)
    assert.matches("^data:image/jpeg;base64,", body.media_inputs[1].value)
  end)

  it("elsewhere than on a terminal reports in plain lines, with neither bar nor escape", function()
    local result = run { "template", "climbing", "-m", "@" .. PET, "-o", "a.mp4", "--interval",
      "0.05" }
    local id = emu:tasks()[#emu:tasks()].task_id
    assert.equal("submitted: task " .. id .. " (template)", result.err:match("^[^\n]*"))
    assert.matches("\n" .. id .. "  Success  0:%d%d\n$", result.err)
    assert.is_nil(result.err:find("[\r\27#]"))
  end)

  it("without -o prints the id, and on standard error the command that goes on", function()
    local result = run { "template", RUN_FOR_LIFE, "-m", "https://example.com/pet.jpg", "-t",
      "Lion" }
    assert.equal(0, result.code, result.err)
    local id = emu:tasks()[#emu:tasks()].task_id
    assert.equal(id .. "\n", result.out)
    assert.matches("minimax wait " .. id .. " --kind template -o video.mp4", result.err, 1, true)
    assert.equal(0, #emu:requests { endpoint = "query" })
  end)

  it("with --wait prints the link", function()
    local result = run { "template", "climbing", "-m", "https://x/y", "--wait", "--interval",
      "0.05" }
    assert.equal(0, result.code, result.err)
    assert.matches("^http://127%.0%.0%.1:%d+/%S+\n$", result.out)
  end)

  it("with --json prints a line of JSON for the task, the status and the file", function()
    local result = run { "template", "climbing", "-m", "@" .. PET, "-o", "a.mp4", "--interval",
      "0.05", "--json" }
    assert.equal(0, result.code, result.err)
    assert.equal("", result.err)
    local task, status, file = table.unpack(result.lines)
    assert.equal(3, #result.lines)
    assert.equal("template", task.task.kind)
    assert.equal(task.task.task_id, status.status.task_id)
    assert.equal("succeeded", status.status.state)
    assert.equal("a.mp4", file.file.path)
    assert.equal(100000, file.file.bytes)
  end)

  it("with --quiet prints the result alone", function()
    local result = run { "template", "climbing", "-m", "@" .. PET, "-o", "a.mp4", "--interval",
      "0.05", "--quiet" }
    assert.equal("a.mp4\n", result.out)
    assert.equal("", result.err)
  end)

  it("goes to standard output with -o -, and nothing else does", function()
    local result = run { "template", "climbing", "-m", "@" .. PET, "-o", "-", "--interval", "0.05" }
    assert.equal(0, result.code, result.err)
    assert.equal(100000, #result.out)
    assert.equal("ftyp", result.out:sub(5, 8))
    assert.equal(2, run({ "template", "climbing", "-m", "https://x/y", "-o", "-", "--json" }).code)
  end)

  it("of a Hailuo model sends what was said and nothing else", function()
    local result = run { "video", "--model", "MiniMax-Hailuo-02", "-p", "A cat", "--first-frame",
      "@" .. PET, "--last-frame", "https://x/last.jpg", "--duration", "6", "--resolution", "768P",
      "--optimizer", "off", "--callback-url", "" }
    assert.equal(0, result.code, result.err)
    local body = submitted()
    assert.matches("^data:image/jpeg;base64,", body.first_frame_image)
    body.first_frame_image = nil
    assert.same({ model = "MiniMax-Hailuo-02", prompt = "A cat", duration = 6,
      resolution = "768P", prompt_optimizer = false, last_frame_image = "https://x/last.jpg",
      callback_url = "" }, body)
  end)

  it("of a face goes into subject_reference", function()
    assert.equal(0, run({ "video", "--model", "S2V-01", "--subject", "@" .. PET }).code)
    local subject = submitted().subject_reference[1]
    assert.equal("character", subject.type)
    assert.matches("^data:image/jpeg;base64,", subject.image[1])
  end)

  it("of an H3 model puts the prompt and the media into content, with their roles", function()
    local result = run { "video2", "--model", "MiniMax-H3", "-p", "She sings", "--resolution",
      "768P", "--duration", "5", "--ratio", "16:9", "--reference-image", "@" .. PET,
      "--reference-image", "https://x/2.jpg", "--reference-video", "https://x/v.mp4",
      "--reference-audio", "mm_file://1" }
    assert.equal(0, result.code, result.err)
    local body = submitted()
    assert.matches("^data:image/jpeg;base64,", body.content[2].image_url.url)
    body.content[2].image_url.url = "pet"
    assert.same({ model = "MiniMax-H3", resolution = "768P", duration = 5, ratio = "16:9",
      content = {
        { type = "text", text = "She sings" },
        { type = "image_url", role = "reference_image", image_url = { url = "pet" } },
        { type = "image_url", role = "reference_image", image_url = { url = "https://x/2.jpg" } },
        { type = "video_url", role = "reference_video", video_url = { url = "https://x/v.mp4" } },
        { type = "audio_url", role = "reference_audio", audio_url = { url = "mm_file://1" } },
      } }, body)
  end)

  it("takes the request from a file or standard input, its media with @, options on top", function()
    local text = '{"model":"MiniMax-Hailuo-02","prompt":"old","first_frame_image":"@' .. PET
      .. '","seed":12345678901234567}'
    folder:write("request.json", text)
    for _, case in ipairs { { "request.json" }, { "-", text } } do
      emu:clear()
      local result = run({ "video", "--request", case[1], "-p", "@new" }, { stdin = case[2] })
      assert.equal(0, result.code, result.err)
      local body = submitted()
      assert.equal("@new", body.prompt)
      assert.matches("^data:image/jpeg;base64,", body.first_frame_image)
    end
  end)

  it("shows an empty list as one", function()
    local result = run({ "video", "--request", "-", "--dry-run", "--json" },
      { stdin = '{"model":"m","none":[],"some":[{},[]]}' })
    assert.equal(0, result.code, result.err)
    assert.matches('"body":{"model":"m","none":[],"some":[{},[]]}', result.out, 1, true)
  end)

  it("that is a dry run shows the request and sends nothing", function()
    local result = run { "template", "climbing", "-m", "@" .. PET, "--dry-run" }
    assert.equal(0, result.code, result.err)
    assert.matches("^POST http://%S+/v1/video_template_generation  %(%d+ bytes%)\n{", result.out)
    result = run { "template", "climbing", "-m", "@" .. PET, "--dry-run", "--json" }
    assert.equal("393488336655310850", result.lines[1].dry_run.body.template_id)
    assert.equal(0, #emu:requests())
  end)

  -- what is wrong with it, the words
  local DOUBTFUL = {
    { "does not make 99 s", "video", "--model", "MiniMax-Hailuo-2.3", "-p", "x",
      "--duration", "99" },
    { "does not make 720P", "video", "--model", "MiniMax-Hailuo-2.3", "-p", "x",
      "--resolution", "720P" },
    { "does not take text alone", "video", "--model", "MiniMax-Hailuo-2.3-Fast", "-p", "x" },
    { "'video-9' is not among those", "video", "--model", "video-9", "-p", "x" },
    { "'Run for Life' wants -m: a pet", "template", "run-for-life", "-t", "Lion" },
    { "'Run for Life' wants -t: a pet", "template", "run-for-life", "-m", "https://x/y.jpg" },
    { "'Diving' takes no -t", "template", "diving", "-m", "https://x/y.jpg", "-t", "Lion" },
    { "the template 7 is not in the catalogue", "template", "7", "-t", "Lion" },
    { "does not make 8K", "video2", "--model", "MiniMax-H3", "-p", "x", "--resolution", "8K",
      "--duration", "6", "--ratio", "16:9" },
    { "a duration from 4 to 15 s", "video2", "--model", "MiniMax-H3", "-p", "x",
      "--resolution", "768P", "--ratio", "16:9" },
  }
  for _, case in ipairs(DOUBTFUL) do
    it("that the lists doubt is warned of, and refused by --strict: " .. case[1], function()
      local words = table.move(case, 2, #case, 1, {})
      local function with(flag)
        return table.move({ flag }, 1, 1, #words + 1, table.move(words, 1, #words, 1, {}))
      end
      local result = run(with "--dry-run")
      assert.equal(0, result.code, result.err)
      assert.matches("warning: ", result.err, 1, true)
      assert.matches(case[1], result.err, 1, true)
      result = run(with "--strict")
      assert.equal(8, result.code, result.err)
      assert.matches(case[1], result.err, 1, true)
      assert.equal(0, #emu:requests())
      run(words)
      assert.equal(1, #emu:requests { endpoint = "submit" })
      words = with "--dry-run"
      local line = run(with "--json").lines[1]
      assert.matches(case[1], line.warning.message, 1, true)
    end)
  end

  it("that the lists know is not warned of", function()
    local result = run { "template", "run-for-life", "-m", "@" .. PET, "-t", "Lion", "--dry-run",
      "--strict" }
    assert.same({ 0, "" }, { result.code, result.err })
  end)

  it("to a path that can't be written costs nothing", function()
    folder:write("there.mp4", "x")
    for path, flag in pairs { ["none/a.mp4"] = "--quiet", ["there.mp4"] = "--no-overwrite",
      ["."] = "--quiet" } do
      local result = run { "template", "climbing", "-m", "@" .. PET, "-o", path, flag }
      assert.equal(18, result.code, result.err)
    end
    assert.equal(0, #emu:requests())
  end)

  it("that fails at the server says so, and names no way to go on", function()
    emu:fault { endpoint = "submit", fault = "fail", times = 1 }
    local result = run { "template", "climbing", "-m", "@" .. PET, "-o", "a.mp4", "--interval",
      "0.05" }
    assert.equal(14, result.code, result.err)
    assert.is_nil(result.err:find("To go on", 1, true))
  end)

  it("whose wait ends too early names the command that goes on, and that one works", function()
    local slow <close> = command.emulator { speed = 1, seconds = 10000 }
    local key_file = folder:write("key", slow.api_key)
    assert(os.execute("chmod 600 '" .. key_file .. "'"))
    local result = command.run({ "--base-url", slow.base_url, "--key-file", key_file, "template",
      "climbing", "-m", "@" .. PET, "-o", "it's.mp4", "--interval", "0.05", "--timeout", "0.2" },
      { directory = folder.path })
    assert.equal(10, result.code, result.err)
    local words = result.err:match("\n  minimax (wait [^\n]*)\n$")
    assert.is_truthy(words, result.err)
    slow:advance(10000)
    local again = "cd '" .. folder.path .. "' && " .. shell.join(process.lua) .. " " .. command.FILE
      .. " " .. words .. " 2>&1"
    local pipe = io.popen(again)
    local out = pipe:read("a")
    assert.is_true(pipe:close(), out)
    assert.equal(100000, #folder:read "it's.mp4")
    assert.equal(1, #slow:tasks())
  end)

  it("whose answer is lost is unknown, and is sent once", function()
    emu:fault { endpoint = "submit", fault = "close", attempt = "all" }
    local result = run { "template", "climbing", "-m", "@" .. PET, "-o", "a.mp4", "--json" }
    assert.equal(15, result.code, result.err)
    assert.equal("unknown", result.lines[1].error.kind)
    assert.equal(1, #emu:requests { endpoint = "submit" })
  end)

  for what, words in pairs {
    ["a local path without @"] = { "template", "climbing", "-m", "pet.jpg" },
    ["no template"] = { "template" },
    ["a template's name that nobody knows"] = { "template", "nonsense" },
    ["no model"] = { "video", "-p", "x" },
    ["no model of the second family"] = { "video2", "-p", "x" },
    ["nothing to be seen"] = { "video2", "--model", "MiniMax-H3" },
    ["a request that is no JSON"] = { "video", "--request", "/dev/null" },
    ["a request that is not there"] = { "video", "--request", "none.json" },
    ["a duration that is no number"] = { "video", "--model", "m", "--duration", "six" },
    ["a switch that is neither on nor off"] = { "video", "--model", "m", "--optimizer", "yes" },
    ["a wait without an end"] = { "template", "climbing", "--timeout", "inf" },
    ["a parameter without a value"] = { "--query", "x", "template", "climbing" },
    ["a base URL that is none"] = { "--base-url", "ftp://x", "template", "climbing" },
  } do
    it("with " .. what .. " is refused before anything is sent", function()
      local result = run(words)
      assert.equal(2, result.code, result.err)
      assert.matches("^minimax: %S", result.err)
      assert.is_nil(result.err:find("report this", 1, true))
      assert.equal(0, #emu:requests())
    end)
  end
end)
