-- The key goes to the API's own origin in the Authorization header, a link's
-- signature to its own host in the request line, and neither goes anywhere
-- else: a program that does all there is to do is searched byte for byte.

local api = require "spec.support.api"
local dump = require "spec.support.dump"
local picture = require "spec.support.picture"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local storage = require "spec.support.storage"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

-- What is searched for is a part of each that no way of escaping changes.
local KEY, KEY_PART = "sk-api-5tR0nglyS3cret/with+signs=", "5tR0nglyS3cret"
local SIGNATURE, SIGNATURE_PART = "q5iGnatur3OfAlink%2B%3D", "q5iGnatur3OfAlink"
local SIZE = 300000

local PROGRAM = [[
  warn "@on"
  local minimax = require "minimax"
  local cjson = require "cjson"
  local api, refused, tunnel, ca_file, link = table.unpack(arg)

  local function show_all(value, depth)
    if type(value) == "table" and depth < 4 then
      for name, field in pairs(value) do
        show_all(name, depth + 1)
        show_all(field, depth + 1)
      end
    end
    print(value)
  end

  local function show(value)
    show_all(value, 0)
  end

  local client = minimax.new { base_url = api, retries = 1, poll_interval = 0.01,
    request_timeout = 5, on_event = show }

  local function fails(value, err)
    assert(value == nil)
    show(err)
    print(pcall(error, err))
  end

  local function link_of(name)
    return (link:gsub("/film", "/" .. name))
  end

  show(client)
  local image = minimax.file "pet.png"
  show(image)
  local task = assert(client:submit { template_id = "1", media_inputs = { image } })
  show(task)
  print(cjson.encode(task))
  show(assert(client:submit({ template_id = "1", media_inputs = { image } }, { dry_run = true })))
  print(assert(client:query(task)))
  print(assert(client:wait(task)))
  show(assert(client:download(task, "renewed.mp4")))
  show(assert(client:generate({ model = "m", prompt = "p" }, "made.mp4")))
  for item, status, err in client:each { task, "none" } do
    print(item, status, err)
  end
  show(assert(client:download({ file_id = "44" }, "content.mp4")))
  show(assert(client:upload "pet.png"))
  assert(client:list())
  assert(client:call("GET", "/v1/other"))
  print(client:cancel "77")
  local reply, event = client:callback('{"task_id":"11","status":"success","video_url":"'
    .. link .. '"}')
  print(reply, event, client:notify(event))

  fails(client:download(link_of "cut", "left.mp4"))
  fails(client:download(link_of "cut", "left.mp4"))
  fails(client:download(link_of "none", "none.mp4"))
  fails(client:download(link_of "page", "page.mp4"))
  fails(client:download(link_of "loop", "loop.mp4"))
  fails(client:download(link_of "elsewhere", "no/such/folder.mp4"))
  fails(client:download(link:gsub("^http://[^/]*", refused), "refused.mp4"))
  fails(client:download("http://\1" .. link, "bad.mp4"))
  for _, id in ipairs { "401", "html", "code", "redirect", "cut", "reset" } do
    fails(client:query(id))
    fails(client:submit { template_id = id })
  end
  local elsewhere = minimax.new { base_url = refused, retries = 1 }
  fails(elsewhere:query "1")
  local tls = api:gsub("^http:", "https:")
  fails(minimax.new { base_url = tls, retries = 0, connect_timeout = 0.3 }:query "1")
  fails(minimax.new { base_url = "http://nobody.invalid", proxy = refused, retries = 0 }:query "1")
  local proxied = minimax.new { base_url = "https://localhost:1", proxy = tunnel,
    ca_file = ca_file }
  assert(proxied:query "1")
  show(package.loaded.minimax)
  client:close()
  fails(client:query "1")
]]


-- Answers by the task or template in question, else by method and path: a list,
-- of which the last answer is for all that follow.
local SERVE = [[
  local connection, shared = ...
  local plan = %s
  for request in connection.read_request, connection do
    local id = request.path:match "task_id=([^&]*)"
      or request.body:match '"template_id":"([^"]*)"'
    local answers = plan[id] or plan[request.method .. " " .. request.path:match "^[^?]*"]
      or { { status = 404, body = "{}" } }
    shared[answers] = (shared[answers] or 0) + 1
    local answer = answers[math.min(shared[answers], #answers)]
    if answer.act then
      return connection[answer.act](connection)
    end
    connection:reply(answer.status or 200, answer.headers or {}, answer.body)
  end
]]

-- A proxy that says what it was asked, and the API behind it.
local TUNNEL = [[
  local connection = ...
  local head = connection:read_head()
  connection.server.report { type = "request", method = "CONNECT", head = head, body = "" }
  connection:send "HTTP/1.1 200 Connection established\r\n\r\n"
  connection:starttls "good"
  connection:read_request()
  connection:reply(200, {}, '{"task_id":"1","status":"Processing"}')
]]

local function json(text, ...)
  return { body = text:format(...) }
end

-- What a server says that repeats all it knows.
local function echo(link)
  return ("invalid key %s, see %s or http://user:%s@example.com/"):format(KEY, link, KEY)
end

local function api_plan(link)
  local content = link:gsub("/film", "/elsewhere")
  local said = echo(link)
  local listed = '{"items":[{"id":"77","status":"running","content":{"url":"%s"}}],"total":1}'
  return {
    ["11"] = { json('{"task_id":"11","status":"Success","video_url":"%s"}', link) },
    ["22"] = { json '{"task_id":"22","status":"Success","file_id":"33"}' },
    none = { json('{"base_resp":{"status_code":2013,"status_msg":"no such task, %s"}}', said) },
    ["1"] = { json '{"task_id":"11","base_resp":{"status_code":0}}' },
    ["401"] = { { status = 401, headers = { ["Trace-Id"] = KEY },
      body = ('{"error":{"message":"%s"}}'):format(said) } },
    html = { { status = 502, body = "<html>" .. said .. "</html>" } },
    code = { json('{"base_resp":{"status_code":1026,"status_msg":"%s"}}', said) },
    redirect = { { status = 302, headers = { Location = link } } },
    cut = { { headers = { ["Content-Length"] = "9" }, act = "close" } },
    reset = { { act = "reset" } },
    ["POST /v1/video_generation"] = { json '{"task_id":"22"}' },
    ["GET /v1/files/retrieve"] = { json('{"file":{"file_id":33,"download_url":"%s"}}', link),
      json '{"file":{"file_id":44}}' },
    ["GET /v1/files/retrieve_content"] = { { status = 302, headers = { Location = content } } },
    ["POST /v1/files/upload"] = { json '{"file":{"file_id":55}}' },
    ["GET /v2/query/video_generation"] = { json(listed, link) },
    ["GET /v2/query/video_generation/77"] = { json '{"task":{"id":"77","status":"queued"}}' },
    ["DELETE /v2/video_generation/77"] = { json '{"task_id":"77","status":"cancelled"}' },
    ["GET /v1/other"] = { json "{}" },
  }
end

local function storage_plan(elsewhere)
  local film = { size = SIZE }
  local said = echo(elsewhere)
  return {
    film = { { status = 403, body = said }, { size = SIZE, cut = 100000 }, film },
    cut = { { size = SIZE, cut = 100000 }, { act = "reset" } },
    elsewhere = { { status = 302, headers = { Location = elsewhere } } },
    none = { { status = 404, body = said } },
    page = { { status = 200, body = "<html>" .. said } },
    loop = { { status = 302, headers = { Location = "?again&Signature=" .. SIGNATURE } } },
  }
end

-- The whole world of one run.
local World = {}
World.__index = World

function World:address(server, path)
  return self[server].url .. path .. "?Expires=4000000000&Signature=" .. SIGNATURE
end

function World:close()
  for _, part in pairs(self) do
    local close = part.stop or part.close
    if close then
      close(part)
    end
  end
end

World.__close = World.close

-- Runs the program with its own folders and servers.
-- @param command words to put before it
local function run(command)
  local world = setmetatable({ tmp = temp.folder(), work = temp.folder() }, World)
  world.elsewhere = wire.start { keep_bodies = true,
    serve = storage.script { other = { { size = SIZE } } } }
  world.storage = wire.start { keep_bodies = true,
    serve = storage.script(storage_plan(world:address("elsewhere", "/other"))) }
  local link = world:address("storage", "/film")
  world.api = wire.start { keep_bodies = true, serve = SERVE:format(dump(api_plan(link))) }
  world.tunnel = wire.start { tls = "later", serve = TUNNEL }
  world.work:write("pet.png", picture.png() .. ("x"):rep(30000))
  local refused <close> = wire.refused()
  local words = { shell.interpreter(), world.work:write("program.lua", PROGRAM), world.api.url,
    refused.url, "http://127.0.0.1:" .. world.tunnel.port, world.tunnel.ca_file, link }
  world.result = process.run {
    command = table.move(words, 1, #words, #command + 1, command), directory = world.work.path,
    env = { MINIMAX_API_KEY = KEY, MINIMAX_DEBUG = "1", TMPDIR = world.tmp.path,
      LD_PRELOAD = os.getenv "LD_PRELOAD",
      LSAN_OPTIONS = "detect_leaks=0" }, -- which can't be traced
  }
  return world
end

local function contents(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read("a")
end

local function assert_absent(text, part, what)
  local at = text:find(part, 1, true)
  assert.is_nil(at, at and what .. ": …" .. text:sub(math.max(at - 80, 1), at + 30))
end

local function assert_clean(text, what)
  assert_absent(text, KEY_PART, what)
  assert_absent(text, SIGNATURE_PART, what)
end

describe("a program that does all there is to do", function()
  local world

  setup(function()
    world = run {}
  end)

  teardown(function()
    world:close()
  end)

  -- All that a server was sent, in the order of arrival.
  local function sent_to(name)
    local list = world[name]:requests()
    assert.is_true(#list > 0, name)
    for _, request in ipairs(list) do
      request.body = request.body_file and contents(request.body_file) or request.body
    end
    return list
  end

  it("comes to its end, and there was something to be found", function()
    assert.equal(0, world.result.code, world.result.err)
    assert.matches("invalid key %[key%], see http://127.0.0.1:%d+/film%?%[cut%]", world.result.out)
    assert.matches("minimax request download", world.result.err, 1, true)
    for _, name in ipairs { "renewed.mp4", "made.mp4", "content.mp4" } do
      assert.equal(SIZE, #world.work:read(name))
    end
  end)

  it("prints neither, as a value, an error, an event or a warning", function()
    assert_clean(world.result.out, "standard output")
    assert_clean(world.result.err, "standard error")
  end)

  it("writes neither to a file, and none but those that it was told to", function()
    assert.same({}, world.tmp:names())
    local names = world.work:names()
    assert.same({ "content.mp4", "left.mp4.part", "left.mp4.part.etag", "made.mp4", "pet.png",
      "program.lua", "renewed.mp4" }, names)
    for _, name in ipairs(names) do
      assert_clean(world.work:read(name), name)
    end
  end)

  it("sends the key to the API's own origin alone, in the header Authorization", function()
    local header = "\r\nAuthorization: Bearer " .. KEY .. "\r\n"
    for _, name in ipairs { "api", "tunnel", "storage", "elsewhere" } do
      for _, request in ipairs(sent_to(name)) do
        local is_api = name == "api" or name == "tunnel" and request.method ~= "CONNECT"
        local from, to = request.head:find(header, 1, true)
        assert.equal(is_api, from ~= nil, request.head)
        assert_absent(request.head:sub(to or 1), KEY_PART, name)
        assert_absent(request.head:sub(1, from or 1), KEY_PART, name)
        assert_absent(request.body, KEY_PART, name)
      end
    end
  end)

  it("sends a link's signature to the link's host alone, in the request line", function()
    for _, name in ipairs { "api", "tunnel", "storage", "elsewhere" } do
      for _, request in ipairs(sent_to(name)) do
        local line, rest = request.head:match "^([^\r]*)(.*)$"
        local is_host = name == "storage" or name == "elsewhere"
        assert.equal(is_host, line:find(SIGNATURE_PART, 1, true) ~= nil, line)
        assert_absent(rest .. request.body, SIGNATURE_PART, name)
      end
    end
  end)
end)

describe("the system calls of such a program", function()
  local TRACE = { "strace", "-f", "-qq", "-yy", "-s", "1000000", "-o" }
  local WRITES = "trace=write,pwrite64,writev,pwritev,sendto,sendmsg,sendmmsg"

  -- A container may forbid it.
  local attempt = process.run { command = { "strace", "-qq", "-o", "/dev/null", "true" } }
  local case = attempt.code == 0 and it or pending

  -- Whether a call writes to a connection to that server.
  local function is_sent_to(server, line)
    return line:find("->127.0.0.1:" .. server.port .. "]>", 1, true) ~= nil
  end

  case("write the key to a connection to the API alone, and a signature to the link's", function()
    local folder <close> = temp.folder()
    local command = table.move(TRACE, 1, #TRACE, 1, {})
    for _, word in ipairs { folder:file "trace", "-e", WRITES } do
      command[#command + 1] = word
    end
    local world <close> = run(command)
    assert.equal(0, world.result.code, world.result.err)
    local found = { key = 0, signature = 0 }
    for line in io.lines(folder:file "trace") do
      if line:find(KEY_PART, 1, true) then
        found.key = found.key + 1
        assert.is_true(is_sent_to(world.api, line), line)
        assert.matches("\\r\\nAuthorization: Bearer " .. KEY .. "\\r\\n", line, 1, true)
      end
      if line:find(SIGNATURE_PART, 1, true) then
        found.signature = found.signature + 1
        assert.is_true(is_sent_to(world.storage, line) or is_sent_to(world.elsewhere, line), line)
      end
    end
    assert.is_true(found.key > 20 and found.signature > 10)
  end)
end)

describe("a page that repeats the key", function()
  it("is never cut in the midst of it, wherever it stands", function()
    local server <close> = api.start()
    local client <close> = server:client()
    for before = 0, 130 do
      server:answer { status = 502, body = ("x"):rep(before) .. api.KEY .. ("y"):rep(200) }
      local _, err = client:query "1"
      assert_absent(tostring(err), api.KEY:sub(1, 4), "after " .. before .. " bytes")
    end
  end)
end)
