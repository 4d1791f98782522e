-- The commands that follow a task or a file, against the emulator.

local command = require "spec.support.command"
local minimax = require "minimax"
local temp = require "spec.support.temp"

local PET = require "lfs".currentdir() .. "/doc/examples/pet.jpg"

local REQUESTS = {
  template = { template_id = "393488336655310850", media_inputs = { "https://x/y.jpg" } },
  video = { model = "MiniMax-Hailuo-2.3", prompt = "A cat" },
  video2 = { model = "MiniMax-H3", resolution = "768P", duration = 5, ratio = "16:9",
    content = { { type = "text", text = "A cat" } } },
}

describe("on the command line", function()
  local emu, client, folder

  setup(function()
    emu = command.emulator()
    client = minimax.new { base_url = emu.base_url, api_key = emu.api_key }
  end)

  teardown(function()
    client:close()
    emu:stop()
  end)

  before_each(function()
    folder = temp.folder()
  end)

  after_each(function()
    folder:close()
  end)

  local function run(words, options)
    options = options or {}
    options.emulator, options.directory = options.emulator or emu, folder.path
    return command.run(words, options)
  end

  -- A task that has succeeded, or one that has just begun.
  local function finished(kind)
    local task = assert(client:submit(REQUESTS[kind]))
    emu:advance(10000)
    return task
  end

  for kind in pairs(REQUESTS) do
    it("query, wait and download reach a task of kind " .. kind, function()
      local id = finished(kind).task_id
      local result = run { "query", id, "--kind", kind }
      assert.equal(0, result.code, result.err)
      assert.matches("\nstate +succeeded\n", result.out)
      assert.matches("\ntask_id +" .. id .. "\n", result.out)
      result = run { "wait", id, "--kind", kind, "--json" }
      assert.equal("succeeded", result.lines[1].status.state)
      result = run { "wait", id, "-k", kind, "-o", "a.mp4" }
      assert.equal("a.mp4\n", result.out)
      result = run { "download", id, "-k", kind }
      assert.equal(id .. ".mp4\n", result.out)
      assert.equal(folder:read "a.mp4", folder:read(id .. ".mp4"))
    end)
  end

  it("an id whose kind is not told is looked for among all kinds", function()
    for kind in pairs(REQUESTS) do
      local id = finished(kind).task_id
      for _, words in ipairs { { "query", id }, { "wait", id, "-o", "a.mp4" },
        { "download", id, "-o", "b.mp4" } } do
        local result = run(words)
        assert.equal(0, result.code, result.err)
        assert.equal(kind ~= "template",
          result.err:find(id .. " is a task of --kind " .. kind, 1, true) ~= nil)
      end
    end
  end)

  it("what nobody knows is no task that goes on, and no command leads to it", function()
    local known = finished("video").task_id
    for _, words in ipairs { { "wait", "100000000000000001" },
      { "wait", "100000000000000001", "-o", "a.mp4" }, { "wait", known, "--kind", "template" },
      { "download", "100000000000000001" }, { "query", "100000000000000001" } } do
      local result = run(words)
      assert.equal(8, result.code, result.err)
      assert.matches("--kind names another", result.err, 1, true)
      assert.is_nil(result.err:find("goes on", 1, true), result.err)
      assert.is_nil(result.err:find("\n  minimax", 1, true), result.err)
    end
    local result = run({ "wait", known }, { env = { MINIMAX_API_KEY = "sk-wrong" } })
    assert.equal(3, result.code)
    assert.is_nil(result.err:find("goes on", 1, true), result.err)
  end)

  it("a task whose video can't be kept has succeeded, and does not go on", function()
    local id = finished("template").task_id
    folder:write("a.mp4", "mine")
    local result = run { "wait", id, "-o", "a.mp4", "--no-overwrite" }
    assert.equal(18, result.code)
    assert.matches("Task " .. id .. " has succeeded. To go on here:\n  minimax wait " .. id
      .. " -o a.mp4 --no-overwrite\n", result.err, 1, true)
    result = run { "download", id, "-o", "none/a.mp4" }
    assert.equal(18, result.code)
    assert.is_nil(result.err:find("is kept", 1, true), result.err)
  end)

  it("a task is also what --json printed of it", function()
    local task = finished "video2"
    for _, text in ipairs {
      ('{"task":{"task_id":"%s","kind":"video2"}}'):format(task.task_id),
      ('{"task_id":"%s","kind":"video2"}'):format(task.task_id),
      run({ "query", task.task_id, "-k", "video2", "--json" }).out,
    } do
      local result = run { "query", text }
      assert.equal(0, result.code, result.err)
      assert.matches("kind +video2", result.out)
    end
    for _, text in ipairs { "{", "{}", '{"task":7}', '{"task_id":12}' } do
      assert.equal(2, run({ "query", text }).code)
    end
  end)

  it("download takes a URL or a file's id, and names the file after it", function()
    local status = assert(client:query(finished "video"))
    local file = assert(client:retrieve(status.file_id))
    local result = run { "download", file.url }
    assert.equal(0, result.code, result.err)
    assert.equal(file.url:match("([^/?]*)%?"), (result.out:gsub("\n", "")))
    result = run { "download", "--file-id", status.file_id }
    assert.equal(status.file_id .. ".mp4\n", result.out)
    assert.equal(2, run({ "download" }).code)
  end)

  it("download leaves a file alone with --no-overwrite, and heeds --max-bytes", function()
    local id = finished("template").task_id
    folder:write("a.mp4", "mine")
    assert.equal(18, run({ "download", id, "-o", "a.mp4", "--no-overwrite" }).code)
    assert.equal("mine", folder:read "a.mp4")
    assert.equal(13, run({ "download", id, "-o", "b.mp4", "--max-bytes", "1000" }).code)
    assert.same({ "a.mp4" }, folder:names())
  end)

  it("download of a task that goes on is refused with its state", function()
    local slow <close> = command.emulator { speed = 1, seconds = 10000 }
    local other <close> = minimax.new { base_url = slow.base_url, api_key = slow.api_key }
    local id = assert(other:submit(REQUESTS.template)).task_id
    local result = run({ "download", id, "-o", "a.mp4" }, { emulator = slow })
    assert.equal(8, result.code)
    assert.matches("queued", result.err, 1, true)
    assert.equal(1, #slow:requests { endpoint = "query" })
    assert.same({}, folder:names())
  end)

  it("cancel ends a queued task of the second family, and no other", function()
    local slow <close> = command.emulator { speed = 1, seconds = 10000 }
    local other <close> = minimax.new { base_url = slow.base_url, api_key = slow.api_key }
    local queued = assert(other:submit(REQUESTS.video2)).task_id
    local result = run({ "cancel", queued, "--json" }, { emulator = slow })
    assert.equal(0, result.code, result.err)
    assert.equal("cancelled", result.lines[1].status.state)
    local first = assert(other:submit(REQUESTS.template))
    assert.equal(8, run({ "cancel", first.task_id, "-k", "template" }, { emulator = slow }).code)
  end)

  it("list shows the tasks of the second family as columns or JSON, page by page", function()
    local own <close> = command.emulator()
    local result = run({ "list" }, { emulator = own })
    assert.equal("", result.out)
    assert.equal('{"page":{"items":[],"total":0}}\n',
      run({ "list", "--json" }, { emulator = own }).out)
    local other <close> = minimax.new { base_url = own.base_url, api_key = own.api_key }
    local one = assert(other:submit(REQUESTS.video2)).task_id
    local two = assert(other:submit(REQUESTS.video2)).task_id
    own:advance(10000)
    result = run({ "list", "--status", "succeeded" }, { emulator = own })
    assert.matches(one .. "  succeeded  %d%d%d%d%-%d%d%-%d%d %d%d:%d%d  MiniMax%-H3\n", result.out)
    assert.matches(two, result.out, 1, true)
    assert.matches("2 of 2 tasks", result.err, 1, true)
    local page = run({ "list", "--json", "--page", "2", "--page-size", "1" },
      { emulator = own }).lines[1].page
    assert.equal(1, #page.items)
    assert.equal(2, page.total)
    page = run({ "list", "--json", "--task-id", two }, { emulator = own }).lines[1].page
    assert.same({ two, 1 }, { page.items[1].task_id, #page.items })
  end)

  it("upload prints the file's id and how it is named", function()
    local result = run { "upload", PET }
    assert.equal(0, result.code, result.err)
    local id = result.out:match("^(%d+)\n$")
    assert.matches("mm_file://" .. id, result.err, 1, true)
    assert.equal("pet.jpg", run({ "upload", PET, "--json" }).lines[1].file.filename)
    assert.equal(8, run({ "upload", "none.jpg" }).code)
  end)

  it("what the server says can't steer the terminal", function()
    local task = finished "template"
    emu:fault { endpoint = "query", fault = "status", status = "\27]0;evil\7Queueing\194\155" }
    local result = run { "query", task.task_id }
    assert.equal(0, result.code, result.err)
    assert.matches("status +%?%]0;evil%?Queueing%?\n", result.out)
    emu:fault { endpoint = "query", fault = "code", code = 2013, message = "no\27[2Jsuch" }
    assert.is_nil(run({ "query", task.task_id }).err:find("\27", 1, true))
  end)
end)

describe("templates", function()
  it("lists the catalogue without a key or a server, or what fits a word", function()
    local result = command.run { "templates" }
    assert.equal(0, result.code, result.err)
    assert.matches("\n393769180141805569  %-m %-t  %$0%.45  run%-for%-life: ", result.out)
    local all = select(2, result.out:gsub("\n", ""))
    assert.equal(all - 1, #command.run({ "templates", "--json" }).lines)
    local some = command.run({ "templates", "BEAST", "--json" }).lines
    assert.equal(1, #some)
    assert.equal("Run for Life", some[1].template.name)
  end)
end)

describe("models", function()
  it("lists the models without a key or a server, or what fits a word", function()
    local result = command.run { "models" }
    assert.equal(0, result.code, result.err)
    assert.matches("\nMiniMax%-Hailuo%-2%.3 +video +text, first frame +768P 6 or 10 s, 1080P 6 s\n",
      result.out)
    assert.matches("\nMiniMax%-H3 +video2 +text, .*references +768P 4 to 15 s, 2K 4 to 15 s\n",
      result.out)
    assert.matches("512P 6 or 10 s (first frame)", result.out, 1, true)
    local all = select(2, result.out:gsub("\n", ""))
    assert.equal(all - 1, #command.run({ "models", "--json" }).lines)
    local some = command.run({ "models", "subject", "--json" }).lines
    assert.same({ 1, "S2V-01", "video" }, { #some, some[1].model.model, some[1].model.kind })
  end)
end)
