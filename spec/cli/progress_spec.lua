-- What a terminal shows while something lasts.

local command = require "spec.support.command"
local lfs = require "lfs"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local socket = require "socket"
local temp = require "spec.support.temp"

local PET = lfs.currentdir() .. "/doc/examples/pet.jpg"
local SECONDS = 20 -- until a test that hangs is given up

describe("on a terminal", function()
  local emu, folder, terminal

  if not lfs.attributes "/dev/pts/ptmx" then
    it("shows what lasts", function()
      pending "no pseudo-terminals here: /dev/pts is not mounted"
    end)
    return
  end

  before_each(function()
    terminal = "xterm"
    emu = command.emulator { speed = 1, seconds = 10000, video_bytes = 3000000 }
    folder = temp.folder()
  end)

  after_each(function()
    emu:stop()
    folder:close()
  end)

  -- Starts the command line on a terminal of its own.
  local function start(...)
    local words = shell.join(process.lua) .. " " .. shell.join { command.FILE, ... }
    local env = { TERM = terminal, https_proxy = false }
    for name, value in pairs(emu.env) do
      env[name] = value
    end
    return process.start { command = { "script", "-qefc", words, "/dev/null" }, env = env,
      directory = folder.path }
  end

  -- Reads what it shows until that holds a text; returns all of it.
  local function read_until(child, text, shown)
    shown = shown or ""
    local deadline = socket.gettime() + SECONDS
    while not shown:find(text, 1, true) do
      local byte = child:read(1)
      assert(byte and socket.gettime() < deadline, text .. " is not in " .. shown)
      shown = shown .. byte
    end
    return shown
  end

  it("a wait has a bar that moves while the server says nothing new", function()
    local child <close> = start("template", "climbing", "-m", "@" .. PET, "--wait", "--interval",
      "1000", "--turn", "10")
    local id = read_until(child, " (template)"):match("task (%d+)")
    local first = read_until(child, "\27[K")
    assert.matches("\r" .. id .. "  %[#*%-*#*%-*%]  %.%.%.  0:0%d\27", first)
    local second = read_until(child, "\27[K")
    assert.are_not.equal(first:match("%d:%d%d\27"), second:match("%d:%d%d\27"))
    child:signal "TERM"
  end)

  it("a wait shows the server's word, and leaves an empty line behind", function()
    local child <close> = start("template", "climbing", "-m", "@" .. PET, "--wait", "--interval",
      "0.05")
    local shown = read_until(child, "]  Preparing  0:0")
    emu:advance(10000)
    shown = read_until(child, "http://", shown)
    assert.matches("\r\27%[Khttp://$", shown)
    child:finish()
  end)

  it("a download has a bar with its share", function()
    emu:fault { endpoint = "storage", fault = "stall", at = 1500000, attempt = 1 }
    local child <close> = start("template", "climbing", "-m", "@" .. PET, "-o", "a.mp4",
      "--interval", "0.05")
    read_until(child, "Preparing")
    emu:advance(10000)
    local shown = read_until(child, " MB of 3.0 MB")
    assert.matches("\ra.mp4  %[#+%-+%] +%d+ %%  [%d.]+ MB of 3.0 MB$", shown)
    child:signal "TERM"
  end)

  it("a batch counts in one line", function()
    folder:write("jobs.jsonl", '{"key":"k","request":{"template_id":"393488336655310850",'
      .. '"media_inputs":["@' .. PET .. '"]}}\n')
    local result = command.run({ "batch", "add", "jobs.jsonl" }, { directory = folder.path })
    assert.equal(0, result.code, result.err)
    local child <close> = start("batch", "run", "--interval", "0.05")
    read_until(child, "0 of 1 downloaded, 1 submitted  0:0")
    emu:advance(10000)
    read_until(child, "downloaded  1")
    child:finish()
  end)

  it("that can't move its cursor a wait has plain lines", function()
    terminal = "dumb"
    local child <close> = start("template", "climbing", "-m", "@" .. PET, "--wait", "--interval",
      "0.05")
    local shown = read_until(child, "Preparing  0:0")
    emu:advance(10000)
    shown = shown .. child:finish().out
    assert.is_nil(shown:find("\27", 1, true))
    assert.matches("\n%d+  Success  0:%d%d\r\nhttp://", shown)
  end)
end)
