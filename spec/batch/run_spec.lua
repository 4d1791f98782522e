-- Runs against the emulator: what becomes of jobs, and what stops a run.

local batch = require "minimax.batch"
local emulator = require "minimax.emulator"
local lfs = require "lfs"
local minimax = require "minimax"
local process = require "spec.support.process"
local temp = require "spec.support.temp"

local IMAGE = "doc/examples/pet.jpg"
local QUICK = { poll_interval = 0.05 }

describe("a run", function()
  local emu, before, folder, client, b, events

  lazy_setup(function()
    emu = assert(emulator.start { seconds = 0.1, speed = 1, video_bytes = 5000 })
  end)
  lazy_teardown(function() emu:stop() end)

  before_each(function()
    emu:clear()
    before = #emu:tasks()
    folder = temp.folder()
    client = minimax.new { base_url = emu.base_url, api_key = emu.api_key, retries = 0 }
    b = assert(batch.open(folder:file "ledger.db", client))
    events = {}
  end)
  after_each(function()
    b:close()
    client:close()
    folder:close()
  end)

  -- The tasks of this spec.
  local function tasks()
    local all = emu:tasks()
    return table.move(all, before + 1, #all, 1, {})
  end

  local function request(word, media)
    return { template_id = "393769180141805569", text_inputs = { word or "Lion" },
      media_inputs = { media or minimax.file(IMAGE) } }
  end

  local function add(key, body)
    assert(b:add { key = key, request = body or request(), output = folder:file(key .. ".mp4") })
  end

  local function run(options)
    local given = { on_event = function(event) events[#events + 1] = event end }
    for _, table in ipairs { QUICK, options or {} } do
      for name, value in pairs(table) do
        given[name] = value
      end
    end
    return b:run(given)
  end

  local function job(key)
    for found in b:jobs() do
      if found.key == key then
        return found
      end
    end
  end

  local function told(kind)
    local found = {}
    for _, event in ipairs(events) do
      if event.type == kind then
        found[#found + 1] = event
      end
    end
    return found
  end

  it("brings every job from added to downloaded", function()
    for number = 1, 5 do
      add("job" .. number)
    end
    local counts, reason, err = run()
    assert.equal("done", reason)
    assert.is_nil(err)
    assert.same({ 5, 5 }, { counts.downloaded, counts.total })
    for number = 1, 5 do
      assert.equal(5000, lfs.attributes(folder:file("job" .. number .. ".mp4"), "size"))
    end
    assert.equal(5, #tasks())
    local row = job "job3"
    assert.same({ 5000, 1, "template" }, { row.bytes, row.attempt, row.kind })
    assert.matches("^%d+$", row.task_id)
  end)

  it("does so for every kind of task", function()
    add "template"
    add("video", { model = "MiniMax-Hailuo-02", prompt = "A lion",
      first_frame_image = minimax.file(IMAGE) })
    add("video2", { model = "MiniMax-H3", resolution = "768P", duration = 4, ratio = "16:9",
      content = { { type = "text", text = "A lion" } } })
    assert.equal(3, run().downloaded)
    for _, kind in ipairs { "template", "video", "video2" } do
      assert.same({ kind, 5000 }, { job(kind).kind, job(kind).bytes })
    end
  end)

  it("keeps the key out of the ledger, also in errors", function()
    emu:fault { endpoint = "submit", fault = "code", code = 1004,
      message = "no such key: " .. emu.api_key }
    add "a"
    run()
    run()
    b:close()
    for _, name in ipairs(folder:names()) do
      assert.is_nil(folder:read(name):find(emu.api_key, 1, true), name)
    end
  end)

  it("submits as often as the joint budget allows", function()
    for number = 1, 5 do
      add("job" .. number)
    end
    minimax.run(function()
      local co = minimax.spawn(run, { submit_rate = { 1, 3600 } })
      while #told "state" < 8 do -- two jobs come to their end
        minimax.sleep(0.01)
      end
      coroutine.close(co)
    end)
    assert.same({ 2, 3 }, { b:status().downloaded, b:status().added })
    assert.equal(2, #emu:requests { endpoint = "submit" })
    run { submit_rate = false }
    assert.equal(5, b:status().downloaded)
  end)

  it("asks as often as the joint budget allows", function()
    add "a"
    minimax.run(function()
      local co = minimax.spawn(run, { query_rate = { 1, 3600 }, poll_interval = 0.01 })
      while #emu:requests { endpoint = "query" } < 2 do
        minimax.sleep(0.01)
      end
      coroutine.close(co)
    end)
    assert.equal(2, #emu:requests { endpoint = "query" })
    local lane = b.ledger:row [=[SELECT next_at - $clock AS ahead FROM minimax_budgets
      WHERE lane = 'query']=]
    assert.is_true(lane.ahead > 3600) -- the third would wait so long
  end)

  it("tells each step of a job, in their order", function()
    add "a"
    run()
    local seen = {}
    for _, event in ipairs(told "state") do
      seen[#seen + 1] = event.state
      assert.equal("a", event.key)
      assert.equal("number", type(event.time))
    end
    assert.same({ "submitting", "submitted", "succeeded", "downloaded" }, seen)
    assert.equal("Success", told("status")[#told "status"].status)
  end)

  it("has the intent on the disk before the request leaves, and the id before anything", function()
    add "a"
    local seen = {}
    run { on_event = function(event)
      if event.type == "state" then
        seen[#seen + 1] = event.state .. ":" .. job("a").state .. ":" .. #tasks() .. ":"
          .. #emu:requests { endpoint = "query" }
      end
    end }
    assert.same({ "submitting:submitting:0:0", "submitted:submitted:1:0" }, { seen[1], seen[2] })
  end)

  -- The state and the id that another process finds in the ledger.
  local function on_disk()
    local other <close> = assert(batch.open(folder:file "ledger.db", client))
    local found = other:jobs()()
    return { found.state, found.task_id }
  end

  -- Runs until such a request is at the server, which never answers it. Returns
  -- what was on the disk by then; nil where none came.
  local function run_until(endpoint, options)
    emu:fault { endpoint = endpoint, fault = "hang", attempt = "all" }
    local found
    minimax.run(function()
      local co = minimax.spawn(run, options)
      local deadline = os.time() + 5
      while not found and coroutine.status(co) ~= "dead" and os.time() < deadline do
        minimax.sleep(0.01)
        found = #emu:requests { endpoint = endpoint } > 0 and on_disk() or nil
      end
      coroutine.close(co)
    end)
    return found
  end

  it("has the intent on the disk when the request is at the server", function()
    add "a"
    assert.same({ "submitting" }, run_until "submit")
  end)

  it("has the id on the disk before anybody hears of it, and before a query leaves", function()
    add "a"
    local heard
    local found = run_until("query", { on_event = function(event)
      heard = heard or event.task_id and { event.task_id, on_disk() }
    end })
    local id = tasks()[1].task_id
    assert.same({ id, { "submitted", id } }, heard)
    assert.same({ "submitted", id }, found)
  end)

  it("goes on where an earlier one stopped, and repeats nothing", function()
    add "a"
    run()
    emu:clear()
    local counts, reason = run()
    assert.same({ 1, "done" }, { counts.downloaded, reason })
    assert.same({}, emu:requests())
    add "b"
    run()
    assert.equal(1, #emu:requests { endpoint = "submit" })
    assert.equal(1, #emu:requests { endpoint = "storage" })
  end)

  it("works on no more jobs at a time than it may", function()
    for number = 1, 6 do
      add("job" .. number)
    end
    local open, most = {}, 0
    run { max_in_flight = 2, on_event = function(event)
      if event.type == "state" then
        open[event.key] = event.state ~= "downloaded" or nil
        local count = 0
        for _ in pairs(open) do
          count = count + 1
        end
        most = math.max(most, count)
      end
    end }
    assert.equal(2, most)
    assert.equal(6, #tasks())
  end)

  for _, case in ipairs {
    { "reset", true }, { "close", true }, { "cut", true }, { "empty", true }, { "html", false },
    { "no_task_id", true }, { "status_500", false },
  } do
    it("never submits again after '" .. case[1] .. "': the job is unknown", function()
      emu:fault { endpoint = "submit", fault = case[1] }
      add "a"
      add "b"
      local counts, reason = run { max_in_flight = 1 }
      assert.same({ 1, 1, "done" }, { counts.unknown, counts.downloaded, reason })
      assert.equal(2, #emu:requests { endpoint = "submit" })
      assert.equal("unknown", job("a").err.kind)
      run()
      assert.equal(2, #emu:requests { endpoint = "submit" })
      if case[2] then
        assert.is_true(b:adopt("a", tasks()[1].task_id))
      else
        assert.equal("added", b:retry "a")
      end
      assert.equal(2, run().downloaded)
      assert.equal(2, #tasks())
    end)
  end

  for _, case in ipairs {
    { 1004, "auth" }, { 1008, "balance" }, { 2056, "quota" },
  } do
    it("stops at a refusal that is not about the job: " .. case[2], function()
      emu:fault { endpoint = "submit", fault = "code", code = case[1], attempt = "all" }
      add "a"
      add "b"
      local counts, reason, err = run { max_in_flight = 1 }
      assert.same({ 2, case[2] }, { counts.added, reason })
      assert.same({ case[2], case[1] }, { err.kind, err.code })
      assert.equal(1, #emu:requests { endpoint = "submit" })
      emu:clear()
      assert.equal(2, run().downloaded)
    end)
  end

  it("stops at a certificate that is wrong", function()
    local tls <close> = emulator.start { tls = true }
    local secure <close> = minimax.new { base_url = tls.base_url, api_key = tls.api_key }
    add "a"
    b:close()
    b = assert(batch.open(folder:file "ledger.db", secure))
    local counts, reason = run()
    assert.same({ 1, "tls" }, { counts.added, reason })
  end)

  it("stops a query's refusal too, and keeps the task", function()
    emu:fault { endpoint = "query", fault = "code", code = 1004, attempt = "all" }
    add "a"
    local counts, reason = run()
    assert.same({ 1, "auth" }, { counts.submitted, reason })
    emu:clear()
    assert.equal(1, run().downloaded)
    assert.equal(1, #tasks())
  end)

  it("fails a job by what is about the job alone", function()
    emu:fault { endpoint = "submit", fault = "code", code = 1026, message = "not that" }
    add "a"
    add "b"
    local counts, reason = run { max_in_flight = 1 }
    assert.same({ 1, 1, "done" }, { counts.failed, counts.downloaded, reason })
    assert.equal("content", job("a").err.kind)
    assert.matches("not that", job("a").err.message, 1, true)
    assert.is_nil(job("a").task_id)
  end)

  it("keeps an error as an error: it prints as one line, with the server's code", function()
    emu:fault { endpoint = "submit", fault = "code", code = 1026, message = "not that" }
    add "a"
    run()
    local err = job("a").err
    assert.same({ "content", 1026, 200, "submit", false },
      { err.kind, err.code, err.http_status, err.stage, err.retryable })
    assert.matches("^minimax submit: not that[^\n]* %(content, code 1026, HTTP 200, trace %x+%)$",
      tostring(err))
    assert.equal(err.trace_id, tostring(err):match("trace (%x+)"))
    assert.equal(tostring(err) .. "!", err .. "!")
    emu:fault { endpoint = "submit", fault = "fail", code = 1027 }
    assert.equal("added", b:retry "a")
    run()
    err = job("a").err
    assert.same({ "failed", 1027, job("a").task_id }, { err.kind, err.code, err.task_id })
    assert.matches(", code 1027.*, task " .. err.task_id, tostring(err))
  end)

  it("fails a job whose task fails, with the server's reason", function()
    emu:fault { endpoint = "submit", fault = "fail", code = 1027 }
    add "a"
    assert.equal(1, run().failed)
    local row = job "a"
    assert.equal("failed", row.err.kind)
    assert.matches("the task ended as 'Fail'", row.err.message, 1, true)
    assert.equal("added", b:retry "a")
    assert.equal(1, run().downloaded)
    assert.equal(2, #tasks())
  end)

  it("fails a job whose image breaks a rule, and sends nothing", function()
    local bad = folder:write("bad.jpg", "no image at all")
    add("a", request("Lion", minimax.file(bad)))
    local counts = run()
    assert.equal(1, counts.failed)
    assert.equal("invalid", job("a").err.kind)
    assert.same({}, emu:requests())
  end)

  it("fails a job with a value that no request can hold", function()
    add("a", { template_id = 1.5 })
    assert.equal(1, run().failed)
    assert.equal("invalid", job("a").err.kind)
    assert.same({}, emu:requests())
  end)

  it("leaves a job whose input is missing, with a warning, and pays nothing", function()
    local pet = folder:write("pet.jpg", assert(io.open(IMAGE, "rb")):read("a"))
    add("a", request("Lion", minimax.file(pet)))
    add "b"
    os.rename(pet, pet .. ".away")
    local counts, reason = run()
    assert.same({ 1, 1, "left" }, { counts.added, counts.downloaded, reason })
    assert.matches("pet.jpg: No such file", told("warning")[1].err.message, 1, true)
    assert.matches("pet.jpg: No such file", job("a").err.message, 1, true)
    os.rename(pet .. ".away", pet)
    assert.equal(2, run().downloaded)
    assert.is_nil(job("a").err)
  end)

  it("leaves a job whose input holds something else by now, and pays nothing", function()
    local image = assert(io.open(IMAGE, "rb")):read "a"
    local pet = folder:write("pet.jpg", image)
    add("a", request("Lion", minimax.file(pet)))
    folder:write("pet.jpg", image:sub(1, -11) .. "?" .. image:sub(-9)) -- an image still
    local counts, reason = run()
    assert.same({ 1, "left" }, { counts.added, reason })
    assert.matches("pet.jpg has changed since it was added", job("a").err.message, 1, true)
    assert.same({}, emu:requests())
    local err
    counts, reason, err = run { dry_run = true }
    assert.same({ 1, "dry_run", "io" }, { counts.refused, reason, err.kind })
    folder:write("pet.jpg", image)
    assert.equal(1, run().downloaded)
  end)

  it("pays nothing where the output can't be written, or exists", function()
    add "a"
    assert(b:add { key = "b", request = request(), output = folder:file "none/b.mp4" })
    folder:write("a.mp4", "somebody's film")
    local counts = run()
    assert.equal(2, counts.failed)
    assert.same({}, emu:requests())
    assert.same({ "io", "io" }, { job("a").err.kind, job("b").err.kind })
    assert.matches("exists already; nothing was submitted", job("a").err.message, 1, true)
    assert.matches("can't be written (No such file or directory)", job("b").err.message, 1, true)
    assert.equal("somebody's film", folder:read "a.mp4")
    os.remove(folder:file "a.mp4")
    lfs.mkdir(folder:file "none")
    b:retry "a"
    b:retry "b"
    assert.equal(2, run().downloaded)
  end)

  it("keeps the task of a job whose output folder is gone by then", function()
    lfs.mkdir(folder:file "out")
    assert(b:add { key = "a", request = request(), output = folder:file "out/a.mp4" })
    run { on_event = function(event)
      if event.state == "submitted" then
        lfs.rmdir(folder:file "out")
      end
    end }
    assert.same({ "failed", "io" }, { job("a").state, job("a").err.kind })
    lfs.mkdir(folder:file "out")
    assert.equal("succeeded", b:retry "a")
    assert.equal(1, run().downloaded)
    assert.equal(1, #tasks())
  end)

  -- As a crash leaves it between the name of the file and the step after it.
  local function crash_before_the_last_step(key)
    assert.equal(1, b.ledger:run([=[UPDATE minimax_jobs SET state = 'succeeded'
      WHERE key = ? AND state = 'downloaded']=], key))
    emu:clear()
  end

  it("takes a video that was whole before a crash for what it is", function()
    add "a"
    run()
    crash_before_the_last_step "a"
    assert.equal(1, run().downloaded)
    assert.equal(5000, job("a").bytes)
    assert.same({}, emu:requests { endpoint = "storage" })
  end)

  it("knows its video by its bytes, not by how it begins or how long it is", function()
    add "a"
    run()
    local video = folder:read "a.mp4"
    folder:write("a.mp4", video:sub(1, -2) .. "?")
    crash_before_the_last_step "a"
    assert.equal(1, run().failed)
    assert.matches("is not this job's video", job("a").err.message, 1, true)
    os.rename(folder:file "a.mp4", folder:file "theirs.mp4")
    assert.equal("succeeded", b:retry "a")
    assert.equal(1, run().downloaded)
    assert.equal(video, folder:read "a.mp4")
    assert.equal(1, #tasks())
  end)

  for what, text in pairs { ["a note"] = "a note to myself", ["eight bytes"] = "\0\0\0\24ftyp",
    ["a video"] = "\0\0\0\24ftypisom" .. ("\0"):rep(100) } do
    it("takes " .. what .. " that comes to its output for nobody's video", function()
      add "a"
      run { on_event = function(event)
        if event.state == "succeeded" and event.type == "state" then
          folder:write("a.mp4", text)
        end
      end }
      assert.same({ "failed", "io" }, { job("a").state, job("a").err.kind })
      assert.equal(text, folder:read "a.mp4")
      os.remove(folder:file "a.mp4")
      assert.equal("succeeded", b:retry "a")
      assert.equal(1, run().downloaded)
      assert.equal(1, #tasks())
    end)
  end

  it("forgets the video of a task that is paid for anew", function()
    add "a"
    run()
    assert(b.ledger:run "UPDATE minimax_jobs SET state = 'failed'")
    os.remove(folder:file "a.mp4")
    assert.equal("added", b:retry("a", { resubmit = true }))
    local row = b.ledger:find "a"
    assert.same({ nil, nil }, { row.bytes, row.digest })
  end)

  it("pays for one of the jobs whose outputs are one file", function()
    lfs.mkdir(folder:file "out")
    lfs.link("out", folder:file "link", true)
    for key, path in pairs { a = "out/x.mp4", b = "link/x.mp4", c = "out/../out/x.mp4" } do
      assert(b:add { key = key, request = request(), output = folder:file(path) })
    end
    local counts, _, err = run { dry_run = true }
    assert.same({ 3, 2, "io" }, { counts.checked, counts.refused, err.kind })
    counts = run()
    assert.same({ 1, 2 }, { counts.downloaded, counts.failed })
    assert.equal(1, #tasks())
    for _, key in ipairs { "a", "b", "c" } do
      local row = job(key)
      assert.equal(row.state == "failed", row.err ~= nil)
      assert.is_nil(row.err and not row.err.message:find("by another name", 1, true)
        and not row.err.message:find("exists already", 1, true) or nil)
    end
  end)

  it("pays for one of them where the file system knows no capitals", function()
    local look = minimax._place
    local fake = stub(minimax, "_place", function(path)
      local place, taken, errno = look(path)
      for name in lfs.dir(path:match "^(.*)/") do
        taken = taken or name:lower() == path:match("[^/]*$"):lower()
      end
      return place, taken, errno
    end)
    add "a"
    add "A"
    add "b"
    local counts = run()
    fake:revert()
    assert.same({ 2, 1 }, { counts.downloaded, counts.failed })
    assert.equal(2, #tasks())
  end)

  it("pays for each of them where it does know them", function()
    add "a"
    add "A"
    assert.equal(2, run().downloaded)
  end)

  it("pays for one of them also where they run at the same time", function()
    lfs.link(".", folder:file "here", true)
    for number = 1, 4 do
      local path = ("here/"):rep(number - 1) .. "x.mp4"
      assert(b:add { key = "job" .. number, request = request(), output = folder:file(path) })
    end
    local counts = run { max_in_flight = 4 }
    assert.same({ 1, 3 }, { counts.downloaded, counts.failed })
    assert.equal(1, #tasks())
    for number = 2, 4 do
      assert.matches("is that of job 'job1' by another name", job("job" .. number).err.message, 1,
        true)
    end
  end)

  it("writes no file of another ledger's over, and gets its own video later", function()
    local other <close> = assert(batch.open(folder:file "other.db", client))
    add "a"
    assert(other:add { key = "a", request = request "Bear", output = folder:file "a.mp4" })
    local theirs
    local counts = run { on_event = function(event)
      if event.type == "state" and event.state == "submitted" and not theirs then
        theirs = other:run(QUICK)
      end
    end }
    assert.same({ 1, 1 }, { theirs.downloaded, counts.failed })
    assert.matches("is not this job's video", job("a").err.message, 1, true)
    os.rename(folder:file "a.mp4", folder:file "theirs.mp4")
    assert.equal("succeeded", b:retry "a")
    assert.equal(1, run().downloaded)
    assert.equal(2, #tasks())
  end)

  it("pays nothing for an output that is a link to nowhere, or can't be looked at", function()
    lfs.link("none", folder:file "a.mp4", true)
    add "a"
    folder:write("file", "x")
    assert(b:add { key = "b", request = request(), output = folder:file "file/b.mp4" })
    assert.equal(2, run().failed)
    assert.same({}, emu:requests())
    assert.matches("exists already", job("a").err.message, 1, true)
    assert.matches("can't be written (Not a directory)", job("b").err.message, 1, true)
  end)

  it("pays for no more while no video can be fetched", function()
    emu:fault { endpoint = "storage", fault = "html", attempt = "all" }
    for number = 1, 9 do
      add("job" .. number)
    end
    local counts, reason = run { max_in_flight = 1, poll_interval = 0.01 }
    assert.same({ 3, 6, "left" }, { counts.succeeded, counts.added, reason })
    assert.equal(3, #tasks())
    emu:clear()
    counts, reason = run()
    assert.same({ 9, "done" }, { counts.downloaded, reason })
    assert.equal(9, #tasks())
  end)

  it("renews a link that has expired", function()
    emu:fault { endpoint = "storage", fault = "expired" }
    add "a"
    assert.equal(1, run().downloaded)
  end)

  it("goes on through polls that fail", function()
    emu:fault { endpoint = "query", fault = "status_503", attempt = { 1, 2 } }
    emu:fault { endpoint = "query", fault = "html", attempt = 3 }
    add "a"
    local counts = run()
    assert.equal(1, counts.downloaded)
    assert.is_true(#told "warning" >= 3)
  end)

  for _, page in ipairs { "status_422", "status_400", "status_404" } do
    it("takes a page (" .. page .. ") for no word about a task that is paid", function()
      emu:fault { endpoint = "query", fault = page, attempt = { 1, 2 } }
      emu:fault { endpoint = "storage", fault = page, attempt = { 1, 2 } }
      add "a"
      local counts, reason = run()
      assert.same({ 1, "done" }, { counts.downloaded, reason })
      assert.equal(1, #tasks())
      assert.is_true(#told "warning" >= 2)
    end)
  end

  it("pays no second time for a task whose query was refused in the API's words", function()
    emu:fault { endpoint = "query", fault = "code", code = 1027, attempt = "all" }
    add "a"
    assert.equal(1, run().failed)
    assert.equal("content", job("a").err.kind)
    emu:clear()
    assert.equal("submitted", b:retry "a")
    assert.equal(1, run().downloaded)
    assert.equal(1, #tasks())
  end)

  it("leaves a video that can't be fetched for the next run", function()
    emu:fault { endpoint = "storage", fault = "html", attempt = "all" }
    add "a"
    local counts, reason = run()
    assert.same({ 1, "left" }, { counts.succeeded, reason })
    assert.equal("protocol", job("a").err.kind)
    emu:clear()
    assert.equal(1, run().downloaded)
    assert.equal(1, #tasks())
  end)

  it("leaves a task that does not end in time for the next run", function()
    local slow <close> = assert(emulator.start { seconds = 3600, speed = 1 })
    local patient <close> = minimax.new { base_url = slow.base_url, api_key = slow.api_key }
    b:close()
    b = assert(batch.open(folder:file "ledger.db", patient))
    add "a"
    local counts, reason = run { wait_timeout = 1 }
    assert.same({ 1, "left" }, { counts.submitted, reason })
    assert.equal("timeout", job("a").err.kind)
    slow:advance(3600)
    assert.equal(1, run().downloaded)
  end)

  it("waits while the server limits the rate, and leaves nothing in submitting", function()
    emu:fault { endpoint = "submit", fault = "code", code = 1002, attempt = "all" }
    add "a"
    local seen, co = {}, nil
    minimax.run(function()
      co = minimax.spawn(run, { on_event = function(event)
        seen[#seen + 1] = event.type == "state" and event.state
          or event.err.kind .. " while " .. job("a").state
      end })
      while not seen[3] do
        minimax.sleep(0.01)
      end
      coroutine.close(co)
    end)
    assert.same({ "submitting", "added", "rate_limit while added" }, seen)
    assert.equal("added", job("a").state)
    assert.equal(1, #emu:requests { endpoint = "submit" })
    assert.is_true(b.ledger:row("SELECT held_until - $clock AS left FROM minimax_budgets").left > 1)
  end)

  it("keeps jobs added while the server can't be reached, and gives up in time", function()
    local dead <close> = minimax.new { base_url = "http://127.0.0.1:1", api_key = "sk-spec" }
    add "a"
    b:close()
    b = assert(batch.open(folder:file "ledger.db", dead))
    local counts, reason, err = run { patience = 1 }
    assert.same({ 1, "network", "network" }, { counts.added, reason, err.kind })
  end)

  it("is as patient after hours in which the machine was asleep", function()
    emu:fault { endpoint = "query", fault = "status_503", attempt = { 1, 2, 3 } }
    add "a"
    local time, asleep = os.time, 0
    local fake = stub(os, "time", function() return time() + asleep end)
    local counts, reason = run { on_event = function(event)
      asleep = asleep + (event.type == "warning" and 100000 or 0)
    end }
    fake:revert()
    assert.same({ 1, "done" }, { counts.downloaded, reason })
    assert.is_true(asleep >= 300000)
  end)

  it("prolongs its leases in time also where its loop is slow", function()
    add "a"
    local time, ahead, prolonged = os.time, 0, 0
    local fake = stub(os, "time", function() return time() + ahead end)
    local write = b.ledger.db.run
    b.ledger.db.run = function(db, sql, ...)
      prolonged = prolonged + (sql:find("SET lease", 1, true) and 1 or 0)
      return write(db, sql, ...)
    end
    run { lease = 4000, poll_interval = 1.2, on_event = function(event)
      ahead = event.state == "submitted" and 1001 or ahead -- while a tick was counted
    end }
    fake:revert()
    assert.equal(1, prolonged)
  end)

  it("counts how long an attempt to reach the ledger takes", function()
    add "a"
    local time, ahead, attempts = os.time, 0, 0
    local fake = stub(os, "time", function() return time() + ahead end)
    local read = b.ledger.db.rows
    b.ledger.db.rows = function(db, sql, ...)
      if not sql:find "WITH free" then
        return read(db, sql, ...)
      end
      attempts, ahead = attempts + 1, ahead + 5 -- so long does libpq try
      return nil, { kind = "io", message = "no connection", transient = true }
    end
    local _, reason = run { patience = 8 }
    fake:revert()
    assert.same({ "io", 3 }, { reason, attempts })
  end)

  -- What the run says of itself until it has said that.
  local function said(words, options)
    local co
    local deadline = os.time() + 30
    minimax.run(function()
      co = minimax.spawn(run, options)
      local found
      repeat
        assert(os.time() < deadline, "not said: " .. words)
        minimax.sleep(0.01)
        for _, event in ipairs(told "warning") do
          found = found or not event.key and event.err.message:find(words, 1, true)
        end
      until found
      coroutine.close(co)
    end)
    return #told "warning"
  end

  it("says that it waits for a turn, once", function()
    for number = 1, 5 do
      add("job" .. number)
    end
    assert.equal(1, said("the next submit may leave in ", { submit_rate = { 1, 3600 } }))
  end)

  it("says that it waits for its ledger, and why", function()
    add "a"
    local read = b.ledger.db.rows
    b.ledger.db.rows = function(db, sql, ...)
      if not sql:find "WITH free" then
        return read(db, sql, ...)
      end
      return nil, { kind = "io", message = "no connection", transient = true }
    end
    local time, ahead = os.time, 0
    local fake = stub(os, "time", function() -- each attempt takes long
      ahead = ahead + 15
      return time() + ahead
    end)
    local _, reason = run { patience = 40 }
    fake:revert()
    assert.equal("io", reason)
    assert.same({ "the run waits for its ledger: no connection" },
      { told "warning"[1].err.message, told "warning"[2] })
  end)

  it("does not wait for a turn that a clock once ahead has left behind", function()
    add "a"
    assert(b.ledger:run [=[INSERT INTO minimax_budgets (account, lane, count, seconds, next_at,
      held_until) VALUES ('default', 'submit', 10, 1, $clock + 28800, $clock - 1)]=])
    local counts, reason = run()
    assert.same({ 1, "done" }, { counts.downloaded, reason })
    assert.same({}, told "warning")
  end)

  it("submits nothing at all where more would have to be than it may", function()
    for number = 1, 4 do
      add("job" .. number)
    end
    local counts, reason, err = run { max_submits = 3 }
    assert.same({ 4, "max_submits", "invalid" }, { counts.added, reason, err.kind })
    assert.equal("4 jobs are to be submitted, and max_submits allows 3: nothing was submitted",
      err.message)
    assert.same({}, emu:requests())
    counts, reason, err = run { max_submits = 3, dry_run = true }
    assert.same({ 4, 0, "dry_run", "invalid" },
      { counts.checked, counts.refused, reason, err.kind })
    assert.matches("max_submits allows 3", err.message, 1, true)
    counts, reason = run { max_submits = 4 }
    assert.same({ 4, "done" }, { counts.downloaded, reason })
  end)

  it("pays for no more than it may, also where jobs are added meanwhile", function()
    add "first"
    local added = 1
    local counts, reason = run { max_submits = 3, max_in_flight = 1, on_event = function(event)
      if event.state == "submitting" and added < 5 then
        added = added + 1
        add("job" .. added)
      end
    end }
    assert.same({ 3, 1, "max_submits" }, { counts.downloaded, counts.added, reason })
    assert.equal(3, #tasks())
  end)

  it("counts no submit that was refused among those that it may make", function()
    emu:fault { endpoint = "submit", fault = "code", code = 1026, attempt = 1 }
    add "a"
    add "b"
    add "c"
    local counts, reason = run { max_submits = 3, max_in_flight = 1, on_event = function(event)
      if event.err and event.key == "a" then
        add "d"
      end
    end }
    assert.same({ 3, 1, "done" }, { counts.downloaded, counts.failed, reason })
    assert.equal(3, #tasks())
  end)

  it("brings home what is paid for, also where it may submit nothing", function()
    emu:fault { endpoint = "query", fault = "code", code = 1004, attempt = "all" }
    add "a"
    run()
    emu:clear()
    add "b"
    local counts, reason = run { max_submits = 0 }
    assert.same({ 1, 1, "max_submits" }, { counts.downloaded, counts.added, reason })
    assert.equal(0, #emu:requests { endpoint = "submit" })
  end)

  it("checks without paying in a dry run, and only doubts what the catalogue lacks", function()
    add "good"
    add("doubtful", { template_id = "1", text_inputs = { "x" } })
    add("bad", request("Lion", minimax.file(folder:write("bad.jpg", "no image"))))
    local counts, reason, err = run { dry_run = true }
    assert.equal("dry_run", reason)
    assert.same({ 3, 1, 1, 3 },
      { counts.checked, counts.refused, counts.doubtful, counts.added })
    assert.matches("bad.jpg' is neither an image", err.message, 1, true)
    assert.equal("doubtful", told("warning")[1].key)
    assert.equal("bad", told("refused")[1].key)
    counts = run { dry_run = true, strict = true }
    assert.equal(2, counts.refused)
    assert.same({}, emu:requests())
  end)

  it("refuses what the catalogue lacks where it is strict", function()
    add "good"
    add("doubtful", { template_id = "1", text_inputs = { "x" } })
    local counts = run { strict = true }
    assert.same({ 1, 1 }, { counts.downloaded, counts.failed })
    assert.matches("template 1 is not in the catalogue", job("doubtful").err.message, 1, true)
  end)

  it("is the only one on a ledger in a file", function()
    add "a"
    local other <close> = assert(batch.open(folder:file "ledger.db", client))
    local refused
    run { on_event = function(event)
      if event.state == "submitted" then
        refused = table.pack(other:run(QUICK))
        assert.equal(1, other:status().submitted)
        assert(other:add { key = "b", request = request(), output = folder:file "b.mp4" })
      end
    end }
    assert.is_nil(refused[1])
    assert.equal("another process is running this ledger", refused[2].message)
    assert.equal(2, other:run(QUICK).downloaded)
  end)

  it("waits for another process that writes to the ledger", function()
    add "a"
    add "b"
    b.ledger.db:rows "PRAGMA busy_timeout = 1"
    local other = assert(require "minimax.batch.sqlite".open(folder:file "ledger.db"))
    local held, refused = false, 0
    local write = b.ledger.db.run
    b.ledger.db.run = function(...)
      local count, err = write(...)
      refused = refused + (err and 1 or 0)
      return count, err
    end
    minimax.run(function()
      local co = minimax.spawn(run, { max_in_flight = 1, on_event = function(event)
        if event.state == "submitting" and not held then
          held = true
          assert(other:run "BEGIN IMMEDIATE")
        end
      end })
      while refused < 2 do
        minimax.sleep(0.01)
      end
      assert.same({ 1, 1 }, { #tasks(), b:status().submitting })
      assert(other:run "COMMIT")
      while coroutine.status(co) ~= "dead" do
        minimax.sleep(0.01)
      end
    end)
    other:close()
    assert.same({ 2, 0 }, { b:status().downloaded, b:status().unknown })
    assert.equal(2, #tasks())
  end)

  -- Runs while another process writes to the ledger: from the first submit on, for
  -- so many statements of this one that find it locked.
  local function run_locked(locked, options)
    b.ledger.db:rows "PRAGMA busy_timeout = 1"
    local other = assert(require "minimax.batch.sqlite".open(folder:file "ledger.db"))
    local held, refused = false, 0
    local function counted(name)
      local work = b.ledger.db[name]
      b.ledger.db[name] = function(...)
        local result, err = work(...)
        if err then
          refused = refused + 1
          if refused == locked then
            assert(other:run "COMMIT")
          end
        end
        return result, err
      end
    end
    counted "rows"
    counted "run"
    options.on_event = function(event)
      events[#events + 1] = event
      if event.state == "submitting" and not held then
        held = true
        assert(other:run "BEGIN IMMEDIATE")
      end
    end
    local results = table.pack(run(options))
    other:close()
    assert.is_true(refused >= locked)
    return table.unpack(results, 1, results.n)
  end

  it("takes a refusal's intent back as soon as another process lets it", function()
    emu:fault { endpoint = "submit", fault = "code", code = 1008, attempt = "all" }
    add "a"
    local counts, reason, err = run_locked(2, { max_in_flight = 1 })
    assert.same({ 1, "balance", 1008 }, { counts.added, reason, err.code })
    emu:clear()
    assert.equal(1, run().downloaded)
    assert.equal(1, #tasks())
  end)

  it("records that a job was refused as soon as another process lets it", function()
    emu:fault { endpoint = "submit", fault = "code", code = 1026, attempt = "all" }
    add "a"
    local counts, reason = run_locked(2, { max_in_flight = 1 })
    assert.same({ 1, "done" }, { counts.failed, reason })
  end)

  -- The connection breaks after each such statement was made, the first time.
  local function lose_answers(pattern)
    local count = 0
    for _, name in ipairs { "rows", "run" } do
      local work, lost = b.ledger.db[name], {}
      b.ledger.db[name] = function(db, sql, ...)
        local result, err = work(db, sql, ...)
        local made = type(result) == "table" and result[1] or result == 1
        if made and sql:find(pattern) and not lost[sql] then
          lost[sql], count = true, count + 1
          return nil, { kind = "io", message = "the connection is lost", transient = true }
        end
        return result, err
      end
    end
    return function() return count end
  end

  for what, case in pairs {
    ["a claim"] = { "WITH free", 1 }, ["an intent"] = { "SET state = 'submitting'", 1 },
    ["an id"] = { "SET state = 'submitted'", 1 },
    ["a success"] = { "SET state = 'succeeded', succeeded_at", 1 },
    ["a whole video"] = { "SET state = 'succeeded', bytes", 1 },
    ["the end"] = { "SET state = 'downloaded'", 1 }, ["anything"] = { "UPDATE", 6 },
  } do
    it("comes to its end where the ledger's answer to " .. what .. " is lost", function()
      add "a"
      add "b"
      local lost = lose_answers(case[1])
      local counts, reason = run()
      assert.same({ 2, "done" }, { counts.downloaded, reason })
      assert.equal(2, #tasks())
      assert.is_true(lost() >= case[2])
      local downloaded = 0
      for _, event in ipairs(told "state") do
        downloaded = downloaded + (event.state == "downloaded" and 1 or 0)
      end
      assert.equal(2, downloaded)
    end)
  end

  it("warns once of an error in on_event, and goes on", function()
    add "a"
    local counts = run { on_event = function() error "mine" end }
    assert.equal(1, counts.downloaded)
  end)

  it("runs within minimax.run as well, beside others", function()
    add "a"
    local others = 0
    local counts = minimax.run(function()
      local done
      minimax.spawn(function()
        while not done do
          others = others + 1
          minimax.sleep(0.01)
        end
      end)
      local result = run()
      done = true
      return result
    end)
    assert.equal(1, counts.downloaded)
    assert.is_true(others > 3)
  end)

  it("makes what was being submitted unknown where it is interrupted", function()
    emu:fault { endpoint = "submit", fault = "hang", attempt = "all" }
    add "a"
    add "b"
    local co
    minimax.run(function()
      co = minimax.spawn(run, { max_in_flight = 1 })
      while #emu:requests { endpoint = "submit" } == 0 do
        minimax.sleep(0.01)
      end
      coroutine.close(co)
    end)
    assert.same({ 1, 1 }, { b:status().unknown, b:status().added })
    assert.matches("the run was interrupted", job("a").err.message, 1, true)
    local lock <close> = assert(b.ledger.dialect.lock(b.ledger.db))
    assert.truthy(lock)
  end)

  it("makes two jobs of no task that a server names twice", function()
    local first
    local echo = setmetatable({ submit = function(_, ...)
      local task, err = client:submit(...)
      first = first or task
      return task and first, err
    end }, { __index = function(_, name)
      return function(_, ...) return client[name](client, ...) end
    end })
    local other <close> = assert(batch.open(folder:file "ledger.db", echo))
    add "a"
    add "b"
    local counts, reason = other:run { poll_interval = 0.05, max_in_flight = 1 }
    assert.same({ 1, 1, "done" }, { counts.downloaded, counts.unknown, reason })
    assert.matches("named task " .. first.task_id .. ", but that is another job's",
      job("b").err.message, 1, true)
    assert.is_true(b:adopt("b", tasks()[2].task_id))
    assert.equal(2, run().downloaded)
  end)

  it("stops where its client is closed", function()
    add "a"
    local counts, reason = run { on_event = function(event)
      if event.state == "submitted" then
        client:close()
      end
    end }
    assert.same({ 1, "cancelled" }, { counts.submitted, reason })
  end)

  it("raises on an unknown option in the caller's line", function()
    local ok, why = pcall(function() b:run { max_inflight = 3 } end)
    assert.is_false(ok)
    assert.matches("run_spec.lua:%d+: .*run: unknown option 'max_inflight'", why)
  end)

  it("asks the module's default client where none was given", function()
    add "a"
    local result = process.run { env = emu.env, args = { folder:file "ledger.db" }, script = [[
      local b = assert(require "minimax.batch".open(arg[1]))
      print(b:run { poll_interval = 0.05 }.downloaded)
    ]] }
    assert.equal("1\n", result.out .. result.err)
  end)
end)
