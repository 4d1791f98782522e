--- src/api/json.c: what JSON becomes in Lua, and Lua in JSON, digit for digit.

local api = require "spec.support.api"
local cjson = require "cjson"
local process = require "spec.support.process"
local temp = require "spec.support.temp"

-- 15 digits are safe in a double, 18 are not, 19 reach beyond 2^63, 20 beyond 2^64.
local IDS = { "335797537439947", "401047179385389059", "9223372036854775807",
  "9999999999999999999", "18446744073709551616", "-401047179385389059" }

local BASE_RESP = '"base_resp":{"status_code":0,"status_msg":"success"}'

describe("JSON", function()
  local server, client, folder

  setup(function()
    server = api.start()
    client = server:client()
    folder = temp.folder()
  end)

  teardown(function()
    client:close()
    server:close()
    folder:close()
  end)

  -- The decoded reply to a call.
  local function decoded(text)
    server:answer(text)
    return assert(client:call("GET", "/v1/anything"))
  end

  -- Calls `fn(id, written)` for each id as the server may write it.
  local function each_id(fn)
    for _, id in ipairs(IDS) do
      fn(id, '"' .. id .. '"')
      fn(id, id)
    end
  end

  describe("ids", function()
    it("come back from submit digit for digit, quoted and bare", function()
      each_id(function(id, written)
        server:answer('{"task_id":' .. written .. "," .. BASE_RESP .. "}")
        assert.equal(id, assert(client:submit { model = "m" }).task_id)
        server:answer('{"task":{"id":' .. written .. '}}')
        assert.equal(id, assert(client:submit { model = "m" }).task_id)
      end)
    end)

    it("come back from query and wait digit for digit, quoted and bare", function()
      each_id(function(id, written)
        server:answer(('{"task_id":%s,"status":"Success","file_id":%s,%s}')
          :format(written, written, BASE_RESP))
        for _, method in ipairs { "query", "wait" } do
          local status = assert(client[method](client, id))
          assert.equal(id, status.task_id)
          assert.equal(id, status.file_id)
        end
        for _, asked in ipairs(server:asked()) do
          assert.equal("/v1/query/video_template_generation?task_id=" .. id, asked.path)
        end
        server:answer(('{"task":{"id":%s,"status":"running"}}'):format(written))
        local status = assert(client:query(id, { kind = "video2" }))
        assert.equal(id, status.id)
        assert.equal(id, status.task_id)
      end)
    end)

    it("come back from retrieve digit for digit, quoted and bare", function()
      each_id(function(id, written)
        server:answer(('{"file":{"file_id":%s,"bytes":0},%s}'):format(written, BASE_RESP))
        assert.equal(id, assert(client:retrieve(id)).file_id)
        assert.equal("/v1/files/retrieve?file_id=" .. id, server:asked()[1].path)
      end)
    end)

    it("lead a download by file_id to the file, digit for digit, quoted and bare", function()
      each_id(function(id, written)
        server:answer(('{"task_id":"1","status":"Success","file_id":%s}'):format(written),
          ('{"file":{"file_id":%s,"download_url":"%s/v"},%s}')
            :format(written, server.url, BASE_RESP), "video")
        local status = assert(client:query("1", { kind = "video" }))
        local info = assert(client:download(status, folder:file "v", { verify = false }))
        assert.equal(5, info.bytes)
        assert.equal("/v1/files/retrieve?file_id=" .. id, server:asked()[2].path)
        assert.equal("/v", server:asked()[3].path)
        server:answer(('{"file":{"file_id":%s,"download_url":"%s/v"}}')
          :format(written, server.url), "video")
        assert(client:download({ file_id = id }, folder:file "v", { verify = false }))
        assert.equal("/v1/files/retrieve?file_id=" .. id, server:asked()[1].path)
      end)
    end)

    it("are strings where the field is id or ends in _id or _ids, at any depth", function()
      local reply = decoded [[{
        "id": 1, "task_id": 335797537439947, "file_ids": [1, 401047179385389059, "x", null, 1.5],
        "a": [{"trace_id": -7, "b": {"request_id": 0}}], "idea": 1, "void": 2, "_id": 3, "ids": 4
      }]]
      assert.equal("1", reply.id)
      assert.equal("335797537439947", reply.task_id)
      assert.equal("1", reply.file_ids[1])
      assert.equal("401047179385389059", reply.file_ids[2])
      assert.equal("x", reply.file_ids[3])
      assert.is_nil(reply.file_ids[4])
      assert.equal("1.5", reply.file_ids[5])
      assert.equal("-7", reply.a[1].trace_id)
      assert.equal("0", reply.a[1].b.request_id)
      assert.equal(1, reply.idea)
      assert.equal(2, reply.void)
      assert.equal(4, reply.ids)
    end)
  end)

  describe("read", function()
    it("has integers for whole numbers within 64 bits, and floats for the rest", function()
      local reply = decoded [[{
        "a": 1920, "b": 1920.0, "c": -0, "d": 1e3, "e": 9223372036854775807,
        "f": -9223372036854775808, "g": 9007199254740993, "h": 1234567890123456,
        "i": 1.5, "j": 9223372036854775808, "k": 1e300, "l": 0.1, "list": [3, 401047179385389059]
      }]]
      for name, value in pairs { a = 1920, b = 1920, c = 0, d = 1000, e = math.maxinteger,
        f = math.mininteger, g = 9007199254740993, h = 1234567890123456 } do
        assert.equal(value, reply[name])
        assert.equal("integer", math.type(reply[name]), name)
      end
      for name, value in pairs { i = 1.5, j = 2.0 ^ 63, k = 1e300, l = 0.1 } do
        assert.equal(value, reply[name])
        assert.equal("float", math.type(reply[name]), name)
      end
      assert.same({ 3, 401047179385389059 }, reply.list)
      assert.equal("integer", math.type(reply.list[1]))
    end)

    it("has nil for null, and keeps texts that look like numbers", function()
      local reply = decoded '{"a":null,"b":{"c":null,"d":"401047179385389059"},"e":"1e5","f":false}'
      assert.same({ b = { d = "401047179385389059" }, e = "1e5", f = false }, reply)
    end)

    it("keeps texts with digits, quotes and escapes as they are", function()
      local reply = decoded [[{"a":"x \"1234567890123456789\" y","1234567890123456789":"\\",
        "b":"\u4e2d\u6587 \ud83e\udd81"}]]
      assert.same({ a = 'x "1234567890123456789" y', ["1234567890123456789"] = "\\",
        b = "\u{4e2d}\u{6587} \u{1f981}" }, reply)
    end)

    it("tells an empty list from an empty object by its metatable", function()
      local reply = decoded '{"a":[ ],"b":{},"c":[[],1],"d":"[]","task_ids":[]}'
      assert.same({ a = {}, b = {}, c = { {}, 1 }, d = "[]", task_ids = {} }, reply)
      for _, list in ipairs { reply.a, reply.c[1], reply.task_ids } do
        assert.equal("array", getmetatable(list).__jsontype)
      end
      assert.is_nil(getmetatable(reply.b))
      assert.is_nil(getmetatable(reply.c))
    end)

    it("that is no JSON object is an error of kind protocol", function()
      for _, text in ipairs { "", "null", "17", '"text"', "{", '{"a":1', '{"a":1}}',
        '{"a":0x10}', '{"a":Nan}', "{}\0garbage", "\0{}", "{}garbage", '{"a"}', "{}\u{feff}",
        ("["):rep(100) .. ("]"):rep(100), ('{"a":'):rep(70) .. "1" .. ("}"):rep(70) } do
        server:answer { body = text }
        local reply, err = client:call("GET", "/v1/anything")
        assert.is_nil(reply, text)
        assert.equal("protocol", err.kind, text)
      end
    end)

    -- Each is one odd byte in what nobody needs.
    local ODD = {
      ["half of a surrogate pair"] = { '{"prompt":"a lion \\ud83e",', "}", "a lion \u{FFFD}" },
      ["the other half"] = { '{"prompt":"\\uDE81a",', "}", "\u{FFFD}a" },
      ["a byte order mark"] = { '\u{FEFF}{"prompt":"a",', "}", "a" },
      ["a NUL behind it"] = { '{"prompt":"a",', "}\0", "a" },
      ["a NUL in a string"] = { '{"prompt":"a\0",', "}", "a\u{FFFD}" },
      ["an escaped NUL"] = { '{"prompt":"a\\u0000",', "}", "a\u{FFFD}" },
      ["a control character"] = { '{"prompt":"a\n\1",', "}", "a\n\1" },
      ["a byte that is no UTF-8"] = { '{"prompt":"L\xF6we",', "}", "L\u{FFFD}we" },
      ["an escape of nothing"] = { '{"prompt":"C:\\x",', "}", "C:\\x" },
      ["NaN"] = { '{"prompt":"a","score":NaN,', "}", "a" },
      ["an infinite number"] = { '{"prompt":"a","score":[-Infinity,Infinity],', "}", "a" },
      ["a name of such a kind"] = { '{"\\ud83e":1,"prompt":"a",', "}", "a" },
    }

    for name, case in pairs(ODD) do
      it("is not lost for " .. name, function()
        local head, tail, prompt = table.unpack(case)
        local fields = '"task_id":"401047179385389059","status":"Processing"'
        server:answer(head .. fields .. tail)
        local task = assert(client:submit { model = "m" })
        assert.equal("401047179385389059", task.task_id)
        local status = assert(client:query(task))
        assert.equal("running", status.state)
        assert.equal(prompt, status.prompt)
        assert.is_nil(status.score and next(status.score))
        local _, event = assert(client:callback(head .. fields .. tail))
        assert.equal(prompt, event.prompt)
        server:answer(head .. '"items":[{"id":"17","status":"queued"}],"total":1' .. tail)
        assert.equal("17", assert(client:list()).items[1].task_id)
      end)
    end

    it("is nested as deep as 60 levels", function()
      local reply = decoded(('{"a":'):rep(60) .. "1" .. ("}"):rep(60))
      for _ = 1, 60 do
        reply = reply.a
      end
      assert.equal(1, reply)
    end)
  end)

  describe("written", function()
    -- The text that a request's body becomes.
    local function written(body)
      server:answer "{}"
      assert(client:call("POST", "/v1/anything", { body = body }))
      return server:asked()[1].body
    end

    it("has integers digit for digit, floats without loss", function()
      for value, text in pairs {
        [7] = "7", [-7] = "-7", [99999999999999] = "99999999999999",
        [100000000000000] = "100000000000000", [401047179385389059] = "401047179385389059",
        [math.maxinteger] = "9223372036854775807", [math.mininteger] = "-9223372036854775808",
        [0.1] = "0.1", [1 / 3] = "0.33333333333333331", [0.1 + 0.2] = "0.30000000000000004",
        [6.0] = "6", [2.0 ^ 53 + 2] = "9007199254740994",
      } do
        assert.equal('{"seed":' .. text .. "}", written { seed = value })
      end
    end)

    it("has false and null as they are, and escapes what it must", function()
      assert.equal('{"prompt_optimizer":false}', written { prompt_optimizer = false })
      assert.equal('{"a":null}', written { a = cjson.null })
      assert.equal('a"\\/\n\t\127\u{1f981}',
        cjson.decode(written { a = 'a"\\/\n\t\127\u{1f981}' }).a)
    end)

    it("has lists as lists, and an empty table as an object", function()
      assert.equal('{"a":[1,2,[3]]}', written { a = { 1, 2, { 3 } } })
      assert.equal('{"a":{}}', written { a = {} })
    end)
  end)

  it("leaves the host's own lua-cjson alone, and is left alone by it", function()
    server:answer '{"a":{"a":{"a":{"a":1}}}}'
    local result = process.run {
      args = { server.url },
      script = [[
        local cjson = require "cjson"
        cjson.encode_number_precision(3)
        cjson.decode_max_depth(3)
        local before = cjson.encode { a = "/", b = 1.23456 }
        local client = require "minimax".new { base_url = ..., api_key = "sk-spec", retries = 0 }
        local reply = assert(client:call("POST", "/v1/x", { body = { a = 1.23456, b = "/" } }))
        assert(reply.a.a.a.a == 1)
        assert(cjson.encode { a = "/", b = 1.23456 } == before)
        assert(not pcall(cjson.decode, '{"a":{"a":{"a":{"a":1}}}}'))
        assert(cjson.decode "[null]"[1] == cjson.null)
      ]],
    }
    assert.equal(0, result.code, result.err)
    assert.equal(1.23456, cjson.decode(server:asked()[1].body).a)
  end)

  it("has a point in its numbers, whatever the host's locale has", function()
    local made = process.run { command = { "localedef", "-i", "de_DE", "-f", "UTF-8",
      folder:file "de_DE.UTF-8" } }
    if made.code ~= 0 then
      pending "no locale with a decimal comma can be made here"
      return
    end
    server:answer '{"a":0.25,"id":0.5,"task_id":"1"}'
    local result = process.run {
      args = { server.url },
      -- The C library never frees what it makes of LOCPATH.
      env = { LOCPATH = folder.path, ASAN_OPTIONS = "detect_leaks=0" },
      script = [[
        assert(os.setlocale "de_DE.UTF-8")
        assert(tostring(0.5) == "0,5")
        local client = require "minimax".new { base_url = ..., api_key = "sk-spec", retries = 0 }
        local reply = assert(client:call("POST", "/v1/x", { body = { a = 1 / 3, b = 0.5 } }))
        assert(reply.a == 1 / 4)
      ]],
    }
    assert.equal(0, result.code, result.err)
    assert.same({ a = 1 / 3, b = 0.5 }, cjson.decode(server:asked()[1].body))
  end)

  it("is read and written with cjson.safe in lua-cjson's place, too", function()
    server:answer('{"a":1,"base_resp":{"status_code":0}}', '{"a":', '{"task_id":"1"}')
    local result = process.run { args = { server.url }, script = [[
      package.loaded.cjson = require "cjson.safe"
      local minimax = require "minimax"
      local client = minimax.new { base_url = ..., api_key = "sk-spec", retries = 0 }
      print(client:call("GET", "/v1/x").a)
      print(select(2, client:call("GET", "/v1/x")).kind)
      local sparse = { [1] = "a", [1000000] = "b" }
      print(select(2, client:submit { template_id = "1", list = sparse }))
      print(select(2, client:submit({ template_id = "1", list = sparse }, { dry_run = true })).kind)
      print(client:submit { template_id = "1" }.task_id)
    ]] }
    assert.equal("", result.err)
    assert.truthy(result.out:find("^1\nprotocol\n[^\n]*can't be sent as JSON: [^\n]*sparse[^\n]*\n"
      .. "invalid\n1\n$"), result.out)
  end)

  it("says so where another module stands in lua-cjson's place", function()
    for _, other in ipairs {
      'require "dkjson"', "{}", "{ new = function() end }",
      "{ new = function() return { decode = print } end }", "{ new = {} }",
    } do
      local result = process.run { script = "package.loaded.cjson = " .. other
        .. '\nprint(pcall(require, "minimax"))' }
      assert.equal("", result.err)
      assert.truthy(result.out:find("another module stands in its place", 1, true), result.out)
    end
  end)

  it("refuses what gives no text in the place of lua-cjson", function()
    local result = process.run { script = [[
      local cjson = require "cjson"
      local new = cjson.new
      function cjson.new()
        local own = new()
        function own.encode() return 7 end
        return own
      end
      local minimax = require "minimax"
      local client = minimax.new { api_key = "sk-spec" }
      print(select(2, client:submit({ template_id = "1" }, { dry_run = true })).kind)
    ]] }
    assert.same({ "invalid\n", "" }, { result.out, result.err })
  end)

  it("of too many values is not read, and takes little memory", function()
    for _, text in ipairs {
      ("[]"):rep(2000000, ","), ("{}"):rep(2000000, ","), ("1"):rep(3000000, ","),
      ('"a":{"b":0}'):rep(600000, ","), ('""'):rep(2000000, ","),
    } do
      local closing = text:sub(1, 4) == '"a":' and { "{", "}" } or { "[", "]" }
      server:answer('{"a":' .. closing[1] .. text .. closing[2] .. "}")
      local result = process.run { args = { server.url }, script = [[
        local minimax = require "minimax"
        local client = minimax.new { base_url = ..., api_key = "sk-spec", retries = 0 }
        local answer, err = client:call("GET", "/v1/x")
        assert(not answer)
        local most = io.open("/proc/self/status"):read("a"):match("VmHWM:%s*(%d+)")
        print(err.kind, err.message:match "more values than are read", tonumber(most) < 64 * 1024)
      ]] }
      assert.same({ "protocol\tmore values than are read\ttrue\n", "" },
        { result.out, result.err })
    end
  end)

  it("of as many values as a long list of tasks has is read", function()
    local item = '{"task_id":"1","status":"Success","a":[1,2,3,4,5,6,7,8,9],"b":{"c":null}}'
    assert.equal(5000, #decoded('{"items":[' .. item:rep(5000, ",") .. "]}").items)
  end)

  it("without lua-cjson makes require raise and name the remedies", function()
    local result = process.run { script = [[
      package.preload.cjson = function()
        error "no cjson here"
      end
      print(pcall(require, "minimax"))
    ]] }
    assert.is_truthy(result.out:find("^false"))
    assert.is_truthy(result.out:find("luarocks install lua-cjson", 1, true), result.out)
    assert.is_truthy(result.out:find("apt-get install lua-cjson", 1, true), result.out)
  end)
end)
