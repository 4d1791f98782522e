-- How jobs come in: one, a list, or a file of JSON Lines; and what raises.

local batch = require "minimax.batch"
local json = require "minimax.common.json"
local minimax = require "minimax"
local output = require "minimax.batch.output"
local temp = require "spec.support.temp"

local IMAGE = "doc/examples/pet.jpg"

describe("adding", function()
  local folder, b

  before_each(function()
    folder = temp.folder()
    b = assert(batch.open(folder:file "ledger.db"))
  end)
  after_each(function()
    b:close()
    folder:close()
  end)

  local function keys()
    local found = {}
    for job in b:jobs() do
      found[#found + 1] = job.key
    end
    return found
  end

  local function template(word)
    return { template_id = "1", text_inputs = { word } }
  end

  it("is idempotent, one by one", function()
    assert.equal(1, b:add { key = "a", request = template "x" })
    assert.equal(0, b:add { key = "a", request = template "x" })
    local added, err = b:add { key = "a", request = template "y" }
    assert.is_nil(added)
    assert.equal("job 'a' is there already, with another request", err.message)
  end)

  it("refuses a key or an output that not every ledger can hold", function()
    for _, bad in ipairs { "a\xFFb", "a\0b", "\xED\xA0\x80" } do
      for _, job in ipairs { { key = bad }, { key = "a", output = bad } } do
        job.request = template "x"
        local added, err = b:add(job)
        assert.is_nil(added)
        assert.equal("invalid", err.kind)
        assert.matches("is not UTF-8, or holds a NUL", err.message, 1, true)
        assert.is_nil(err.message:find "[%c\x80-\xFF]")
        assert.equal(1, select(2, b:add { job }).index)
      end
    end
    local path = folder:write("jobs.jsonl", [[{"key":"a\u0000b","request":{"template_id":"1"}}]])
    local added, problems = b:add_lines(path)
    assert.same({ 0, 1 }, { added, problems[1].line })
    assert.same({}, keys())
  end)

  it("takes a list whole or not at all, and says which job is bad", function()
    local list = { { key = "a", request = template "x" }, { key = "b", request = template "x" },
      { key = "a", request = template "y" } }
    local added, err = b:add(list)
    assert.is_nil(added)
    assert.same({ "invalid", 3 }, { err.kind, err.index })
    list[3] = { key = "c", request = { prompt = "no kind" } }
    added, err = b:add(list)
    assert.is_nil(added)
    assert.equal(3, err.index)
    assert.matches("job 'c': the request has neither template_id, model nor content", err.message,
      1, true)
    assert.same({}, keys())
    list[3] = nil
    assert.equal(2, b:add(list))
    assert.equal(0, b:add(list))
  end)

  it("tells the kind of a request as the client does, or is told", function()
    assert(b:add { { key = "a", request = { template_id = "1", model = "m" } },
      { key = "b", request = { model = "m" } },
      { key = "c", request = { model = "m", content = {} } },
      { key = "d", request = { prompt = "p" }, kind = "video" } })
    local kinds = {}
    for job in b:jobs() do
      kinds[#kinds + 1] = job.kind
    end
    assert.same({ "template", "video", "video2", "video" }, kinds)
  end)

  it("names an output after the key, which never leads into another folder", function()
    assert(b:add { { key = "a", request = template "x" },
      { key = "../../b", request = template "x" } })
    local outputs = {}
    for job in b:jobs() do
      outputs[#outputs + 1] = job.output
    end
    assert.same({ "a.mp4", ".._.._b.mp4" }, outputs)
  end)

  it("gives no two jobs one output, however it is spelled", function()
    assert(b:add { key = "a", request = template "x", output = "./out//a.mp4" })
    assert.equal("out/a.mp4", b:jobs()().output)
    assert.equal(0, b:add { key = "a", request = template "x", output = "out/./a.mp4" })
    local added, err = b:add { key = "b", request = template "x", output = "out/././/a.mp4" }
    assert.is_nil(added)
    assert.equal("job 'b': its output 'out/a.mp4' belongs to job 'a'", err.message)
    for path, normal in pairs { ["/a"] = "/a", ["//a/./b"] = "/a/b", ["./a"] = "a",
      ["../a"] = "../a", ["a/../b"] = "a/../b", ["."] = ".", [".a/.b"] = ".a/.b" } do
      assert.equal(normal, output.normal(path))
    end
  end)

  it("takes a job again whose output an older version kept as it was spelled", function()
    assert(b:add { key = "a", request = template "x", output = "a.mp4" })
    assert(b.ledger:run "UPDATE minimax_jobs SET output = './a.mp4'")
    assert.equal(0, b:add { key = "a", request = template "x", output = "a.mp4" })
  end)

  it("shows a job as it was given", function()
    assert(b:add { key = "a", output = "o.mp4", request = { template_id = "1",
      extra = { 1.5, true }, media_inputs = { minimax.file(IMAGE) } } })
    local job = b:jobs()()
    assert.same({ "a", "added", "o.mp4", 0 }, { job.key, job.state, job.output, job.attempt })
    assert.same({ 1.5, true }, job.request.extra)
    assert.equal("minimax.file: " .. IMAGE, tostring(job.request.media_inputs[1]))
    assert.is_nil(job.worker)
  end)

  it("shows more jobs than a page holds, by their state", function()
    local list = {}
    for number = 1, 1203 do
      list[number] = { key = "k" .. number, request = template "x" }
    end
    assert.equal(1203, b:add(list))
    local found = keys()
    assert.same({ 1203, "k1", "k1203" }, { #found, found[1], found[1203] })
    local count = 0
    for job in b:jobs { state = "added" } do
      count = count + (job.state == "added" and 1 or 0)
    end
    assert.equal(1203, count)
    assert.is_nil(b:jobs { state = "failed" }())
    assert.same({ 1203, 1203 }, { b:status().added, b:status().total })
  end)

  for what, case in pairs {
    ["an unknown field"] = { { key = "a", request = {}, prio = 1 }, "unknown field 'prio'" },
    ["no key"] = { { request = {} }, "the field 'key' is missing" },
    ["an empty key"] = { { key = "", request = {} }, "field 'key' must be a string" },
    ["no request"] = { { key = "a" }, "the field 'request' is missing" },
    ["a wrong kind"] = { { key = "a", request = {}, kind = "film" }, "field 'kind' must be" },
    ["no table"] = { "a", "it must be a table" },
  } do
    it("raises for " .. what .. ", in the caller's line, also in a list", function()
      for _, given in ipairs { case[1], { case[1] } } do
        local ok, why = pcall(function()
          local added = b:add(given)
          return added
        end)
        assert.is_false(ok)
        assert.matches("adding_spec.lua:%d+: minimax.batch: a job: ", why)
        assert.matches(case[2], why, 1, true)
      end
    end)
  end

  it("raises for a state that is none", function()
    assert.has_error(function() b:jobs { state = "ready" } end,
      "minimax.batch: jobs: option 'state' must be one of added, submitting, submitted, "
        .. "succeeded, downloaded, failed, unknown")
  end)

  describe("JSON Lines", function()
    local function lines(...)
      return folder:write("jobs.jsonl", table.concat({ ... }, "\n") .. "\n")
    end

    local GOOD = '{"key":"%s","request":{"template_id":393769180141805569,"text_inputs":["Lion"],'
      .. '"media_inputs":["@' .. IMAGE .. '"]}}'

    it("reads jobs; a media value behind an @ is a file, a prompt is none", function()
      local count, problems = b:add_lines(lines("\u{FEFF}" .. GOOD:format "a", "", "  ",
        '{"key":"b","output":"x.mp4","request":{"model":"m","prompt":"@home"}}\r'))
      assert.same({ 2, {} }, { count, problems })
      local jobs = {}
      for job in b:jobs() do
        jobs[#jobs + 1] = job
      end
      assert.equal("minimax.file: " .. IMAGE, tostring(jobs[1].request.media_inputs[1]))
      assert.equal("393769180141805569", jobs[1].request.template_id)
      assert.equal("@home", jobs[2].request.prompt)
      assert.equal("x.mp4", jobs[2].output)
    end)

    it("keeps what a line says, with its empty lists and its long integers", function()
      local line = '{"empty":{},"model":"m","none":[],"null":null,"seed":9223372036854775807}'
      assert.equal(1, (b:add_lines(lines('{"key":"a","request":' .. line .. "}"))))
      local body = b:jobs()().request
      assert.equal(line, json.encode(body))
      local preview = minimax.new({ api_key = "k" }):submit(body, { dry_run = true }).body
      assert.equal(line, json.encode(preview))
    end)

    it("says each bad line with its number and reason, and adds none", function()
      local count, problems = b:add_lines(lines(GOOD:format "a", "", '{"key":"b"}',
        '{"key":"c","request":{"model":"m",}}', '{"key":"d","request":{"model":"m"},"prio":1}',
        '{"key":"e","request":{"template_id":"1","media_inputs":["pet.jpg"]}}', "[1]",
        '{"key":"f","request":{"model":"m","first_frame_image":"@none.jpg"}}',
        '{"key":"g","request":{"prompt":"?"}}', '{"key":"a","request":{"model":"m"}}',
        '{"key":null,"request":{"model":"m"}}', '{"key":"h","request":{"model":"m"'))
      assert.equal(0, count)
      local expected = {
        { 3, "the field 'request' is missing" }, { 4, "Expected object key string but found" },
        { 5, "unknown field 'prio'" }, { 6, "for a local file write '@pet.jpg'" },
        { 7, "an object is expected" }, { 8, "none.jpg: No such file" },
        { 9, "the kind of task can't be told" }, { 10, "job 'a' is there already" },
        { 11, "field 'key' must be a string" }, { 12, "Expected comma or object end but found" },
      }
      for index, case in ipairs(expected) do
        assert.equal(case[1], problems[index].line)
        assert.matches(case[2], problems[index].message, 1, true)
      end
      assert.equal(#expected, #problems)
      assert.same({}, keys())
    end)

    it("adds the good ones where it is to keep going", function()
      local path = lines(GOOD:format "a", "nonsense", GOOD:format "b", GOOD:format "a",
        '{"key":"b","request":{"model":"m"}}')
      local count, problems = b:add_lines(path, { keep_going = true })
      assert.equal(2, count)
      assert.same({ 2, 5 }, { problems[1].line, problems[2].line })
      assert.same({ "a", "b" }, keys())
    end)

    it("takes more than one transaction holds, and the same file again", function()
      local all = {}
      for number = 1, 2500 do
        all[number] = '{"key":"k' .. number .. '","request":{"model":"m"}}'
      end
      local path = lines(table.unpack(all))
      assert.equal(2500, (b:add_lines(path, { keep_going = true })))
      assert.equal(0, (b:add_lines(path)))
      assert.equal(2500, b:status().added)
    end)

    it("keeps none of many jobs in memory, and locks nobody out", function()
      local number, most, base = 0, 0, nil
      local other <close> = assert(batch.open(folder:file "ledger.db"))
      other.ledger.db:rows "PRAGMA busy_timeout = 1"
      local source = { read = function()
        number = number + 1
        if number % 2000 == 0 then
          collectgarbage()
          base = base or collectgarbage "count"
          most = collectgarbage "count" - base
          assert.equal(1, other:add { key = "other" .. number, request = template "x" })
          assert.equal(number // 2000, other:status().total)
        end
        return number <= 10000 and '{"key":"k' .. number .. '","request":{"model":"m","prompt":"'
          .. ("x"):rep(500) .. '"}}\n' or nil
      end }
      assert.equal(10000, (b:add_lines(source)))
      assert.equal(10005, b:status().added)
      assert.is_true(most < 500, most .. " KB") -- 8000 jobs are 4 MB of text alone
    end)

    it("reads an open file as well, and leaves it open", function()
      local file <close> = assert(io.open(lines(GOOD:format "a")))
      assert.equal(1, (b:add_lines(file)))
      assert.equal("file", io.type(file))
    end)

    it("says that the file is missing", function()
      local count, err = b:add_lines(folder:file "none")
      assert.is_nil(count)
      assert.same({ "io", "batch" }, { err.kind, err.stage })
    end)
  end)
end)
