-- The face of the emulator, and the life of its process.

local emulated = require "spec.support.emulated"
local emulator = require "minimax.emulator"
local fds = require "spec.support.fds"
local process = require "spec.support.process"
local socket = require "cqueues.socket"
local temp = require "spec.support.temp"

-- Whether something listens there.
local function listens(port)
  local connection = socket.connect("127.0.0.1", port)
  local ok = pcall(function() assert(connection:connect(5)) end)
  connection:close()
  return ok
end

local function await_end(port)
  emulated.wait_until(function() return not listens(port) end, "the emulator's end")
end

describe("the emulator", function()
  it("starts with nothing said, and tells where it is", function()
    local emu <close> = emulator.start { speed = 50 }
    assert.equal("http://127.0.0.1:" .. emu.port, emu.base_url)
    assert.equal("http://127.0.0.1:" .. emu.storage_port, emu.storage_url)
    assert.equal("sk-api-emulator", emu.api_key)
    assert.same({ MINIMAX_API_KEY = emu.api_key, MINIMAX_BASE_URL = emu.base_url,
      MINIMAX_POLL_INTERVAL = "0.2" }, emu.env)
    assert.truthy(listens(emu.port))
    assert.truthy(listens(emu.storage_port))
  end)

  it("takes the ports that it is given, or says why not", function()
    local first <close> = emulator.start()
    local second, why = emulator.start { port = first.port }
    assert.is_nil(second)
    assert.equal("io", why.kind)
    assert.equal("minimax: Address already in use (io)", tostring(why))
    first:stop()
    local third <close> = assert(emulator.start { port = first.port })
    assert.equal(first.port, third.port)
  end)

  it("raises on an unknown option or a wrong value, in the caller's line", function()
    local function message(options)
      local ok, text = pcall(function()
        local emu = emulator.start(options)
        emu:stop()
      end)
      assert.is_false(ok)
      return text
    end
    assert.truthy(message({ sped = 1 }):find("process_spec.lua:%d+: .*unknown option 'sped'"))
    assert.truthy(message({ speed = "fast" }):find("'speed' must be a positive number", 1, true))
    assert.truthy(message({ wrap = 3 }):find("'wrap' must be 0, 1 or 2", 1, true))
    assert.truthy(message({ submit_rate = 5 }):find("must be { count, seconds }", 1, true))
    assert.truthy(message({ api_keys = {} }):find("must be a list of strings", 1, true))
    assert.truthy(message({ path_prefix = "x/" }):find("begins with a slash", 1, true))
  end)

  it("stops: at once, for good, and as often as it is told", function()
    local emu = emulator.start()
    emu:stop()
    assert.is_false(listens(emu.port))
    emu:stop()
    local ok, why = pcall(emu.requests, emu)
    assert.is_false(ok)
    assert.truthy(why:find("the emulator has been stopped", 1, true))
  end)

  it("stops at the end of a block and when it is collected", function()
    local port
    do
      local emu <close> = emulator.start()
      port = emu.port
    end
    assert.is_false(listens(port))
    port = emulator.start().port
    collectgarbage()
    collectgarbage()
    assert.is_false(listens(port))
  end)

  it("leaves no descriptor behind", function()
    emulator.start():stop()
    local before = fds.count()
    for _ = 1, 3 do
      emulator.start({ tls = true }):stop()
    end
    assert.equal(before, fds.count())
  end)

  it("records requests, and finds them again", function()
    local api <close> = emulated.start()
    api:submit("template", { text_inputs = { { value = "Lion" } } })
    api:query("template", "7")
    api:send("/v1/nowhere?a=b%20c&a=d")
    local all = api.emu:requests()
    assert.equal(3, #all)
    assert.equal("POST", all[1].method)
    assert.equal("/v1/video_template_generation", all[1].path)
    assert.equal("Lion", all[1].body.text_inputs[1].value)
    assert.equal("Bearer sk-api-emulator", all[1].headers.authorization)
    assert.equal("application/json", all[1].headers["content-type"])
    assert.equal("1.1", all[1].http)
    assert.truthy(math.abs(os.time() - all[1].time) <= 20)
    assert.equal("7", all[2].query.task_id)
    assert.equal("b c,d", all[3].query.a)
    assert.same({ "submit", "query", "call" },
      { all[1].endpoint, all[2].endpoint, all[3].endpoint })
    assert.equal(1, #api.emu:requests { method = "POST" })
    assert.equal(1, #api.emu:requests { endpoint = "query", method = "GET" })
    api.emu:clear()
    assert.same({}, api.emu:requests())
    assert.equal(1, #api.emu:tasks())
  end)

  it("keeps the newest ten thousand requests, however many there were", function()
    local record = require "minimax.emulator.record"
    local world = {}
    record.clear(world)
    for index = 1, 30000 do
      record.add(world, { method = "GET", path = "/v1/" .. index, raw_body = "" }, "call")
      assert(#world.log <= 20000)
    end
    local shown = record.newest(world.log)
    assert.same({ 10000, "/v1/20001", "/v1/30000" }, { #shown, shown[1].path, shown[10000].path })
    assert.same({ 30000, 20001 }, { shown[10000].attempt, shown[1].attempt })
    local paths = 0
    for _ in pairs(world.path_counts) do
      paths = paths + 1
    end
    assert.is_true(paths <= 10000)
  end)

  it("tells the tasks that were paid for", function()
    local api <close> = emulated.start { speed = 0.001 }
    local id = api:submit "video"
    api:submit("video", { model = false })
    local tasks = api.emu:tasks()
    assert.equal(1, #tasks)
    assert.same({ id, "video", "preparing" },
      { tasks[1].task_id, tasks[1].kind, tasks[1].state })
    api.emu:advance(60)
    assert.equal("succeeded", api.emu:tasks()[1].state)
  end)

  it("moves its tasks by itself, at the speed that it is given", function()
    local api <close> = emulated.start { speed = 60, seconds = 6 }
    local id = api:submit "template"
    emulated.wait_until(function()
      return api:query("template", id).status == "Success"
    end, "a task's end")
  end)

  it("is a world of its own: two know nothing of each other", function()
    local one <close> = emulated.start()
    local other <close> = emulated.start()
    one:submit "template"
    assert.equal(1, #one.emu:tasks())
    assert.equal(0, #other.emu:tasks())
  end)

  it("says so when its process has died, and does not kill this one", function()
    local result = process.run { script = [[
      local emu = require "minimax.emulator".start()
      print(emu.port)
      os.execute("kill -KILL " .. emu.pid)
      print(pcall(emu.tasks, emu))
      print(pcall(emu.tasks, emu))
      emu:stop()
      print "still here"
    ]] }
    assert.equal("", result.err)
    assert.equal(0, result.code)
    assert.truthy(result.out:find("the emulator has died", 1, true), result.out)
    assert.truthy(result.out:find("still here", 1, true))
    await_end(result.out:match "^%d+")
  end)

  it("says so when its process does not start", function()
    local emu, why = emulator.start { lua = "true" }
    assert.is_nil(emu)
    assert.same({ "io", "the emulator has died" }, { why.kind, why.message })
  end)
end)

describe("the emulator's process", function()
  local START = [[
    io.stdout:setvbuf "line"
    local emu = require "minimax.emulator".start { tls = true }
    print(emu.port)
    print(emu.ca_file)
  ]]

  it("ends with its parent, even after SIGKILL", function()
    local child <close> = process.start { script = START .. "while true do end" }
    local port, ca_file = child:read("l", "l")
    assert.truthy(listens(port))
    child:signal "KILL"
    child:finish()
    await_end(port)
    emulated.wait_until(function() return not io.open(ca_file) end, "the certificate's end")
  end)

  it("ends with its parent though a third process holds what it inherited", function()
    local child <close> = process.start { script = START
      .. 'print(io.popen("echo $$; exec sleep 60"):read()) while true do end' }
    local port, _, third = child:read("l", "l", "l")
    child:signal "KILL"
    child:finish()
    await_end(port)
    assert.is_true(os.execute("kill " .. third))
  end)

  it("ends when its parent leaves without a word", function()
    for _, words in ipairs { "os.exit(0)", "os.exit(0, true)", "error 'x'" } do
      local result = process.run { script = START .. words }
      await_end(result.out:match "^%d+")
    end
  end)

  it("outlives a Ctrl-C that its parent outlives", function()
    local child <close> = process.start { script = START .. [[
      os.execute("kill -INT " .. emu.pid)
      print(#emu:tasks())
    ]] }
    child:read("l", "l")
    assert.equal("0", child:read "l")
    child:finish()
  end)

  it("leaves no file behind and prints nothing", function()
    local folder <close> = temp.folder()
    local result = process.run { env = { TMPDIR = folder.path }, script = [[
      local emu <close> = require "minimax.emulator".start()
      emu:tasks()
    ]] }
    assert.same({ 0, "", "" }, { result.code, result.out, result.err })
    assert.same({}, folder:names())
  end)

  it("names what to install where lua-http is missing", function()
    local result = process.run { script = [[
      package.path = package.path:gsub("/usr[^;]*", "")
      local paths = require "minimax.common.paths"
      local search = package.searchpath
      package.searchpath = function(name, path)
        return name ~= "http.server" and search(name, path) or nil
      end
      print(require "minimax.emulator".start())
    ]] }
    assert.truthy(result.out:find("luarocks install http", 1, true), result.out .. result.err)
    assert.truthy(result.out:find("Debian's package 'lua-http'", 1, true))
  end)

  it("finds a lua-http that was installed for an older Lua", function()
    local result = process.run { script = [[
      package.path = package.path:gsub("/usr/share/lua/5%.[123][^;]*;?", "")
      local emu <close> = assert(require "minimax.emulator".start())
      print(#emu:requests())
    ]] }
    assert.same({ 0, "0\n" }, { result.code, result.out }, result.err)
  end)
end)
