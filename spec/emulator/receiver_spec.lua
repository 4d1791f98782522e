-- The receiver of callbacks: what it answers, and what it keeps out.

local api = require "spec.support.api"
local command = require "spec.support.command"
local cqueues = require "cqueues"
local minimax = require "minimax"
local receiver = require "minimax.receiver"
local socket = require "cqueues.socket"

local CLIMBING = { template_id = "393488336655310850", media_inputs = { "https://x/y.jpg" } }
local PUSH = '{"task_id":"7","status":"processing","base_resp":{"status_code":0}}'
local SECONDS = 20 -- until a test that hangs is given up

-- Runs `body` in a controller beside a receiver with these options.
local function beside(options, body)
  local controller = cqueues.new()
  options.controller = controller
  options.client = options.client
    or minimax.new { api_key = "sk-spec", base_url = "http://127.0.0.1:1" }
  local served = assert(receiver.start(options))
  controller:wrap(function()
    body(served)
    served:close()
  end)
  local deadline = cqueues.monotime() + SECONDS
  repeat
    assert(controller:step(0.5))
  until controller:empty() or cqueues.monotime() > deadline
  assert(controller:empty(), "it hangs")
end

-- Connects and sends bytes.
local function dial(served, bytes)
  local connection = socket.connect { host = "127.0.0.1", port = served.port }
  connection:setmode("bn", "bn")
  connection:onerror(function(_, _, code) return code end)
  connection:settimeout(SECONDS)
  connection:write(bytes)
  return connection
end

-- Sends bytes and returns the answer's status and body; nil where there was none.
local function send(served, bytes)
  local connection = dial(served, bytes)
  local head = {}
  repeat
    head[#head + 1] = connection:read("*L")
  until not head[#head] or head[#head] == "\r\n"
  local length = tonumber(table.concat(head):lower():match("content%-length: (%d+)"))
  local body = length and length > 0 and connection:read(length) or ""
  connection:close()
  return tonumber((head[1] or ""):match("^HTTP/1%.[01] (%d+)")), body
end

local function post(served, body, path)
  return send(served, "POST " .. (path or served.path) .. " HTTP/1.1\r\nHost: x\r\n"
    .. "Content-Length: " .. #body .. "\r\n\r\n" .. body)
end

describe("a receiver", function()
  it("answers the challenge", function()
    beside({}, function(served)
      local status, body = post(served, '{"challenge":"0a1b-\\u00e9"}')
      assert.equal(200, status)
      assert.equal('{"challenge":"0a1b-é"}', body)
    end)
  end)

  it("answers a push and hands it on as an event", function()
    local seen = {}
    beside({ on_event = function(event) seen[#seen + 1] = event end }, function(served)
      local status, body = post(served, PUSH)
      assert.equal(200, status)
      assert.equal('{"status":"success"}', body)
    end)
    assert.equal(1, #seen)
    assert.same({ "7", "running" }, { seen[1].task_id, seen[1].state })
  end)

  it("tells what the callback_url had behind its path, by which a request is known", function()
    local seen = {}
    beside({ on_event = function(_, query) seen[#seen + 1] = query end }, function(served)
      for _, query in ipairs { "", "?", "?request=17&x=/", "?a?b" } do
        assert.equal(200, (post(served, PUSH, served.path .. query)))
      end
    end)
    assert.same({ "", "", "request=17&x=/", "a?b" }, seen)
  end)

  it("makes a wait of its client ask at once, and the emulator's challenge passes", function()
    local emu <close> = command.emulator { speed = 60, seconds = 20 }
    local client <close> = minimax.new { base_url = emu.base_url, api_key = emu.api_key,
      poll_interval = 10000 }
    local status
    beside({ client = client }, function(served)
      local request = { callback_url = "http://127.0.0.1:" .. served.port .. served.path }
      for name, value in pairs(CLIMBING) do
        request[name] = value
      end
      status = assert(client:wait(assert(client:submit(request))))
    end)
    assert.equal("succeeded", status.state)
    assert.is_true(emu:callbacks()[1].passed)
  end)

  it("is believed in nothing: forged, repeated and late pushes change no result", function()
    local server <close> = api.start()
    server:answer('{"task_id":"7","status":"Processing"}', '{"task_id":"7","status":"Processing"}',
      '{"task_id":"7","status":"Success","video_url":"https://x/y.mp4"}')
    local client = server:client { poll_interval = 10000 }
    local result
    beside({ client = client }, function(served)
      local done = require "cqueues.condition".new()
      served.options.controller:wrap(function()
        result = client:wait { task_id = "7", kind = "template" }
        done:signal()
      end)
      repeat -- each push is a success that is not true, until the server says so itself
        assert.equal(200, (post(served,
          '{"task_id":"7","status":"Success","video_url":"https://evil/x.mp4"}')))
        post(served, PUSH)
      until result or done:wait(0.05)
    end)
    assert.equal("https://x/y.mp4", result.url)
    assert.equal(3, #server:asked())
  end)

  it("knows only its secret path, whatever the others look like", function()
    beside({}, function(served)
      assert.matches("^/%x+$", served.path)
      assert.equal(33, #served.path)
      for _, path in ipairs { "/", served.path:sub(1, -2), served.path .. "0", served.path .. "/",
        served.path .. served.path, served.path:upper() .. "x", "/" .. ("0"):rep(32) } do
        assert.equal(404, (post(served, PUSH, path)), path)
      end
      assert.equal(200, (post(served, PUSH, served.path .. "?x=1")))
    end)
  end)

  it("makes a new secret each time", function()
    local paths = {}
    for index = 1, 2 do
      beside({}, function(served) paths[index] = served.path end)
    end
    assert.are_not.equal(paths[1], paths[2])
  end)

  it("takes a POST and nothing else", function()
    beside({}, function(served)
      for _, method in ipairs { "GET", "PUT", "DELETE" } do
        assert.equal(405, (send(served, method .. " " .. served.path
          .. " HTTP/1.1\r\nHost: x\r\n\r\n")))
      end
    end)
  end)

  it("takes no body above its cap, announced or not", function()
    local events = 0
    beside({ max_bytes = 1000, on_event = function() events = events + 1 end }, function(served)
      local long = PUSH:sub(1, -2) .. ',"x":"' .. ("x"):rep(1000) .. '"}'
      assert.equal(413, (post(served, long)))
      local chunk = string.format("%x\r\n%s\r\n", #long, long)
      assert.equal(413, (send(served, "POST " .. served.path .. " HTTP/1.1\r\nHost: x\r\n"
        .. "Transfer-Encoding: chunked\r\n\r\n" .. chunk .. "0\r\n\r\n")))
      assert.equal(413, (send(served, "POST " .. served.path .. " HTTP/1.1\r\nHost: x\r\n"
        .. "Content-Length: 99999999999999999999999\r\n\r\n")))
      local fits = PUSH:sub(1, -2) .. (" "):rep(1000 - #PUSH) .. "}"
      assert.equal(200, (post(served, fits)))
    end)
    assert.equal(1, events)
  end)

  -- What is between the request's line and its body, and what it is answered.
  local HEADS = {
    ["Content-Length: -1"] = 400, ["Content-Length: abc"] = 400, ["Content-Length: 0x10"] = 400,
    ["Content-Length: 1e1"] = 400, ["Content-Length: +16"] = 400, ["Content-Length:"] = 400,
    ["Content-Length: 16, 16"] = 400, ["Content-Length: 1.0"] = 400,
    ["Content-Length: 16\r\nContent-Length: 17"] = 400,
    ["Content-Length: 16\r\nTransfer-Encoding: chunked"] = 400,
    ["Content-Length : 16"] = 400, [" Content-Length: 16"] = 400, ["Content-Length"] = 400,
    ["Content-Length: 16\r\n folded"] = 400, ["X: a\0b"] = 400, ["X: a\rb"] = 400,
    ["Transfer-Encoding: ;;;"] = 501, ["Transfer-Encoding: gzip, chunked"] = 501,
    ["Transfer-Encoding: chunked, chunked"] = 501, ["Transfer-Encoding:"] = 501,
    ["Content-Length: 99999999999999999999"] = 413, ["Content-Length: 65537"] = 413,
    [("X: y\r\n"):rep(101)] = 431, ["X: " .. ("y"):rep(9000)] = 431,
    [("X: " .. ("y"):rep(8000) .. "\r\n"):rep(9)] = 431,
    ["Content-Length: 17\r\nTE: ;;;"] = 200, ["Content-Length: 17\r\nConnection: ;;"] = 200,
    ["Content-Length: \t 17 \t"] = 200, ["Content-Length: 17\r\nRange: bytes=-"] = 200,
    ["Content-Length: 17\r\nUpgrade: h2c"] = 200,
  }

  it("judges each head before it looks at the body, and raises on none", function()
    beside({}, function(served)
      for head, status in pairs(HEADS) do
        local sent = "POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n" .. '{"challenge":"a"}'
        assert.equal(status, (send(served, sent:format(served.path, head))), head)
      end
    end)
  end)

  it("tells nobody the path, whatever its head is", function()
    beside({}, function(served)
      for head, status in pairs(HEADS) do
        if status ~= 400 and status ~= 501 and status ~= 431 then
          local sent = "POST /wrong HTTP/1.1\r\nHost: x\r\n" .. head .. "\r\n\r\n"
          local got = send(served, sent)
          assert.equal(head:find("99999") and 413 or 404, got, head)
        end
      end
    end)
  end)

  it("takes no line that is no request", function()
    beside({}, function(served)
      for _, line in ipairs { "POST", "POST  / HTTP/1.1", "POST / HTTP/2.0", "POST / HTTP/0.9",
        "POST x HTTP/1.1", "CONNECT x:1 HTTP/1.1", "\0 / HTTP/1.1", "PO ST / HTTP/1.1",
        "PRI * HTTP/2.0", "(POST) / HTTP/1.1" } do
        assert.equal(400, (send(served, line .. "\r\nHost: x\r\n\r\n")), line)
      end
      assert.equal(400, (send(served, "POST / HTTP/1.1\nHost: x\n\n")))
      assert.equal(200, (send(served, "\r\nPOST http://x" .. served.path .. "?a HTTP/1.1\r\n"
        .. "Content-Length: " .. #PUSH .. "\r\n\r\n" .. PUSH)))
    end)
  end)

  it("takes a body in chunks that are in order, and no other", function()
    beside({}, function(served)
      local head = "POST " .. served.path .. " HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
      for body, status in pairs {
        ['8\r\n{"challe\r\n9;a=b\r\nnge":"a"}\r\n0\r\nX: y\r\n\r\n'] = 200,
        ["-1\r\n"] = 400, ["0x1\r\na\r\n0\r\n\r\n"] = 400, ["x\r\n"] = 400, ["\r\n"] = 400,
        ["1\r\nab\r\n0\r\n\r\n"] = 400, ["1\na\n0\n\n"] = 400, ["1 a\r\na\r\n"] = 400,
        ["0\r\nX\r\n\r\n"] = 400, ["ffffffff\r\n"] = 413, ["FFFFFFFFFFFFFFFFFF\r\n"] = 413,
      } do
        assert.equal(status, (send(served, head .. body)), body)
      end
    end)
  end)

  it("answers who wants to be told to go on with the body", function()
    beside({}, function(served)
      local connection = dial(served, "POST " .. served.path .. " HTTP/1.1\r\nHost: x\r\n"
        .. "Expect: 100-continue\r\nContent-Length: " .. #PUSH .. "\r\n\r\n")
      assert.equal("HTTP/1.1 100 Continue\r\n\r\n", connection:read(25))
      connection:write(PUSH)
      assert.equal("HTTP/1.1 200 OK\r\n", connection:read "*L")
      connection:close()
    end)
  end)

  it("lets the silent take no place for long", function()
    beside({ seconds = 600 }, function(served)
      local silent = {}
      for index = 1, 200 do
        silent[index] = dial(served, index % 2 == 0 and "POST" or "POST / HTTP/1.1\r\nX: y\r\n")
      end
      local since = cqueues.monotime()
      assert.equal(200, (post(served, PUSH)))
      assert.is_true(cqueues.monotime() - since < 3)
      for _, connection in ipairs(silent) do
        connection:close()
      end
    end)
  end)

  it("waits for no sender that stops in the middle, and serves others meanwhile", function()
    beside({ seconds = 0.3 }, function(served)
      local head = "POST " .. served.path .. " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
      local idle = dial(served, head)
      assert.equal(200, (post(served, PUSH)))
      assert.equal(408, (send(served, head)))
      idle:close()
    end)
  end)

  it("answers 400 to what is no callback, and says so to its owner", function()
    local problems = {}
    beside({ on_problem = function(err) problems[#problems + 1] = err.kind end }, function(served)
      for _, body in ipairs { "", "{", "[]", "{}", '{"status":"processing"}', "\0", "null" } do
        assert.equal(400, (post(served, body)), body)
      end
    end)
    assert.same({ "protocol", "protocol", "protocol", "protocol", "protocol", "protocol",
      "protocol" }, problems)
  end)

  it("goes on after its owner's function has raised", function()
    local calls = 0
    warn "@off"
    beside({ on_event = function()
      calls = calls + 1
      error "oops"
    end }, function(served)
      assert.equal(200, (post(served, PUSH)))
      assert.equal(200, (post(served, PUSH)))
    end)
    assert.equal(2, calls)
  end)

  it("says why it can't listen", function()
    beside({}, function(served)
      local other, why = receiver.start { controller = cqueues.new(), port = served.port,
        client = served.options.client }
      assert.is_nil(other)
      assert.equal("io", why.kind)
      assert.matches("^minimax: [^\n]*in use[^\n]* %(io%)$", tostring(why))
    end)
  end)

  it("raises on options that are wrong", function()
    local controller, client = cqueues.new(), minimax.new { api_key = "sk-spec" }
    for words, options in pairs {
      ["unknown option 'ports'"] = { ports = 1 },
      ["'port' must be a number"] = { port = "80" },
      ["a controller and a client are needed"] = { client = client },
      ["must begin with a slash"] = { controller = controller, client = client, path = "x" },
    } do
      local ok, problem = pcall(receiver.start, options)
      assert.is_false(ok)
      assert.matches(words, problem, 1, true)
    end
  end)
end)

describe("the comparison of secrets", function()
  it("is right for equal and unequal texts of all lengths", function()
    local expected = "/0123456789abcdef"
    assert.is_true(receiver.same(expected, expected))
    for length = 0, 40 do
      local repeated = (expected .. expected .. expected):sub(1, length)
      assert.equal(length == #expected, receiver.same(repeated, expected))
    end
    for at = 1, #expected do
      local wrong = expected:sub(1, at - 1) .. "x" .. expected:sub(at + 1)
      assert.is_false(receiver.same(wrong, expected))
    end
  end)
end)
