--- The host may set any locale at any time: nothing that is sent, read, or said
-- depends on it.

local cjson = require "cjson"
local ledgers = require "spec.support.ledgers"
local native = require "spec.support.native"
local process = require "spec.support.process"
local temp = require "spec.support.temp"
local video = require "spec.support.video"
local wire = require "spec.support.wire"

-- German has a comma in its numbers, Turkish that and other small letters.
local LOCALES = { "de_DE", "tr_TR" }

-- The API of one task: numbers of every form, words in capitals.
local SERVE = [[
  local connection, shared = ...
  local bytes = %q
  local BASE = '"base_resp":{"status_code":0}'
  while true do
    local request = connection:read_request()
    if not request then
      return
    end
    if request.path:find "^/v1/numbers" and not shared.failed then
      shared.failed = true
      connection:reply(503, { ["Retry-After"] = "0.25" }, "{}")
    elseif request.method == "POST" and request.path:find "template" then
      connection:reply(200, {}, '{"task_id":401047179385389059,' .. BASE .. "}")
    elseif request.path:find "^/v1/numbers" then
      connection:reply(200, {}, '{"list":[1,5,2.5],"small":1.25e-3,"big":1e300,"id":0.5,'
        .. '"task_id":4.01047179385389059E+17,"width":1920.0,"z":-0.75,' .. BASE .. "}")
    elseif request.path:find "query" then
      connection:reply(200, {}, '{"task_id":"401047179385389059","status":"FINISHED",'
        .. '"progress":0.5,"video_url":"http://' .. request.headers.host .. '/v.mp4",' .. BASE
        .. "}")
    else
      connection:reply(200, { ["Content-Type"] = "video/mp4" }, bytes)
    end
  end
]]

-- `SET(number)` stands at each instant at which a host may set its locale.
local MAIN_JOB = [[
  local URL, PATH, AT = ...
  local LOCALE = os.getenv "SPEC_LOCALE"
  local at = tonumber(AT)
  local function SET(number)
    if number == at then
      assert(os.setlocale(LOCALE))
    end
  end
  SET(1)
  local cjson = require "cjson"
  SET(2)
  local minimax = require "minimax"
  SET(3)
  local seconds = {}
  local client = minimax.new { base_url = URL, api_key = "sk-spec", poll_interval = 0.01,
    headers = { ["X-Scale"] = 0.5 }, query = { scale = 2.5 },
    on_event = function(event)
      seconds[#seconds + 1] = event.seconds
    end }
  local task = assert(client:submit {
    template_id = "1", scale = 0.5, third = 1 / 3, whole = 6.0, long = 401047179385389059,
    list = { 1, 5, 2.5 },
  })
  SET(4)
  local status = assert(client:wait(task))
  assert(status.state == "succeeded", status.state)
  assert(status.progress == 1 / 2)
  SET(5)
  local reply = assert(client:call("GET", "/v1/numbers", { query = { a = 0.5, b = { 1.5, 2 } } }))
  assert(#reply.list == 3 and reply.list[1] == 1 and reply.list[2] == 5 and reply.list[3] == 5 / 2)
  assert(reply.small == 125 / 100000 and reply.big == 10.0 ^ 300 and reply.z == -3 / 4)
  assert(reply.id == "0.5" and reply.task_id == "401047179385389059", reply.task_id)
  assert(math.type(reply.width) == "integer" and reply.width == 1920)
  assert(client:download(status, PATH))
  SET(6)
  local again = cjson.new()
  assert(client:query(task).progress == 1 / 2)
  assert(client:call("POST", "/v1/numbers", { body = { template_id = "1", scale = 0.5 } }))
  assert(#seconds >= 6)
  SET(7)
]]

describe("the locale of the host", function()
  local folder, has_locales

  setup(function()
    folder = temp.folder()
    has_locales = true
    for _, name in ipairs(LOCALES) do
      local made = process.run { command = { "localedef", "-i", name, "-f", "UTF-8",
        folder:file(name .. ".UTF-8") } }
      has_locales = has_locales and made.code == 0
    end
  end)

  teardown(function()
    folder:close()
  end)

  local function start_server()
    return wire.start { keep_bodies = true, serve = SERVE:format(video.make(5000)) }
  end

  -- Runs a script in a child that may set the locale SPEC_LOCALE.
  local function run(script, locale, args, env)
    -- The C library never frees what it makes of LOCPATH.
    env = env or {}
    env.LOCPATH, env.SPEC_LOCALE = folder.path, locale .. ".UTF-8"
    env.ASAN_OPTIONS = "detect_leaks=0"
    local result = process.run { script = script, args = args, env = env }
    assert.equal(0, result.code, result.err)
    return result
  end

  local function needs_locales()
    if not has_locales then
      pending "no other locales can be made here: the package locales has them"
    end
    return has_locales
  end

  -- What the server got for the main job.
  local function assert_sent(server)
    local posts, requests = {}, server:requests()
    for _, request in ipairs(requests) do
      if request.path ~= "/v.mp4" then
        assert.equal("0.5", request.headers["x-scale"])
        assert.matches("scale=2.5", request.path, 1, true)
      end
      if request.method == "POST" then
        posts[#posts + 1] = request.body
      elseif request.path:find "numbers" then
        assert.matches("a=0.5", request.path, 1, true)
        assert.matches("b=1.5&b=2", request.path, 1, true)
      end
    end
    assert.equal(2, #posts)
    assert.same({ template_id = "1", scale = 1 / 2, third = 1 / 3, whole = 6,
      list = { 1, 5, 5 / 2 }, long = cjson.decode "401047179385389059" }, cjson.decode(posts[1]))
    assert.matches('"long":401047179385389059', posts[1], 1, true)
    assert.same({ template_id = "1", scale = 1 / 2 }, cjson.decode(posts[2]))
  end

  for at, when in ipairs {
    "before all", "before require", "after require", "after the submit", "after the wait",
    "after the download, and once another part has made its own lua-cjson",
  } do
    it(("that is set %s changes nothing in the main job"):format(when), function()
      if needs_locales() then
        local server <close> = start_server()
        run(MAIN_JOB, LOCALES[1 + at % 2], { server.url, folder:file "v.mp4", tostring(at) })
        assert_sent(server)
      end
    end)
  end

  it("set for a thread alone stays, and changes nothing either", function()
    if needs_locales() then
      local server <close> = start_server()
      run(native.import "posix" .. [[
        posix.use_locale(os.getenv "SPEC_LOCALE")
        assert(posix.point() == ",")
      ]] .. MAIN_JOB .. [[ assert(posix.point() == ",") ]], "de_DE",
        { server.url, folder:file "v.mp4", "0" })
      assert_sent(server)
    end
  end)

  it("is not in what is said of the work", function()
    if needs_locales() then
      local server <close> = start_server()
      local result = run(MAIN_JOB, "de_DE", { server.url, folder:file "v.mp4", "1" },
        { MINIMAX_DEBUG = "1" })
      assert.matches("seconds=%d+%.%d", result.err)
      assert.matches("delay=%d+%.%d", result.err)
      assert.is_nil(result.err:match "=%d+,%d")
    end
  end)

  -- Rates and leases go to the database as numbers with a fraction; the emulator
  -- is told some, and tells some.
  for _, kind in ipairs(ledgers) do
    describe("of a batch on " .. kind.name, function()
      if kind.missing then
        pending(kind.missing)
        return
      end
      lazy_setup(kind.start)
      lazy_teardown(kind.stop)

      it("changes nothing in it", function()
        if not needs_locales() then
          return
        end
        local result = run([[
          local WHERE, OUTPUT = ...
          assert(os.setlocale(os.getenv "SPEC_LOCALE"))
          local minimax = require "minimax"
          local emulator = require "minimax.emulator"
          local emu <close> = assert(emulator.start { seconds = 0.25, speed = 1.5,
            video_bytes = 5000 })
          local client = minimax.new { base_url = emu.base_url, api_key = emu.api_key, retries = 0 }
          local batch = assert(require "minimax.batch".open(WHERE, client))
          local request = { model = "MiniMax-Hailuo-02", prompt = "Lion", weight = 0.5,
            list = { 1, 5, 2.5 }, third = 1 / 3 }
          for number = 1, 3 do
            assert(batch:add { key = "k" .. number, request = request,
              output = OUTPUT .. number .. ".mp4" })
          end
          assert(batch:run { poll_interval = 0.05, lease = 2.5, submit_rate = { 10, 0.5 } })
          for number = 1, 3 do
            assert(io.open(OUTPUT .. number .. ".mp4")):close()
          end
          local fractions = 0
          for job in batch:jobs() do
            assert(job.bytes == 5000)
            fractions = fractions + job.added_at % 1 + job.ended_at % 1
          end
          assert(fractions > 0, "the times are cut to seconds")
          local found = 0
          for _, entry in ipairs(emu:requests()) do
            if entry.method == "POST" and entry.body.weight then
              found = found + 1
              assert(entry.body.weight == 1 / 2 and entry.body.third == 1 / 3)
              assert(#entry.body.list == 3 and entry.body.list[3] == 5 / 2)
            end
          end
          print(found)
        ]], "de_DE", { kind.new(), folder:file(kind.name) })
        assert.equal("3\n", result.out, result.err)
      end)
    end)
  end
end)
