-- Clients that nobody here wrote do their main job on the emulator: the guide's
-- script with another host, the documents' callback service, and MiniMax's own
-- command line. What is not installed is pending.

local emulated = require "spec.support.emulated"
local npm = require "spec.support.npm"
local process = require "spec.support.process"
local temp = require "spec.support.temp"

local PATIENCE = 60

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

-- Declares a case, or says why it can't be.
local function case_that_needs(why)
  return why and function(title)
    pending(title .. ": " .. why)
  end or it
end

-- A Python that has these modules; or nil and why not.
local function python_with(...)
  local script = "import " .. table.concat({ ... }, ", ")
  for _, program in ipairs { "python3", "/usr/bin/python3" } do
    if process.run({ command = { program, "-c", script } }).code == 0 then
      return program
    end
  end
  return nil, "no python3 with " .. table.concat({ ... }, " and ")
end

local function is_film(bytes)
  return bytes and bytes:sub(5, 8) == "ftyp"
end

describe("the guide's script", function()
  local python, missing = python_with "requests"

  case_that_needs(missing)("renders and saves a video, only its host changed", function()
    local folder <close> = temp.folder()
    local api <close> = emulated.start()
    local script, hosts = read("spec/foreign/guide.py")
      :gsub("https://api%.minimax%.io", api.emu.base_url)
    assert.equal(2, hosts)
    folder:write("guide.py", script)
    local env = { no_proxy = "127.0.0.1" }
    for name, value in pairs(api.emu.env) do
      env[name] = value
    end
    local result = process.run { command = { python, "guide.py" }, directory = folder.path,
      env = env }
    assert.equal(0, result.code, result.err)
    assert.matches("Video successfully saved as output.mp4", result.out)
    assert.is_true(is_film(folder:read "output.mp4"))
    assert.equal(1, #api.emu:tasks())
  end)
end)

-- What a script in Python asks with, and by which variable each finds certificates.
local ASK = [[
import os, urllib.error, urllib.request, requests
url = os.environ["MINIMAX_BASE_URL"] + "/v1/nowhere"
print(requests.get(url).status_code)
try:
    urllib.request.urlopen(url)
except urllib.error.HTTPError as answer:
    print(answer.code)
]]

describe("Python's clients", function()
  local python, missing = python_with "requests"

  case_that_needs(missing)("trust the emulator's certificate in its environment", function()
    local api <close> = emulated.start { tls = true }
    local env = { no_proxy = "localhost" }
    for name, value in pairs(api.emu.env) do
      env[name] = value
    end
    local result = process.run { command = { python, "-c", ASK }, env = env }
    assert.same({ 0, "404\n404\n" }, { result.code, result.out }, result.err)
  end)
end)

-- As the documents print it, within the description of `callback_url`.
local function callback_service()
  local document = read "spec/openapi/video_template_generation.yaml"
  local indent, code = document:match("\n( +)```python[^\n]*\n(.-)\n +```")
  return ("\n" .. code):gsub("\n" .. indent, "\n")
end

describe("the documents' callback service", function()
  local python, missing = python_with("fastapi", "uvicorn")

  local function port_of(child)
    local port
    emulated.wait_until(function()
      port = child:errors():match("running on http://127%.0%.0%.1:(%d+)")
      return port
    end, "uvicorn: " .. child:errors())
    return port
  end

  case_that_needs(missing)("passes the challenge and takes each push", function()
    local folder <close> = temp.folder()
    folder:write("service.py", (callback_service()))
    local child <close> = process.start { directory = folder.path, timeout = PATIENCE,
      command = { python, "-m", "uvicorn", "service:app", "--host", "127.0.0.1", "--port", "0" } }
    local url = "http://127.0.0.1:" .. port_of(child) .. "/get_callback"
    local api <close> = emulated.start { seconds = 30 }
    assert(api:submit("template", { callback_url = url }))
    local sent
    emulated.wait_until(function()
      sent = api.emu:callbacks()
      return sent[3] and sent[3].answer
    end, "the last push")
    assert.is_true(sent[1].passed)
    assert.equal(3, #sent)
    for index, word in ipairs { "processing", "success" } do
      local push = sent[index + 1]
      assert.same({ word, 200, '{"status":"success"}' },
        { push.body.status, push.status, push.answer })
    end
  end)
end)

-- Node 18 and later; its parts are as new as it wants them.
local FOLDER = "build/mmx"
local PROGRAM = FOLDER .. "/node_modules/.bin/mmx"
local PACKAGE = '{ "dependencies": { "mmx-cli": "1.0.27" } }'

describe("MiniMax's own command line", function()
  local installed, why = npm.install("mmx-cli", FOLDER, PROGRAM, PACKAGE)
  local case = case_that_needs(not installed and why)

  -- The film that a run saves, and the emulator's tasks. It upgrades links to
  -- https, and names its region by itself only where that can be asked.
  local function generate(...)
    local folder <close> = temp.folder()
    local api <close> = emulated.start { tls = true }
    local program = require "lfs".currentdir() .. "/" .. PROGRAM
    local env = { HOME = folder.path, no_proxy = "localhost", NO_COLOR = "1" }
    for name, value in pairs(api.emu.env) do
      env[name] = value
    end
    local result = process.run { directory = folder.path, env = env, timeout = PATIENCE,
      command = { program, "video", "generate", "--region", "global", "--non-interactive",
        "--api-key", api.emu.api_key, "--base-url", api.emu.base_url, "--prompt", "A cat surfs",
        "--poll-interval", "1", "--download", "cat.mp4", ... } }
    assert.equal(0, result.code, result.out .. result.err)
    return folder:read "cat.mp4", api.emu:tasks()
  end

  case("renders with a Hailuo model and saves the video", function()
    local film, tasks = generate()
    assert.is_true(is_film(film))
    assert.same({ 1, "video" }, { #tasks, tasks[1].kind })
  end)

  case("renders with an H3 model and saves the video", function()
    local film, tasks = generate("--model", "MiniMax-H3")
    assert.is_true(is_film(film))
    assert.same({ 1, "video2" }, { #tasks, tasks[1].kind })
  end)
end)
