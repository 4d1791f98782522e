--- The calls that the random server is put to. Each gets a case (`case.lua`) and
-- looks at what came of it.

local laws = require "spec.torture.server.laws"
local minimax = require "minimax"
local mutation = require "spec.torture.server.mutation"
local plan = require "spec.torture.server.plan"

local calls = {}

local pick = mutation.pick

local function request_of(case)
  local path = case.folder .. "/pet.png"
  return pick {
    function() return { template_id = "393769180141805569", text_inputs = { "Lion" } } end,
    function() return { template_id = "1", media_inputs = { minimax.file(path) } } end,
    function() return { model = "MiniMax-Hailuo-02", prompt = "a lion" } end,
    function()
      return { model = "MiniMax-H3", resolution = "768P", duration = 5,
        content = { { type = "text", text = "a lion" } } }
    end,
  }()
end

local function task_of(case)
  return { task_id = case.id, kind = pick { "template", "video", "video2" } }
end

function calls.submit(case)
  local request = request_of(case)
  local task, err = case:call("submit", request, { timeout = case.timeout })
  local sent = case:sent "^POST"
  laws.once(sent)
  if not case.disturbed then
    case.late = laws.submit(sent, case.id, case.refused, task, err) or case.late
  end
end

function calls.query(case)
  local task = task_of(case)
  local status = case:call("query", task, { timeout = case.timeout })
  if status then
    laws.same_task(status, task.task_id)
  end
end

function calls.wait(case)
  local task = task_of(case)
  local status, err = case:call("wait", task, { timeout = case.timeout, on_status = function(seen)
    laws.same_task(seen, task.task_id)
  end })
  if status and status.state ~= "succeeded" then
    error("a wait that ended with the state " .. tostring(status.state), 0)
  end
  laws.same_task(status or err, task.task_id)
end

function calls.each(case)
  local list = { task_of(case), task_of(case), { task_id = case.id .. "7", kind = "template" } }
  local seen, leaves = {}, case.random(4) == 1
  case:timed("each", function()
    for task, status, err in case.client:each(list, { timeout = case.timeout }) do
      assert(not seen[task], "an item twice")
      seen[task] = true
      laws.outcome(status, err)
      if leaves then
        return
      end
    end
    assert(case.disturbed or seen[list[1]] and seen[list[2]] and seen[list[3]],
      "an item is missing")
  end)
end

function calls.cancel(case)
  case:call("cancel", { task_id = case.id, kind = "video2" }, { timeout = case.timeout })
  laws.one_attempt(case:sent "^DELETE")
end

function calls.list(case)
  local list = case:call("list", pick { { timeout = case.timeout },
    { page_num = 1, page_size = 5, timeout = case.timeout },
    { task_ids = { case.id }, status = "queued", timeout = case.timeout } })
  assert(not list or type(list.items) == "table")
end

function calls.retrieve(case)
  local file = case:call("retrieve", "335797537439947", { timeout = case.timeout })
  assert(not file or type(file) == "table")
end

function calls.upload(case)
  local file = case:call("upload", case.folder .. "/pet.png", nil, { timeout = case.timeout })
  assert(not file or type(file) == "table")
end

function calls.call(case)
  local method = pick { "GET", "POST", "DELETE" }
  case:call("call", method, "/v1/anything", { body = method == "POST" and { a = 1 } or nil,
    query = pick { { a = "b" }, nil }, timeout = case.timeout })
  laws.one_attempt(case:sent "^%u+ /?[^ ]*anything")
end

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read("a")
end

local function versions_of(case)
  return not plan.is_dirty(case.seed) and plan.versions(case.seed) or nil
end

-- Under the final name there is what was there, or a whole video.
local function check_file(case, path, before, info)
  local bytes = read(path)
  if info or bytes ~= before then
    laws.video(bytes or "", versions_of(case))
  end
end

local OLD = "what was there before"

function calls.download(case)
  local path = case.folder .. "/out.mp4"
  for _, name in ipairs { path, path .. ".part", path .. ".part.etag" } do
    os.remove(name)
  end
  if case.random(3) == 1 then
    local file <close> = io.open(path, "wb")
    file:write(OLD)
  end
  local what = pick { case.url .. "/storage/v.mp4?Expires=1",
    case.url .. "/storage/v.mp4?Expires=1",
    { task_id = case.id, kind = "template" }, { file_id = "335797537439947" } }
  for _ = 1, case.random(3) do
    local before = read(path)
    local info = case:call("download", what, path, { timeout = case.timeout })
    check_file(case, path, before, info)
  end
end

calls["download to a function"] = function(case)
  local chunks = {}
  local info = case:call("download", case.url .. "/storage/v.mp4", function(chunk)
    chunks[#chunks + 1] = chunk
  end, { timeout = case.timeout })
  laws.beginning(table.concat(chunks), versions_of(case))
  if info then
    laws.video(table.concat(chunks), versions_of(case))
  end
end

function calls.generate(case)
  local path = case.folder .. "/generated.mp4"
  os.remove(path)
  os.remove(path .. ".part")
  local info, status = case:call("generate", request_of(case), path, { timeout = case.timeout })
  check_file(case, path, nil, info)
  if not info then
    local sent = case:sent "^POST"
    laws.once(sent)
    laws.no_part(sent[#sent], case.id, status)
    case.late = not case.disturbed and laws.named(sent[#sent], case.id, status) or case.late
  end
end

function calls.callback(case)
  for _ = 1, 20 do
    local body = plan.body("callback", case)
    local ok, reply, event = pcall(minimax.callback, body)
    if not ok then
      error("callback raised: " .. tostring(reply), 0)
    elseif reply == nil then
      laws.error(event)
    elseif event then
      laws.task(event)
      case.client:notify(event)
    end
  end
end

--- The names of all, sorted, those that matter most repeated.
calls.NAMES = { "submit", "submit", "submit", "submit", "query", "query", "wait", "wait", "each",
  "cancel", "list", "retrieve", "upload", "call", "download", "download", "download",
  "download to a function", "generate", "generate", "callback" }

return calls
