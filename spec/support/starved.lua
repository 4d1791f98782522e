--- Plays the module's calls in a process of its own, and lets one allocation or
-- one system call after the other fail in them:
--
--     lua spec/support/starved.lua URL CASE WAY FROM STEP [MOST]
--
-- For each number, `at N` is printed before it fails; a line that begins with a
-- word in capitals says what went wrong, and `done N` that there is no such number
-- any more. faulty.c is loaded ahead, and starving.lua reads it.

local fds = require "spec.support.fds"
local native = require "spec.support.native"
local picture = require "spec.support.picture"
local temp = require "spec.support.temp"

local starve = native.module "starve"

local URL, CASE, WAY = arg[1], arg[2], arg[3]
local FROM, STEP = math.tointeger(tonumber(arg[4])), math.tointeger(tonumber(arg[5]))
local MOST = math.tointeger(tonumber(arg[6])) or math.maxinteger
local PATIENCE = 20 -- seconds that a case may take
local FIRST = math.random(1, 1 << 33) << 20 -- of the numbers of tasks
local WARMING = 4 -- rounds until what is kept for good is there

local folder <close> = temp.folder()
local minimax = require "minimax"
local observer = minimax.new { base_url = URL, api_key = "sk-observer" }

local pet = folder:write("pet.png", picture.png() .. "\0\0\0\0IEND\xaeB\x60\x82")
local video = folder:file "lion.mp4"

local function request(number)
  return { template_id = "393769180141805569", media_inputs = { minimax.file(pet) },
    text_inputs = { "Lion" }, number = tostring(number) }
end

local function nothing() end

local function new_client(options)
  options = options or {}
  options.base_url, options.api_key = URL, "sk-spec-key"
  options.poll_interval, options.on_event = 0.002, nothing
  options.query = { group = "1", other = "two words" }
  options.headers = { ["X-Other"] = "text" }
  return minimax.new(options)
end

-- A task of the server's, which is done at the second look.
local function task(number, kind)
  return { task_id = "9" .. number, kind = kind or "template" }
end

-- Each returns what its call returned. `money` says that it submits.
local cases = {
  new = function()
    local client <close> = new_client { auth = { header = "X-Key", scheme = "" },
      proxy = "http://bob:secret@127.0.0.1:1", ca_file = "/dev/null", submit_rate = { 5, 60 } }
    return tostring(client)
  end,
  submit = function(client, number)
    return client:submit(request(number))
  end,
  asked = function(client, number)
    return client:submit(request(number), { on_send = nothing })
  end,
  refused = function(client, number)
    return client:submit({ model = "refused", prompt = "x", number = number })
  end,
  dry = function(client, number)
    return client:submit(request(number), { dry_run = true })
  end,
  wait = function(client, number)
    return client:wait(task(number), { on_status = nothing })
  end,
  query = function(client, number)
    return client:query(task(number, "video2"))
  end,
  each = function(client, number)
    local list, seen = {}, 0
    for i = 1, 3 do
      list[i] = task(number .. i)
    end
    for _, status, err in client:each(list) do
      seen = seen + 1
      if not status then
        return nil, err
      end
    end
    return seen == 3 or nil, "seen " .. seen
  end,
  download = function(client)
    return client:download(URL .. "/video.mp4?Expires=1&sign=a%2Fb", video,
      { on_progress = nothing })
  end,
  resume = function(client)
    client:download(URL .. "/cut.mp4", video, { timeout = 0.05 })
    return client:download(URL .. "/video.mp4", video)
  end,
  sink = function(client, number)
    local length = 0
    return client:download({ file_id = tostring(number) }, function(chunk)
      length = length + #chunk
    end)
  end,
  redirect = function(client)
    return client:download(URL .. "/moved.mp4", video)
  end,
  generate = function(client, number)
    return client:generate(request(number), video, { interval = 0.002 })
  end,
  cancel = function(client, number)
    return client:cancel(task(number, "video2"))
  end,
  callback = function(client, number)
    client:callback('{"challenge":"abc"}')
    local _, event = client:callback(('{"task_id":"9%d","status":"Success"}'):format(number))
    client:notify(event)
    return event
  end,
  files = function(client, number)
    local file, err = client:upload(pet)
    if not file then
      return nil, err
    end
    return client:retrieve(tostring(number))
  end,
  list = function(client)
    return client:list { page_num = 1, task_ids = { "1", "2" }, status = "queued" }
  end,
  call = function(client)
    return client:call("POST", "/v1/echo", { query = { a = "b c", list = { 1, 2 }, d = true },
      body = { text = "x" } })
  end,
  run = function(client, number)
    local result, err
    local ran, why = pcall(minimax.run, function()
      minimax.spawn(minimax.sleep, 0.001)
      minimax.spawn(client.query, client, task(number .. 1))
      result, err = client:submit(request(number))
    end)
    if not ran and not result and not err then
      error(why, 0)
    end
    return result, err
  end,
  bare = function(client, number)
    local thread = coroutine.create(client.submit)
    local ok, result, err = coroutine.resume(thread, client, request(number))
    while ok and coroutine.status(thread) ~= "dead" do
      ok, result, err = coroutine.resume(thread)
    end
    if not ok then
      coroutine.close(thread)
      error(result, 0)
    end
    return result, err
  end,
  cqueues = function(client, number)
    local loop = require "cqueues".new()
    local result, err
    loop:wrap(function()
      result, err = client:submit(request(number))
    end)
    local failed
    repeat -- it stops at each coroutine that fails
      local ran, fine, why = pcall(loop.loop, loop)
      failed = failed or not ran and fine or not fine and why
    until loop:empty()
    if not result and not err then
      error(failed, 0)
    end
    return result, err
  end,
  dropped = function(client, number)
    local thread = coroutine.create(client.wait)
    coroutine.resume(thread, client, task(number))
    coroutine.close(thread)
    return true
  end,
  strange = function(client)
    return client:query { task_id = "1\"\\\1 \u{e9}/?" .. ("x"):rep(200), kind = "video" }
  end,
  local_errors = function(client)
    client:submit { model = "x", first_frame_image = minimax.file "/nonexistent" }
    client:submit { template_id = "1", media_inputs = { minimax.file(arg[0]) } }
    client:submit { model = "x", first_frame_image = "data:image/png;base64," .. ("A"):rep(70000) }
    client:download("https://127.0.0.1/x", "/nonexistent/x")
    return tostring(select(2, client:submit {})) ~= nil
  end,
}

local MONEY = { submit = true, asked = true, generate = true, run = true, bare = true,
  cqueues = true }

-- What survives a failure of libcurl's, or any interrupted call: it goes on.
local SURVIVES = { wait = true, each = true }

local function say(...)
  io.stdout:write(table.concat({ ... }, " "), "\n")
  io.stdout:flush()
end

-- ---- ways to fail ----

local arm, disarm
if WAY == "lua" then
  arm, disarm = starve.lua, starve.feed
elseif WAY:match "^burst" then -- so many, one after the other
  local count = math.tointeger(tonumber(WAY:match "%d+"))
  arm = function(n)
    starve.lua(n, count)
  end
  disarm = starve.feed
elseif WAY:match "^limit" then -- of bytes; what is freed may be used again
  local times = math.tointeger(tonumber(WAY:match "%d+"))
  arm = function(n)
    starve.limit(n * 64, times)
  end
  disarm = function()
    local _, failed = starve.feed()
    return failed > 0 and math.maxinteger or 0
  end
else -- "module malloc ENOMEM", "libcurl pipe2 EMFILE"
  local who, name, error = WAY:match "^(%S+) (%S+) (%S+)$"
  starve.watch(who == "libcurl" and "libcurl" or "minimax.so")
  arm = function(n)
    starve.call(name, error, n)
  end
  disarm = starve.stop
end

local watched = WAY:match "^libcurl" and "libcurl" or "minimax.so"
local play = assert(cases[CASE], "no such case")

local function posts_of(number)
  local counts = assert(observer:call("GET", "/count", { query = { number = number } }))
  return counts.posts
end

-- An accepted submit is never lost: where nothing can be allocated any more, or
-- libcurl could not read its answer, it is at least unknown.
local is_hopeless = WAY:match "^burst" ~= nil or WAY:match "^libcurl" ~= nil

local function check_money(n, number, outcome)
  local posts = posts_of(number)
  local id = "9" .. number
  local result, err = outcome[2], outcome[3]
  if posts > 1 then
    say("TWICE", n, posts)
  elseif posts == 1 and not (outcome[1] and (type(result) == "table"
    and (result.task_id == id or result.path and true)
    or type(err) == "table" and (err.task_id == id or is_hopeless and err.kind == "unknown")))
  then
    say("LOST", n, tostring(outcome[1]), tostring(outcome[1] and err or result))
  end
end

local function check_rest(n, round, before)
  if round <= WARMING then
    return
  end
  for fd, target in pairs(before) do
    if fds.list()[fd] ~= target then
      say("CLOSED", n, fd, target)
    end
  end
  local left = fds.since(before)
  if #left > 0 then
    say("LEFT", n, table.concat(left, ", "))
  end
end

-- libcurl 7.88 keeps what it could not note of a socket for as long as the engine
-- lives.
local SLACK = WAY:match "^libcurl" and 2 or 0
local most_blocks = 0

local function check_blocks(n, round, since)
  local blocks = starve.blocks()
  if os.getenv "VALGRIND" then -- it frees them itself, and sees leaks
    return
  elseif round <= WARMING then
    most_blocks = math.max(most_blocks, blocks)
  elseif blocks > most_blocks + SLACK then
    say("LEAKED", n, blocks - most_blocks)
    starve.name(since)
  end
  most_blocks = math.max(most_blocks, blocks)
end

local function one(n, round)
  local number = FIRST + round
  os.remove(video)
  os.remove(video .. ".part")
  collectgarbage()
  collectgarbage()
  local before = fds.list()
  local client = CASE ~= "new" and new_client() or nil
  if client then
    client:query(task(number .. 0)) -- a used connection
  end
  collectgarbage()
  local _, since = starve.blocks()
  starve.watchdog(PATIENCE)
  arm(n)
  local ran, result, err = pcall(play, client, number)
  local count = disarm() -- nothing was allocated here in between
  local outcome = { ran, result, err }
  result, err = nil, nil -- luacheck: ignore
  say("was", n, tostring(outcome[2]):sub(1, 200), tostring(outcome[3]):sub(1, 300))
  if MONEY[CASE] then
    check_money(n, number, outcome)
  end
  if SURVIVES[CASE] and WAY:match "^libcurl" and not (outcome[1] and outcome[2]) then
    say("ENDED", n, tostring(outcome[2]), tostring(outcome[3]))
  end
  outcome = nil -- luacheck: ignore
  -- What it has broken for good shows in a call that nothing disturbs.
  do
    local other <close> = new_client()
    local fine, status, why = pcall(other.query, other, task(number .. 4))
    if not (fine and status) then
      say("BROKEN", n, tostring(status), tostring(why))
    end
  end
  if client then
    client:close()
  end
  client = nil -- luacheck: ignore
  collectgarbage()
  collectgarbage()
  check_rest(n, round, before)
  check_blocks(n, round, since)
  return count
end

minimax.configure { base_url = URL, api_key = "sk-spec-key" }
starve.watch(watched)
assert(observer:call("GET", "/count", { query = { number = 0 } }))
local round = 0
for _ = 1, WARMING do
  round = round + 1
  one(math.maxinteger // 4096, round)
end
local n = FROM
while n <= MOST do
  say("at", n)
  round = round + 1
  local count = one(n, round)
  if count < n then
    break
  end
  n = n + STEP
end
say("done", n)
