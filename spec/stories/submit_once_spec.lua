-- src/calls/submit.c: a submit costs money, so it is sent at most once where it may
-- have arrived, and again only where it certainly did not. The server counts.

local many_submits = require "spec.support.many_submits"
local lost_answers = require "spec.support.lost_answers"
local minimax = require "minimax"
local native = require "spec.support.native"
local process = require "spec.support.process"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local API = "https://localhost:1" -- what stands behind a proxy

local function posts_of(server)
  local posts = {}
  for _, request in ipairs(server:requests()) do
    if request.method == "POST" then
      posts[#posts + 1] = request
    end
  end
  return posts
end

-- Each of the requests from 1 to `count` arrived, and none twice.
local function assert_each_once(server, count)
  local posts, times = posts_of(server), {}
  for _, post in ipairs(posts) do
    local number = math.tointeger(post.body:match('"number":(%d+)'))
    times[number] = (times[number] or 0) + 1
  end
  for number = 1, count do
    assert.equal(1, times[number], "how often the server read submit " .. number)
  end
  assert.equal(count, #posts)
end

local function assert_unknown(outcome, way)
  assert.equal("unknown", outcome.kind, way .. ": " .. tostring(outcome))
  assert.same({ "submit", 1, false }, { outcome.stage, outcome.attempts, outcome.retryable })
end

-- No submit uses a connection that served before: such a one may be dead.
local function assert_fresh(server)
  for _, post in ipairs(posts_of(server)) do
    assert.equal(1, post.number)
  end
end

local function join(list, more)
  return table.move(more, 1, #more, #list + 1, table.move(list, 1, #list, 1, {}))
end

describe("a submit whose answer is lost", function()
  local function new_client(server, case, request_timeout)
    return minimax.new { base_url = case.base_url or server.url, api_key = "sk-api-example",
      ca_file = server.ca_file, max_connections = 64, request_timeout = request_timeout,
      proxy = case.proxied and "http://127.0.0.1:" .. server.port or nil }
  end

  local function lose(case, ways, count, request_timeout)
    local server <close> = wire.start { serve = case.serve or lost_answers.script(),
      tls = case.tls }
    local client <close> = new_client(server, case, request_timeout)
    local requests = many_submits.requests(ways, count)
    local outcomes = many_submits.submit(client, requests, nil, case.ask_first and function()
      assert(client:query "401047179385389059")
    end)
    for i, request in ipairs(requests) do
      assert_unknown(outcomes[i], request.way)
    end
    assert_each_once(server, count)
    assert_fresh(server)
  end

  for where, case in pairs {
    ["on a fresh connection"] = { each = 40 },
    ["after a query on a kept-alive connection"] = { each = 40, ask_first = true },
    ["after a query over HTTP/2"] = { each = 30, ask_first = true, tls = "h2",
      serve = lost_answers.script "serve_h2", more = lost_answers.H2_WAYS },
    ["over TLS"] = { each = 7, tls = "good" },
    ["through a proxy"] = { each = 7, base_url = "http://api.invalid", proxied = true },
    ["through a proxy over TLS"] = { each = 6, base_url = API, proxied = true, tls = "later",
      serve = lost_answers.script("serve_proxy", "/", "") },
  } do
    local ways = join(lost_answers.WAYS, case.more or {})
    local count = case.each * #ways
    it(("is unknown and was sent once, %d times of %d, %s"):format(count, count, where), function()
      lose(case, ways, count)
    end)

    it(("is unknown when the server hangs, and was sent once, %d times of %d, %s #timing")
      :format(case.each, case.each, where), function()
      lose(case, { "hang" }, case.each, 0.5)
    end)
  end

  it("is unknown and was sent once when the call's own timeout ends it, 20 times of 20", function()
    local server <close> = wire.start { serve = lost_answers.script() }
    local client <close> = new_client(server, {})
    local outcomes = many_submits.submit(client, many_submits.requests({ "hang" }, 20),
      { timeout = 1 })
    for i = 1, 20 do
      assert_unknown(outcomes[i], "hang")
    end
    assert_each_once(server, 20)
  end)
end)

describe("the error of an unknown outcome", function()
  local VIDEO2 = { model = "MiniMax-H3", content = { { type = "text", text = "A lion." } } }
  local TEMPLATE = { template_id = "393769180141805569" }

  -- What it says for a request with these fields.
  local function message(request, fields)
    local server <close> = wire.start { steps = { { "read_request" }, { "reset" } } }
    local client <close> = minimax.new { base_url = server.url, api_key = "sk-api-example" }
    local sent = many_submits.with(request, fields)
    local _, err = client:submit(sent)
    assert_unknown(err, "reset")
    return err.message
  end

  it("names client:list and the window of the attempt where the API has a list", function()
    local before = os.time()
    local from, to = message(VIDEO2):match("client:list shows .* between (%d+) and (%d+)")
    assert.is_true(before - 1 <= tonumber(from) and tonumber(from) <= os.time())
    assert.is_true(os.time() <= tonumber(to) and tonumber(to) <= os.time() + 1)
  end)

  it("names the account's usage where it has none", function()
    local text = message(TEMPLATE)
    assert.matches("look into the account's usage before you submit it again", text, 1, true)
    assert.is_nil(text:find("client:list", 1, true))
  end)

  for kind, request in pairs { video2 = VIDEO2, template = TEMPLATE } do
    it("says that a callback settles it, for " .. kind .. " with a callback_url only", function()
      local settles = "a callback that names it settles it"
      assert.is_nil(message(request):find(settles, 1, true))
      assert.matches(settles, message(request, { callback_url = "https://example.com/c" }), 1, true)
    end)
  end
end)

describe("a submit that never left", function()
  local folder

  before_each(function()
    folder = temp.folder()
  end)

  after_each(function()
    folder:close()
  end)

  local function assert_accepted(server, count, outcomes, failures)
    for number = 1, count do
      assert.equal(tostring(number), outcomes[number].task_id, tostring(outcomes[number]))
    end
    assert.is_true(failures >= count)
    assert_each_once(server, count)
  end

  -- The submits fail until the file `up` exists.
  local function assert_accepted_at_last(server, count, options)
    options.ca_file = server.ca_file
    assert_accepted(server, count, many_submits.submit_while_down(options, count, function()
      folder:write("up", "")
    end))
  end

  it("is tried again when the connection was refused: 300 times", function()
    local refused <close> = wire.refused()
    local server
    local down = { base_url = refused.url }
    local outcomes, failures = many_submits.submit_while_down(down, 300, function()
      server = wire.start { serve = lost_answers.script(), port = refused.port }
    end)
    local _ <close> = server
    assert_accepted(server, 300, outcomes, failures)
  end)

  it("is tried again when the host was unknown: 400 times", function()
    local server <close> = wire.start { serve = lost_answers.script() }
    local preload = (os.getenv "LD_PRELOAD" or "") .. " " .. native.library "resolver"
    local result = process.run {
      script = [[
        local many_submits = require "spec.support.many_submits"
        local down = { base_url = arg[1] }
        local outcomes, failures = many_submits.submit_while_down(down, 400, function()
          assert(io.open(os.getenv "RESOLVER_SINCE", "w")):close()
        end)
        assert(failures >= 400)
        for number, task in ipairs(outcomes) do
          assert(task.task_id == tostring(number), tostring(task))
        end
        print "all accepted"
      ]],
      args = { "http://api.invalid:" .. server.port },
      env = { LD_PRELOAD = preload, RESOLVER = "api.invalid=127.0.0.1",
        RESOLVER_SINCE = folder:file "up" },
    }
    assert.equal("all accepted\n", result.out, result.err)
    assert_each_once(server, 400)
  end)

  for what, words in pairs {
    ["the connection was closed in the TLS handshake"] = "",
    ["something else than TLS answered the handshake"] = "HTTP/1.1 400 Bad Request\r\n\r\n",
  } do
    it("is tried again when " .. what .. ": 75 times", function()
      local server <close> = wire.start { tls = "later",
        serve = lost_answers.script("serve_tls", folder:file "up", words) }
      assert_accepted_at_last(server, 75, { base_url = server.url })
    end)
  end

  for what, words in pairs {
    ["refused to connect"] = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    ["hung up"] = "",
    ["answered nonsense"] = "What?\r\n\r\n",
  } do
    it("is tried again when the proxy " .. what .. ": 50 times", function()
      local server <close> = wire.start { tls = "later",
        serve = lost_answers.script("serve_proxy", folder:file "up", words) }
      assert_accepted_at_last(server, 50,
        { base_url = API, proxy = "http://127.0.0.1:" .. server.port })
    end)
  end

  -- Where it stays like this, the error says that nothing was sent.
  for what, case in pairs {
    ["was closed in the TLS handshake"] = { "tls", 2, lost_answers.script("serve_tls", "", "") },
    ["met a certificate of nobody"] = { "tls", 1, lost_answers.script(),
      tls = "unknown_authority" },
    ["was refused by the proxy"] = { "network", 2,
      lost_answers.script("serve_proxy", "", "HTTP/1.1 403 Forbidden\r\n\r\n"), proxied = true },
    ["hung in the proxy"] = { "timeout", 2,
      "local connection = ... connection:read_head() connection:hang()", proxied = true,
      connect_timeout = 0.3 },
  } do
    it("is no unknown outcome when it " .. what .. " each time", function()
      local kind, attempts, serve = table.unpack(case)
      local server <close> = wire.start { tls = case.tls or "later", serve = serve }
      local client <close> = minimax.new { api_key = "sk-api-example", retries = 1,
        base_url = case.proxied and API or server.url, connect_timeout = case.connect_timeout,
        proxy = case.proxied and "http://127.0.0.1:" .. server.port or nil,
        ca_file = server.ca_file }
      local task, err = client:submit { template_id = "1", way = "accept", number = 1 }
      assert.is_nil(task)
      assert.same({ kind, attempts }, { err.kind, err.attempts }, tostring(err))
      assert.equal(0, #posts_of(server))
    end)
  end
end)
