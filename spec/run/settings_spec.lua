--- src/run/settings.c: what a client is told, by its options and by the environment.

local api = require "spec.support.api"
local minimax = require "minimax"
local process = require "spec.support.process"
local temp = require "spec.support.temp"

local PENDING = '{"task_id":"1","status":"Processing"}'

-- No variable of the machine's own has a say.
local BARE = {}
for name in ([[MINIMAX_API_KEY MINIMAX_API_KEY_FILE MINIMAX_BASE_URL MINIMAX_API_HOST
  MINIMAX_DEBUG MINIMAX_POLL_INTERVAL
  http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY no_proxy
  NO_PROXY CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR]]):gmatch("%S+") do
  BARE[name] = false
end

-- Runs a script in a child whose environment holds these variables.
local function run(env, script)
  local all = setmetatable({}, { __index = BARE })
  for name, value in pairs(BARE) do
    all[name] = value
  end
  for name, value in pairs(env) do
    all[name] = value
  end
  local result = process.run { script = script, env = all }
  assert.equal(0, result.code, result.err)
  return result.out
end

-- Asks for a task as the module does by itself; prints what comes of it.
local ASK = [[
  local minimax = require "minimax"
  local status, err = minimax.query("1")
  print(status and status.status or err.kind .. ": " .. err.message)
]]

describe("a client's settings", function()
  local server, folder

  setup(function()
    server = api.start()
    folder = temp.folder()
  end)

  teardown(function()
    server:close()
    folder:close()
  end)

  before_each(function()
    server:answer(PENDING)
  end)

  local function authorization(env)
    env.MINIMAX_BASE_URL = env.MINIMAX_BASE_URL or server.url
    assert.equal("Processing\n", run(env, ASK))
    local asked = server:asked()
    return asked[#asked].headers.authorization
  end

  -- The one request that a client with these options makes.
  local function request(options)
    local client <close> = server:client(options)
    assert(client:query "1")
    local asked = server:asked()
    return asked[#asked]
  end

  -- A file that holds a key and that nobody else may read.
  local function private(key)
    local path = folder:write("key", key)
    assert(os.execute("chmod 600 " .. path))
    return path
  end

  describe("the key", function()
    it("comes from no file that others may read, and from nothing that is no file", function()
      local path = private "sk-api-file"
      local fifo = folder:file "fifo"
      assert(os.execute("mkfifo -m 600 " .. fifo))
      for _, mode in ipairs { "640", "604", "620", "602", "610", "644", "fifo" } do
        assert(os.execute(mode == "fifo" and "true" or "chmod " .. mode .. " " .. path))
        local out = run({ MINIMAX_BASE_URL = server.url,
          MINIMAX_API_KEY_FILE = mode == "fifo" and fifo or path }, ASK)
        assert.is_truthy(out:find("^auth: .*may be read by others %(chmod 600%)"), mode .. out)
      end
      assert.same({}, server:asked())
    end)

    it("comes from MINIMAX_API_KEY, without the white space around it", function()
      assert.equal("Bearer sk-api-env", authorization { MINIMAX_API_KEY = " \tsk-api-env\r\n" })
    end)

    it("comes from the file that MINIMAX_API_KEY_FILE names", function()
      local path = private("\n  sk-api-file  \n")
      assert.equal("Bearer sk-api-file", authorization { MINIMAX_API_KEY_FILE = path })
    end)

    it("of the variable goes before the file's, and an empty variable counts as unset", function()
      local path = private("sk-api-file")
      assert.equal("Bearer sk-api-env",
        authorization { MINIMAX_API_KEY = "sk-api-env", MINIMAX_API_KEY_FILE = path })
      assert.equal("Bearer sk-api-file",
        authorization { MINIMAX_API_KEY = "", MINIMAX_API_KEY_FILE = path })
    end)

    it("of the options goes before both", function()
      local out = run({ MINIMAX_API_KEY = "sk-api-env", MINIMAX_BASE_URL = server.url }, [[
        local client = require "minimax".new { api_key = " sk-api-option\n" }
        print(assert(client:query "1").status)
      ]])
      assert.equal("Processing\n", out)
      assert.equal("Bearer sk-api-option", server:asked()[1].headers.authorization)
    end)

    it("that is missing makes the first request an error that names the variable", function()
      local out = run({ MINIMAX_BASE_URL = server.url }, ASK)
      assert.is_truthy(out:find("^auth: .*MINIMAX_API_KEY"), out)
      assert.same({}, server:asked())
    end)

    it("of a file that is missing, empty or no key at all makes it name that variable", function()
      for _, path in ipairs {
        folder:file "nowhere", folder.path, folder:write("empty", ""), folder:write("blank", " \n"),
        folder:write("huge", ("k"):rep(5000)),
      } do
        local out = run({ MINIMAX_BASE_URL = server.url, MINIMAX_API_KEY_FILE = path }, ASK)
        assert.is_truthy(out:find("^auth: .*MINIMAX_API_KEY_FILE can't be read"), out)
      end
      assert.same({}, server:asked())
    end)

    it("with a control character raises", function()
      for _, key in ipairs { "sk-api\nX-Injected: 1", "sk-api\r\nkey", "sk\127api", "sk\27[1m" } do
        local ok, message = pcall(minimax.new, { api_key = key })
        assert.is_false(ok)
        assert.is_truthy(message:find("the API key holds a control character", 1, true))
        assert.is_nil(message:find("sk", 1, true))
      end
      local path = private("sk-api-one\nsk-api-two\n")
      local out = run({ MINIMAX_API_KEY_FILE = path },
        [[print(pcall(require "minimax".new))]])
      assert.is_truthy(out:find("^false.*control character"), out)
    end)
  end)

  describe("api_key", function()
    it("as it comes out of a file is refused in a sentence that does not show it", function()
      for key, text in pairs {
        ['"sk-api-5tR0ng"'] = "in quotes", ["'sk-api-5tR0ng'"] = "in quotes",
        ['sk-api-5tR0ng"'] = "in quotes", ["`sk-api-5tR0ng`"] = "in quotes",
        ["Bearer sk-api-5tR0ng"] = "leave that out", ["bearer sk-api-5tR0ng"] = "leave that out",
        ["sk-api\u{200B}-5tR0ng"] = "not ASCII", ["\u{FEFF}sk-api-5tR0ng"] = "not ASCII",
        ["sk-api-5tR0ng\u{A0}"] = "not ASCII", ["“sk-api-5tR0ng”"] = "not ASCII",
        ["sk-api-5tR0ng\xFF"] = "not ASCII",
      } do
        local ok, message = pcall(minimax.new, { api_key = key })
        assert.is_false(ok, key)
        assert.is_truthy(message:find("the API key .*" .. text), message)
        assert.is_nil(message:find("5tR0ng", 1, true))
        assert.is_nil(message:find "\n")
        local out = run({ MINIMAX_API_KEY = key }, [[print(pcall(require "minimax".new))]])
        assert.is_truthy(out:find("^false.*" .. text), out)
        out = run({ MINIMAX_API_KEY_FILE = private(key) },
          [[print(pcall(require "minimax".new))]])
        assert.is_truthy(out:find("^false.*" .. text), out)
      end
      assert(minimax.new { api_key = "Bearer" })
    end)
  end)

  it("name no proxy that libcurl does not know, and never its password", function()
    for _, proxy in ipairs { "htps://bob:s3cret@127.0.0.1:1", "ftp://bob:s3cret@127.0.0.1",
      "http://bob:s3/cret@127.0.0.1:1", "http://bob:s3cret@127.0.0.1:x", "http://bob:s3cret@ho st",
      "bob:s3cret@127.0.0.1:99999999" } do
      local ok, message = pcall(minimax.new, { proxy = proxy })
      assert.is_false(ok, proxy)
      assert.is_truthy(message:find("the proxy can't be used", 1, true))
      assert.is_nil(message:find("cret", 1, true))
      local out = run({ https_proxy = proxy }, [[print(pcall(require "minimax".new))]])
      assert.is_truthy(out:find("^false.*the proxy can't be used"), out)
      assert.is_nil(out:find("cret", 1, true))
    end
    for _, proxy in ipairs { "", "ftp.example:1", "bob:s3cret@a.example", "SOCKS5H://a.example" } do
      assert(minimax.new { proxy = proxy })
    end
    for _, proxy in ipairs { "http://bob:s3cret@127.0.0.1:1", "bob:s3cret@127.0.0.1:1" } do
      local shown = {}
      local client <close> = minimax.new { proxy = proxy, api_key = "sk-spec", retries = 0,
        on_event = function(event)
          for _, value in pairs(event) do
            shown[#shown + 1] = tostring(value)
          end
        end }
      local _, err = client:query "17"
      assert.equal("network", err.kind)
      assert.is_nil((tostring(err) .. table.concat(shown, " ")):find("s3cret", 1, true))
    end
  end)

  describe("base_url", function()
    it("is taken without blanks, a trailing slash or version", function()
      for _, text in ipairs { " https://a.example/p", "https://a.example/p\r\n",
        "\thttps://a.example/p/v1/ ", "https://a.example/p/" } do
        assert.matches("https://a.example/p$", (tostring(minimax.new { base_url = text })
          :gsub("[^%w./:]+$", "")), text)
      end
      assert(minimax.new { base_url = "https://gateway.example/v1/account/minimax" })
      assert(minimax.new { base_url = "https://l\u{F6}we.example" })
    end)

    it("that goes too far, or was copied with more, is refused in a sentence", function()
      for text, why in pairs {
        ["https://a.example/v2"] = "must not end with /v2",
        ["https://a.example/p/v2/"] = "must not end with /v2",
        ["https://a.example/v1/video_generation"] = "it names an endpoint",
        ["https://a.example/v2/video_generation"] = "it names an endpoint",
        ["https://a.example/v1/video_template_generation/"] = "it names an endpoint",
        ["https://a.example/p/v1/query/video_generation"] = "it names an endpoint",
        ["https://a.example/v1/files/retrieve"] = "it names an endpoint",
        ["https://a.example/v1/text/chatcompletion_v2"] = "it names an endpoint",
        ['"https://a.example"'] = "it is no URL", ["'https://a.example'"] = "it is no URL",
        ["https://a.example\u{200B}"] = "not seen", ["\u{FEFF}https://a.example"] = "not seen",
        ["“https://a.example”"] = "not seen", ["https://a.exa mple"] = "it is no URL",
      } do
        local ok, message = pcall(minimax.new, { base_url = text })
        assert.is_false(ok, text)
        assert.is_truthy(message:find(why, 1, true), message)
      end
    end)

    it("comes from MINIMAX_BASE_URL, else from MINIMAX_API_HOST, empty ones unset", function()
      local show = [[print(require "minimax".new())]]
      assert.equal("minimax.client: https://api.minimax.io\n", run({}, show))
      assert.equal("minimax.client: https://api.minimaxi.com\n",
        run({ MINIMAX_API_HOST = "https://api.minimaxi.com/v1", MINIMAX_BASE_URL = "" }, show))
      assert.equal("minimax.client: https://gate.example/m\n", run({
        MINIMAX_API_HOST = "https://api.minimaxi.com", MINIMAX_BASE_URL = "https://gate.example/m/",
      }, show))
      assert.equal("minimax.client: https://option.example\n",
        run({ MINIMAX_BASE_URL = "https://gate.example" },
          [[print(require "minimax".new { base_url = "https://option.example" })]]))
    end)
  end)

  describe("auth", function()
    it("has defaults for each field singly", function()
      assert.equal("Bearer " .. api.KEY, request({ auth = {} }).headers.authorization)
      assert.equal("Token " .. api.KEY,
        request({ auth = { scheme = "Token" } }).headers.authorization)
      local headers = request({ auth = { header = "X-Gateway-Authorization" } }).headers
      assert.equal("Bearer " .. api.KEY, headers["x-gateway-authorization"])
      assert.is_nil(headers.authorization)
    end)

    it("sends the bare key where the scheme is empty", function()
      assert.equal(api.KEY, request({ auth = { scheme = "" } }).headers.authorization)
      assert.equal(api.KEY,
        request({ auth = { header = "API-KEY", scheme = "" } }).headers["api-key"])
    end)

    it("sends none where it is false, and needs no key then", function()
      local asked = request { auth = false }
      assert.is_nil(asked.headers.authorization)
      assert.is_nil(asked.head:find(api.KEY, 1, true))
      assert.equal("Processing\n", run({ MINIMAX_BASE_URL = server.url }, [[
        print(assert(require "minimax".new { auth = false }:query "1").status)
      ]]))
    end)

    it("raises for what it does not know, and names the nearest", function()
      for auth, text in pairs {
        [{ heder = "X" }] = "unknown field 'heder' (did you mean 'header'?)",
        [{ schema = "X" }] = "unknown field 'schema' (did you mean 'scheme'?)",
        [{ header = 5 }] = "header must be a string",
        [{ header = "X Y" }] = "'X Y' is no name of a header",
        [{ header = "" }] = "'' is no name of a header",
        [{ header = "X:" }] = "'X:' is no name of a header",
        [{ scheme = "Be\narer" }] = "control character",
        [true] = "must be false or a table",
        ["Bearer"] = "must be false or a table",
      } do
        local ok, message = pcall(minimax.new, { auth = auth, api_key = "sk-api-example" })
        assert.is_false(ok)
        assert.is_truthy(message:find(text, 1, true), message)
        assert.is_nil(message:find("sk-api-example", 1, true))
      end
    end)
  end)

  describe("headers and query", function()
    it("go out on API calls", function()
      local asked = request {
        headers = { ["X-Group-Id"] = "17", ["X-Number"] = 5, ["X-Empty"] = "" },
        query = { GroupId = "1 7&", number = 5 },
      }
      assert.equal("17", asked.headers["x-group-id"])
      assert.equal("5", asked.headers["x-number"])
      assert.equal("", asked.headers["x-empty"])
      assert.is_truthy(asked.path:find("[?&]GroupId=1%%207%%26"))
      assert.is_truthy(asked.path:find("[?&]number=5"))
      assert.is_truthy(asked.path:find("[?&]task_id=1"))
    end)

    it("never go out on a download", function()
      local client <close> = server:client { headers = { ["X-Group-Id"] = "17" },
        query = { GroupId = "17" } }
      local other <close> = api.start()
      other:answer { status = 404 }
      client:download(other.url .. "/v.mp4", folder:file "v.mp4", { allow_private = true })
      local asked = other:asked()[1]
      assert.equal("/v.mp4", asked.path)
      assert.is_nil(asked.headers["x-group-id"])
      assert.is_nil(asked.headers.authorization)
      assert.is_nil(asked.head:find(api.KEY, 1, true))
    end)

    it("raise for what can't stand in a request", function()
      for _, options in ipairs {
        { headers = { ["X Y"] = "1" } }, { headers = { ["X:"] = "1" } }, { headers = { "X: 1" } },
        { headers = { X = "1\r\nY: 2" } }, { headers = { X = "1\0" } }, { headers = { X = {} } },
        { headers = { ["X\0Y"] = "1" } }, { headers = { [""] = "1" } },
        { query = { "a=b" } }, { query = { a = {} } }, { query = { a = true } },
      } do
        assert.is_false(pcall(minimax.new, options))
      end
    end)
  end)

  describe("proxy", function()
    local FAR = "http://api.example.invalid"
    local SCRIPT = [[
      local minimax = require "minimax"
      local client = minimax.new { api_key = "sk-spec", retries = 0, base_url = %q }
      local status, err = client:query("1")
      print(status and status.status or err.kind)
    ]]

    it("takes API calls, told by the option or by http_proxy and all_proxy", function()
      assert.equal(FAR .. "/v1/query/video_template_generation?task_id=1",
        request({ base_url = FAR, proxy = server.url }).path)
      for _, name in ipairs { "http_proxy", "all_proxy", "ALL_PROXY" } do
        server:answer(PENDING)
        assert.equal("Processing\n", run({ [name] = server.url }, SCRIPT:format(FAR)))
        assert.equal(FAR .. "/v1/query/video_template_generation?task_id=1",
          server:asked()[1].path)
      end
    end)

    it("takes https through a tunnel, told by https_proxy", function()
      server:answer { status = 503 }
      assert.equal("network\n",
        run({ https_proxy = server.url }, SCRIPT:format("https://api.example.invalid")))
      local asked = server:asked()[1]
      assert.equal("CONNECT", asked.method)
      assert.equal("api.example.invalid:443", asked.path)
      assert.is_nil(asked.headers.authorization)
    end)

    it("is left aside for the hosts of no_proxy, and HTTP_PROXY never counts", function()
      for _, env in ipairs {
        { http_proxy = "http://127.0.0.1:9", no_proxy = "example.com,127.0.0.1" },
        { http_proxy = "http://127.0.0.1:9", no_proxy = "*" },
        { all_proxy = "http://127.0.0.1:9", NO_PROXY = "127.0.0.1" },
        { HTTP_PROXY = "http://127.0.0.1:9" },
      } do
        assert.equal("Processing\n", run(env, SCRIPT:format(server.url)))
      end
    end)
  end)

  describe("retries", function()
    it("are so many further attempts", function()
      server:answer { status = 503 }
      local client <close> = server:client { retries = 1 }
      local _, err = client:query "1"
      assert.equal(2, err.attempts)
      assert.equal(2, #server:asked())
    end)
  end)

  describe("request_timeout", function()
    it("ends an attempt that gets no answer", function()
      server:answer { hang = true }
      local client <close> = server:client { request_timeout = 0.05 }
      local _, err = client:query "1"
      assert.equal("timeout", err.kind)
    end)
  end)
end)

describe("trust", function()
  local server, folder

  setup(function()
    server = api.start { tls = "good" }
    folder = temp.folder()
    server:answer(PENDING)
  end)

  teardown(function()
    server:close()
    folder:close()
  end)

  local function asked_with(env)
    env.MINIMAX_API_KEY, env.MINIMAX_BASE_URL = "sk-api-env", server.url
    return run(env, [[
      local minimax = require "minimax"
      local client = minimax.new { retries = 0 }
      local status, err = client:query("1")
      print(status and status.status or err.kind)
    ]])
  end

  it("comes from ca_file", function()
    local client <close> = server:client()
    assert.equal("Processing", assert(client:query "1").status)
  end)

  it("comes from CURL_CA_BUNDLE, else from SSL_CERT_FILE", function()
    assert.equal("tls\n", asked_with {})
    assert.equal("Processing\n", asked_with { SSL_CERT_FILE = server.ca_file })
    assert.equal("Processing\n", asked_with { CURL_CA_BUNDLE = server.ca_file })
    assert.equal("Processing\n",
      asked_with { CURL_CA_BUNDLE = server.ca_file, SSL_CERT_FILE = "/dev/null" })
    assert.equal("tls\n",
      asked_with { CURL_CA_BUNDLE = "/dev/null", SSL_CERT_FILE = server.ca_file })
  end)

  it("comes from ca_path, and from SSL_CERT_DIR", function()
    local hash = process.run { command = { "openssl", "x509", "-noout", "-hash", "-in",
      server.ca_file } }.out:match("%x+")
    local source = assert(io.open(server.ca_file, "rb"))
    folder:write(hash .. ".0", source:read("a"))
    source:close()
    assert.equal("Processing\n", asked_with { SSL_CERT_DIR = folder.path })
    local client <close> = minimax.new { base_url = server.url, api_key = "sk-spec", retries = 0,
      ca_path = folder.path }
    assert.equal("Processing", assert(client:query "1").status)
  end)

  it("is given up by insecure = true, which the event log says", function()
    local events = {}
    local client <close> = minimax.new { base_url = server.url, api_key = "sk-spec", retries = 0,
      insecure = true, on_event = function(event)
        events[#events + 1] = event
      end }
    assert.equal("Processing", assert(client:query "1").status)
    assert.equal("request", events[1].type)
    assert.is_true(events[1].insecure)
    local careful <close> = server:client { on_event = function(event)
      assert.is_nil(event.insecure)
    end }
    assert(careful:query "1")
  end)
end)

describe("the time between two polls", function()
  local server

  setup(function()
    server = api.start()
  end)

  teardown(function()
    server:close()
  end)

  -- Prints how often it asked about a task that does not end.
  local SCRIPT = [[
    local minimax = require "minimax"
    local client = minimax.new { %s }
    local polls = 0
    client:wait("1", { timeout = %s, on_status = function()
      polls = polls + 1
    end })
    print(polls)
  ]]

  local function polls(interval, options, timeout)
    server:answer(PENDING)
    return tonumber(run({ MINIMAX_API_KEY = "sk", MINIMAX_BASE_URL = server.url,
      MINIMAX_POLL_INTERVAL = interval }, SCRIPT:format(options or "", timeout or 0.4)))
  end

  it("comes from MINIMAX_POLL_INTERVAL, and the option counts more", function()
    assert.equal(1, polls(""))
    assert.is_true(polls("0.02") > 3)
    assert.is_true(polls(".02") > 3)
    assert.equal(1, polls("0.02", "poll_interval = 10"))
    assert.is_true(polls("3600", "poll_interval = 0.02") > 3)
  end)

  it("is a batch's as well", function()
    for text, expected in pairs { [""] = "10\t3\n", ["0.25"] = "0.25\t3\n" } do
      assert.equal(expected, run({ MINIMAX_POLL_INTERVAL = text }, [[
        local options = require "minimax.batch.options"
        print(options.read("run").poll_interval,
          options.read("run", { poll_interval = 3 }).poll_interval)
      ]]))
    end
  end)

  it("is refused where the variable holds no seconds", function()
    for _, text in ipairs { "ten", "1s", "-1", ".", "1,5", "0x10", "1e9", " 1", "nan" } do
      local out = run({ MINIMAX_API_KEY = "sk", MINIMAX_POLL_INTERVAL = text },
        [[ print(pcall(require "minimax".new)) ]])
      assert.matches("MINIMAX_POLL_INTERVAL must be a number of seconds, got '" .. text .. "'",
        out, 1, true)
    end
  end)
end)
