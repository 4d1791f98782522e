-- Texts from elsewhere: none of them steers the terminal, begins a line of its own
-- or turns a text around, wherever it is shown.

local api = require "spec.support.api"
local command = require "spec.support.command"
local cqueues = require "cqueues"
local gallery = require "minimax.cli.gallery"
local json = require "minimax.common.json"
local output = require "minimax.cli.output"
local printable = require "minimax.common.printable"
local process = require "spec.support.process"
local socket = require "cqueues.socket"
local temp = require "spec.support.temp"

-- What steers, by its code.
local STEERING = { 0x7F, 0x61C, 0x200E, 0x200F, 0x2028, 0x2029 }
for _, range in ipairs { { 0x00, 0x1F }, { 0x80, 0x9F }, { 0x202A, 0x202E }, { 0x2066, 0x206F } } do
  for code = range[1], range[2] do
    STEERING[#STEERING + 1] = code
  end
end

-- As JSON, without NUL, which the module refuses in ids and links.
local HOSTILE = "a"
for _, code in ipairs(STEERING) do
  HOSTILE = HOSTILE .. (code > 0 and ("\\u%04x"):format(code) or "") .. "b"
end

-- Fails where a text has any of it; lines may end.
local function assert_harmless(text)
  assert.truthy(utf8.len(text), "no UTF-8")
  for _, code in ipairs(STEERING) do
    local found = code ~= 10 and text:find(utf8.char(code), 1, true)
    assert.is_nil(found or nil, ("U+%04X in %q"):format(code, text))
  end
end

describe("a text from elsewhere", function()
  it("is one line without anything that steers", function()
    for _, code in ipairs(STEERING) do
      assert.equal("a?b", printable.line("a" .. utf8.char(code) .. "b"))
    end
    assert.equal("é–한🎬\u{200D}", printable.line "é–한🎬\u{200D}")
    assert.equal("é?x?", printable.line "é\x9Bx\xE2")
    assert.equal("???", printable.line "\xED\xA0\x80")
  end)

  it("keeps its lines and tabs as a text", function()
    assert.equal("a\n\tb?c", printable.text "a\n\tb\u{202E}c")
  end)

  it("is the same JSON with escapes", function()
    for _, code in ipairs(STEERING) do
      local text = output.text { a = utf8.char(code) .. "é" }
      assert_harmless(text)
      assert.equal((code == 0 and "?" or utf8.char(code)) .. "é", json.decode(text).a)
    end
  end)

  it("takes a time that grows with its length alone", function()
    for _, piece in ipairs { "\xFF", "\u{202E}", "\xE2\x80", "a\xC2", "\n" } do
      local since = os.clock()
      printable.line(piece:rep(200000 // #piece))
      assert.is_true(os.clock() - since < 2, piece)
    end
  end)

  it("is harmless in a page", function()
    for _, code in ipairs(STEERING) do
      if code ~= 9 and code ~= 10 and code ~= 13 then
        assert.equal("?&lt;", gallery.escape(utf8.char(code) .. "<"))
      end
    end
  end)
end)

-- Sends a request and waits for the answer's first line.
local function send(port, bytes)
  local controller = cqueues.new()
  controller:wrap(function()
    local connection = socket.connect("127.0.0.1", tonumber(port))
    connection:setmode("bn", "bn")
    connection:write(bytes)
    assert(connection:read "*L")
    connection:close()
  end)
  assert(controller:loop(20))
end

describe("a hostile text", function()
  local env

  -- Runs the command against a server with these answers.
  local function run(words, ...)
    local server <close> = api.start()
    server:answer(...)
    env = { MINIMAX_API_KEY = "sk-spec", MINIMAX_BASE_URL = server.url }
    return command.run(words, { env = env })
  end

  it("in an answer is harmless on the terminal, as text and as JSON", function()
    for field, answer in pairs {
      id = '{"task_id":"%s","status":"Processing"}', status = '{"task_id":"7","status":"%s"}',
      file = '{"task_id":"7","status":"Success","file_id":"%s"}',
      link = '{"task_id":"7","status":"Success","video_url":"https://x/%s"}',
      reason = '{"task_id":"7","status":"Fail","error":{"message":"%s"}}',
      refusal = '{"base_resp":{"status_code":1004,"status_msg":"%s"}}',
      other = '{"task_id":"7","status":"Success","%s":"x","y":"%s"}', page = "<p>%s",
    } do
      answer = answer:gsub("%%s", (HOSTILE:gsub("%%", "%%%%")))
      local first = field == "status" and "wait" or "query"
      for _, words in ipairs { { first }, { "query", "--json" } } do
        local more = { "7", "--kind", "template", "--retries", "0", "--timeout", "0.2" }
        table.move(more, 1, words[1] == "wait" and 7 or 5, #words + 1, words)
        local result = run(words, answer, answer, answer)
        assert.is_true(result.code ~= 70, field .. ": " .. result.err)
        assert_harmless(result.out)
        assert_harmless(result.err)
      end
    end
  end)

  it("in a callback is one harmless line", function()
    local child <close> = command.start({ "callback-server", "--port", "0" },
      { env = { MINIMAX_API_KEY = "sk-spec", MINIMAX_BASE_URL = "http://127.0.0.1:1" } })
    local port, path = child:read("l"):match "127%.0%.0%.1:(%d+)(/%x+)"
    local body = '{"task_id":"7","status":"' .. HOSTILE .. '\\n09:00:00  8  Success"}'
    send(port, "POST " .. path .. " HTTP/1.1\r\nHost: x\r\nContent-Length: " .. #body
      .. "\r\n\r\n" .. body)
    local line = child:read "l"
    child:signal "TERM"
    assert.matches("^%d%d:%d%d:%d%d  7  a%?b", line)
    assert_harmless(line)
    assert.equal("", child:finish().out)
  end)

  it("in a file of jobs is harmless in what is said about it", function()
    local folder <close> = temp.folder()
    local jobs = folder:write("jobs.jsonl", '{"key":"' .. HOSTILE .. '","output":"' .. HOSTILE
      .. '","kind":"' .. HOSTILE .. '","' .. HOSTILE .. '":1}\n{' .. HOSTILE .. "\27[2J\u{9B}\n")
    for _, flag in ipairs { "--keep-going", "--json" } do
      local result = command.run({ "batch", "add", "--ledger", folder:file "l.db", jobs, flag },
        { env = env })
      assert.is_true(result.code ~= 70, result.err)
      assert.is_true(#result.out + #result.err > 0)
      assert_harmless(result.out)
      assert_harmless(result.err)
    end
  end)

  it("in the words of the command itself is harmless", function()
    for _, words in ipairs { { "\27[2J" }, { "query", "\27[2J\u{9B}7", "--retries", "0" },
      { "wait", "{\27[2J" }, { "query", "7", "--query", "\u{202E}" } } do
      local result = command.run(words, { env = env })
      assert_harmless(result.out)
      assert_harmless(result.err)
    end
  end)

  it("in a request is harmless in the log of an emulator", function()
    local child <close> = process.start { script =
      [[require "minimax.emulator".main { "--port", "0", "--log" }]] }
    local port
    repeat
      local line = assert(child:read "l", child:errors())
      port = port or line:match "^export.*127%.0%.0%.1:(%d+)"
    until line == "Ctrl-C ends it."
    send(port, "GET /a\u{9B}\u{202E}b HTTP/1.1\r\nHost: localhost\r\n\r\n")
    local line = child:read "l"
    assert.matches("^GET /a%?%?b ", line)
  end)
end)
