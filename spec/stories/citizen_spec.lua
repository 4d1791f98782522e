--- What the module leaves alone in the program that loads it: all that a process
-- has in common for its parts.

local native = require "spec.support.native"
local process = require "spec.support.process"
local tasks = require "spec.support.tasks"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

-- A program that has set what it could, in its own way.
local HOST = native.import "posix" .. [[
  local fds = require "spec.support.fds"
  local lfs = require "lfs"
  local function threads()
    local count = -2 -- for "." and ".."
    for _ in lfs.dir("/proc/self/task") do
      count = count + 1
    end
    return count
  end
  local HUP, PIPE, ALRM, CHLD = 1, 13, 14, 17
  posix.catch(HUP)
  posix.ignore(ALRM)
  posix.block(PIPE)
  posix.raise(PIPE)
  posix.block(CHLD)
  local before = posix.state()
  local function assert_same(when)
    local after = posix.state()
    if after ~= before then
      local old = {}
      for line in before:gmatch "[^\n]+" do
        old[line] = true
      end
      for line in after:gmatch "[^\n]+" do
        if not old[line] then
          print(when, line)
        end
      end
    end
  end
  -- What is open now and was not then goes to no child.
  local open = fds.list()
  local function assert_closed_on_exec(when)
    for number, target in pairs(fds.list()) do
      if open[number] ~= target and posix.is_inherited(number) then
        print(when, number, target)
      end
    end
  end
]]

describe("the host's own state", function()
  local function run(script, args)
    local result = process.run { script = HOST .. script, args = args, timeout = 30,
      env = { LD_PRELOAD = native.library "resolver", RESOLVER = "named.test=127.0.0.1" } }
    assert.same({ code = 0, out = "", err = "", timed_out = false }, result)
  end

  it("is as it was after the module was loaded, and after the whole main job", function()
    local folder <close> = temp.folder()
    local storage <close> = wire.start { serve = ([[
      local connection = ...
      local storage = require "spec.support.storage"
      while true do
        local request = connection:read_request()
        if not request then
          return
        end
        storage.answer(connection, request, { size = 200000 })
      end
    ]]) }
    local api <close> = tasks.start({ lion = { "Processing", "reset", { http = 503 }, "Success" } },
      { tls = "good" })
    run([[
      local URL, CA, STORAGE, PATH = ...
      local minimax = require "minimax"
      assert_same "require"
      local client = minimax.new { base_url = URL, ca_file = CA, api_key = "sk-spec",
        poll_interval = 0.01 }
      assert_same "new"
      assert(client:submit { template_id = "1",
        media_inputs = { minimax.file "doc/examples/pet.jpg" } })
      assert_same "submit"
      assert_closed_on_exec "submit"
      local co = coroutine.create(client.wait)
      coroutine.resume(co, client, "lion")
      while coroutine.status(co) ~= "dead" do
        assert_closed_on_exec "wait"
        assert_same "wait"
        assert(coroutine.resume(co))
      end
      local other = minimax.new { base_url = STORAGE, api_key = "sk-spec" }
      assert(other:download(STORAGE .. "/v.mp4", PATH))
      assert_same "download"
      assert_closed_on_exec "download"
      other:close()
      client:close()
      assert_same "close"
      assert(threads() == 1)
    ]], { api.url, api.ca_file, storage.url, folder:file "v.mp4" })
  end)

  it("is as it was while a name is looked up, and after", function()
    local api <close> = tasks.start()
    run([[
      local minimax = require "minimax"
      local client = minimax.new { base_url = (...), api_key = "sk-spec" }
      local co = coroutine.create(client.query)
      coroutine.resume(co, client, "lion")
      while coroutine.status(co) ~= "dead" do
        assert_closed_on_exec "lookup"
        assert_same "lookup"
        assert(coroutine.resume(co))
      end
      assert_same "query"
      client:close()
      while threads() > 1 do
        require "socket".sleep(0.001)
      end
    ]], { "http://named.test:" .. api.port })
  end)
end)
