-- Files of the current folder that are named like modules: none of them is run by
-- an installed program, where it would have the key.

local command = require "spec.support.command"
local lfs = require "lfs"
local process = require "spec.support.process"
local temp = require "spec.support.temp"

-- All that the programs load, and what that loads.
local NAMES = {
  "minimax", "minimax/console", "cjson", "cjson/safe", "argparse", "DBI", "dbd/sqlite3",
  "dbd/postgresql", "http/server", "http/headers", "http/request", "http/h2_connection",
  "http/connection_common", "http/h1_connection", "http/tls", "http/util", "fifo", "_cqueues",
  "cqueues", "cqueues/socket", "cqueues/errno", "_openssl", "_openssl/pkey", "openssl/pkey",
  "openssl/digest", "openssl/ssl/context", "lpeg", "lpeg_patterns/http", "basexx",
  "binaryheap", "compat53/module", "compat53/string", "bit", "bit32", "socket", "socket/core",
  "zlib", "http/zlib", "psl", "cqueues/auxlib", "luasql", "lfs", "posix", "ssl",
}

-- A folder with such files: each leaves its name in `folder:file "ran"`, and fails.
local function strays(own)
  local folder = temp.folder()
  for _, name in ipairs(own or NAMES) do
    local parent = ""
    for part in name:gmatch("([^/]+)/") do
      parent = parent .. part .. "/"
      lfs.mkdir(folder:file(parent))
    end
    local code = ("local file = io.open(%q, 'a') file:write(%q, '\\n') file:close() error 'stray'")
      :format(folder:file "ran", name)
    folder:write(name .. ".lua", code)
    folder:write(name .. ".so", "no library")
  end
  return folder
end

describe("a file of the current folder", function()
  local emu

  setup(function()
    emu = command.emulator()
  end)

  teardown(function()
    emu:stop()
  end)

  it("is not run by the command, whatever it is named", function()
    local folder <close> = strays()
    local jobs = folder:write("jobs.jsonl", '{"key":"a","output":"a.mp4","kind":"video",'
      .. '"model":"MiniMax-Hailuo-02","prompt":"a cat"}\n')
    for _, words in ipairs { { "--version" }, { "templates" }, { "doctor" },
      { "files", "list", "--purpose", "video_generation" },
      { "batch", "add", "l.sqlite", jobs }, { "batch", "status", "l.sqlite" },
      { "batch", "run", "l.sqlite" }, { "batch", "export", "l.sqlite", "page.html" } } do
      local result = command.run(words, { emulator = emu, directory = folder.path })
      assert.is_nil(folder:read "ran", table.concat(words, " "))
      assert.is_nil(result.err:find("stray", 1, true), result.err)
      assert.is_true(result.code ~= 70, table.concat(words, " ") .. ": " .. result.err)
    end
  end)

  it("is not run by callback-server or by the emulator of the command", function()
    for _, words in ipairs { { "callback-server", "--port", "0" },
      { "emulator", "--port", "0", "--tls" } } do
      local folder <close> = strays()
      local child <close> = command.start(words, { emulator = emu, directory = folder.path })
      assert.truthy(child:read "l", child:errors())
      child:signal "TERM"
      child:finish()
      assert.is_nil(folder:read "ran")
    end
  end)

  it("is not run by the process of an emulator that a script starts", function()
    local own = {} -- what the script itself loads is its own affair
    for _, name in ipairs(NAMES) do
      own[#own + 1] = not name:find "^cjson" and name or nil
    end
    local folder <close> = strays(own)
    local result = process.run { directory = folder.path, script = [[
      local before = package.path .. package.cpath
      local emu <close> = assert(require "minimax.emulator".start { tls = true })
      print(#emu:requests(), before == package.path .. package.cpath)
    ]] }
    assert.same({ "0\ttrue\n", "" }, { result.out, result.err })
    assert.is_nil(folder:read "ran")
  end)

  it("is not run by the emulator as a program of its own", function()
    local folder <close> = strays()
    local child <close> = process.start { directory = folder.path,
      script = [[require "minimax.emulator".main { "--port", "0" }]] }
    assert.matches("free of charge", child:read "l" or child:errors(), 1, true)
    child:signal "TERM"
    child:finish()
    assert.is_nil(folder:read "ran")
  end)

  it("is found all the same where it is the module itself, reached by a relative path", function()
    local result = process.run { directory = lfs.currentdir() .. "/lua",
      env = { LUA_PATH = "./?.lua;./?/init.lua;"
        .. os.getenv("LUA_PATH"):gsub("[^;]*/lua/%?[^;]*;", "", 2) },
      script = [[
        local emu <close> = assert(require "minimax.emulator".start())
        print(#emu:requests())
      ]] }
    assert.same({ "0\n", "" }, { result.out, result.err })
  end)
end)
