--- src/api/options.c: mistakes in option tables raise, and name what was meant.

local minimax = require "minimax"

local client = minimax.new { api_key = "sk-api-example", base_url = "http://127.0.0.1:9" }

-- The message with which a call raises.
local function raised(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

local function assert_raises(text, fn, ...)
  local message = raised(fn, ...)
  assert.is_truthy(message:find(text, 1, true), message)
end

describe("an option", function()
  it("that is unknown raises and names the nearest known one", function()
    for misspelt, meant in pairs {
      api_kye = "api_key", baseurl = "base_url", retrys = "retries",
      on_events = "on_event", connection_timeout = "connect_timeout", proxi = "proxy",
      max_response_byte = "max_response_bytes", pollinterval = "poll_interval",
    } do
      assert_raises(("unknown option '%s' (did you mean '%s'?)"):format(misspelt, meant),
        minimax.new, { [misspelt] = 1 })
    end
  end)

  it("that resembles nothing is named all the same", function()
    local message = raised(minimax.new, { frobnicate = 1 })
    assert.is_truthy(message:find("unknown option 'frobnicate'", 1, true))
    assert.is_nil(message:find("did you mean", 1, true))
  end)

  it("of a call raises, too, and names the nearest", function()
    for _, case in ipairs {
      { "submit", "dryrun", "dry_run", { model = "m" } },
      { "query", "knid", "kind", "1" },
      { "wait", "on_staus", "on_status", "1" },
      { "wait", "time_out", "timeout", "1" },
      { "cancel", "timeot", "timeout", "1" },
      { "retrieve", "blok", "block", "1" },
      { "call", "bdy", "body", "GET", "/v1/x" },
      { "list", "page_sise", "page_size" },
      { "upload", "timout", "timeout", "pet.jpg", "purpose" },
      { "generate", "on_progres", "on_progress", { model = "m" }, "/tmp/x.mp4" },
      { "download", "overwrit", "overwrite", "https://example.com/v.mp4", "/tmp/x.mp4" },
    } do
      local arguments = { table.unpack(case, 4) }
      arguments[#arguments + 1] = { [case[2]] = 1 }
      assert_raises(("unknown option '%s' (did you mean '%s'?)"):format(case[2], case[3]),
        client[case[1]], client, table.unpack(arguments))
    end
  end)

  it("of a wrong type raises and says what it must be", function()
    for name, case in pairs {
      api_key = { 5, "must be a string, got number" },
      base_url = { true, "must be a string, got boolean" },
      headers = { "X: y", "must be a table, got string" },
      query = { 1, "must be a table, got number" },
      connect_timeout = { "10", "must be a number of seconds, got string" },
      request_timeout = { -1, "must be a number of seconds" },
      stall_timeout = { 0 / 0, "must be a number of seconds" },
      poll_interval = { false, "must be a number of seconds, got boolean" },
      wait_timeout = { true, "must be a number of seconds or false, got boolean" },
      retries = { 1.5, "must be a whole number, 0 or more" },
      max_connections = { 0, "must be a whole number, 1 or more" },
      max_response_bytes = { 0, "must be a whole number of bytes" },
      submit_rate = { 5, "must be a table { count, seconds } of numbers" },
      query_rate = { { 5 }, "must be a table { count, seconds } of numbers" },
      block = { 1, "must be a boolean, got number" },
      insecure = { "yes", "must be a boolean, got string" },
      on_event = { {}, "must be a function, got table" },
      proxy = { 8080, "must be a string, got number" },
      ca_file = { {}, "must be a string, got table" },
      ca_path = { 1, "must be a string, got number" },
    } do
      assert_raises("option '" .. name .. "' " .. case[2], minimax.new, { [name] = case[1] })
    end
  end)

  it("that is a rate must count and have a window", function()
    for _, rate in ipairs { { 0, 60 }, { 5, 0 }, { 5, -1 }, { "x", 60 }, { 1.5, 60 }, {} } do
      assert_raises("{ count, seconds }", minimax.new, { submit_rate = rate })
    end
    minimax.new { submit_rate = { 5, 60 }, query_rate = { 300, 0.5 } }:close()
  end)

  it("that is a text may not hold a NUL byte, which C would cut off", function()
    assert_raises("a string without a NUL byte", minimax.new, { api_key = "sk-api\0example" })
    assert_raises("a string without a NUL byte", minimax.new, { base_url = "https://a.example\0" })
  end)

  it("has a name", function()
    assert_raises("options have names", minimax.new, { "sk-api-example" })
    assert_raises("a table of options is expected", minimax.new, "sk-api-example")
    assert_raises("a table of options is expected", client.query, client, "1", 5)
  end)

  it("may be false where a time can be turned off", function()
    minimax.new { wait_timeout = false, api_key = "sk-api-example" }:close()
  end)

  it("is reported with the number of the argument that the caller wrote", function()
    assert_raises("bad argument #2 to", minimax.query, "1", { knid = "video" })
    assert_raises("bad argument #1 to", minimax.new, { knid = "video" })
  end)
end)

describe("an error that a missing assert passed on", function()
  local function bad()
    return client:submit {}
  end

  local CALLS = {
    wait = function() return client:wait(bad()) end,
    query = function() return client:query(bad()) end,
    each = function() return client:each(bad()) end,
    cancel = function() return client:cancel(bad()) end,
    download = function() return client:download(bad()) end,
    retrieve = function() return client:retrieve(bad()) end,
    upload = function() return client:upload(bad()) end,
    generate = function() return client:generate(bad()) end,
    submit = function() return client:submit(bad()) end,
    call = function() return client:call(bad()) end,
    abort = function() return client:abort(bad()) end,
    notify = function() return client:notify(bad()) end,
    callback = function() return client:callback(bad()) end,
    list = function() return client:list((select(2, bad()))) end,
    new = function() return minimax.new((select(2, bad()))) end,
    configure = function() return minimax.configure((select(2, bad()))) end,
    ["a task's wait"] = function()
      local _, status = client:callback '{"task_id":"12","status":"Processing"}'
      return status:wait((select(2, bad())))
    end,
    ["the module's wait"] = function() return minimax.wait(bad()) end,
    ["options of download"] = function()
      return client:download("1", "x.mp4", (select(2, bad())))
    end,
    ["options of generate"] = function()
      return client:generate({}, "x.mp4", (select(2, bad())))
    end,
    ["options of call"] = function()
      return client:call("GET", "/x", (select(2, bad())))
    end,
    ["options of upload"] = function()
      return client:upload("x.png", nil, (select(2, bad())))
    end,
    ["options of submit"] = function()
      return client:submit({}, (select(2, bad())))
    end,
  }

  for name, call in pairs(CALLS) do
    it("is named with its own text: " .. name, function()
      assert_raises("a minimax.error stands here, of a call that failed: minimax submit: the "
        .. "request has neither template_id, model nor content", call)
    end)
  end

  it("is a task where it names one", function()
    local closed <close> = minimax.new { api_key = "sk-api-example" }
    closed:close()
    local _, err = closed:wait("12")
    local told = setmetatable({ task_id = "12" }, getmetatable(err))
    assert.equal("cancelled", select(2, closed:wait(told)).kind)
  end)
end)

describe("the option kind", function()
  it("raises for an unknown kind and names the nearest", function()
    assert_raises("option 'kind' must be 'template', 'video' or 'video2', got 'vidoe' "
      .. "(did you mean 'video'?)", client.query, client, "1", { kind = "vidoe" })
    assert_raises("got 'tempalte' (did you mean 'template'?)",
      client.submit, client, {}, { kind = "tempalte" })
    assert_raises("got 'boolean'", client.wait, client, "1", { kind = true })
  end)
end)
