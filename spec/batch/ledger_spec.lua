-- The ledger: jobs come in, are counted, looked at and set right.

local claims = require "minimax.batch.claims"
local database = require "minimax.batch.database"
local fds = require "spec.support.fds"
local ledger = require "minimax.batch.ledger"
local lfs = require "lfs"
local ledgers = require "spec.support.ledgers"
local native = require "spec.support.native"
local schema = require "minimax.batch.schema"
local process = require "spec.support.process"
local sqlite = require "minimax.batch.sqlite"
local temp = require "spec.support.temp"

local function job(key, more)
  local made = { key = key, request = '{"template_id":"1"}', output = key .. ".mp4",
    kind = "template" }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

local function files(digest)
  return '[{"at":["first_frame_image"],"bytes":3,"path":"x","sha256":"' .. digest .. '"}]'
end

local function specs_of(kind)
  local new, l = kind.new, nil

  before_each(function() l = assert(ledger.open(new())) end)
  after_each(function() l:close() end)

  -- A job that has come so far.
  local function brought(key, ...)
    assert(l:add(job(key)))
    local worker = claims.new(l, { name = "w", host = "h", lease = 100 })
    local row = assert(worker:take "added")
    assert.equal(key, row.key)
    for _, step in ipairs { ... } do
      assert.is_true(worker[step[1]](worker, row, step[2], step[3]))
    end
    return row, worker
  end

  local UNKNOWN = { "unknown", { kind = "unknown", message = "no answer" } }
  local TASK = { "submitted", { task_id = "42", kind = "template", trace_id = "t" } }

  it("takes the same job once", function()
    assert.equal(1, l:add(job "a"))
    assert.equal(0, l:add(job "a"))
    assert.equal(1, l:add(job "b"))
    assert.equal(2, l:count().added)
  end)

  it("refuses the same key with another request, another file or another output", function()
    assert(l:add(job("a", { files = files "aa" })))
    assert.equal(0, l:add(job("a", { files = files "aa" })))
    for _, other in ipairs { { request = "{}", files = files "aa" }, { files = files "bb" }, {},
      { files = files "aa", output = "else.mp4" } } do
      local added, err = l:add(job("a", other))
      assert.is_nil(added)
      assert.equal("invalid", err.kind)
      assert.matches("job 'a' is there already, with", err.message, 1, true)
    end
    assert.equal(1, l:count().added)
  end)

  it("refuses an output that belongs to another job: a video would be lost", function()
    assert(l:add(job "a"))
    local _, err = l:add(job("b", { output = "a.mp4" }))
    assert.equal("job 'b': its output 'a.mp4' belongs to job 'a'", err.message)
  end)

  it("takes all jobs of a list, or none, and says which are bad", function()
    assert(l:add(job "a"))
    local list = { job "b", job("a", { request = "{}" }), job "c", job("d", { output = "b.mp4" }) }
    local function add_all(keeping)
      local bad = {}
      return l:add_all(function(add)
        for index, given in ipairs(list) do
          bad[#bad + 1] = not add(given) and index or nil
        end
        return keeping or #bad == 0
      end), bad
    end
    local count, bad = add_all(false)
    assert.same({ nil, { 2, 4 } }, { count, bad })
    assert.equal(1, l:count().added)
    assert.equal(2, (add_all(true)))
    assert.equal(3, l:count().added)
  end)

  it("lets others write while jobs come in, and sees what they added", function()
    local other = assert(ledger.open(l.db.path or l.db.where[1]))
    if l.db.path then
      other.db:rows "PRAGMA busy_timeout = 1"
    end
    local count, err = l:add_all(function(add)
      assert(add(job "a"))
      assert.equal(1, other:add(job "x"))
      assert(add(job "b"))
      return true
    end)
    assert.same({ 2, nil }, { count, err })
    assert.equal(3, other:count().added)
    if l.db.path then -- elsewhere the second waits for the first
      count, err = l:add_all(function(add)
        assert(add(job "c"))
        assert(add(job "d"))
        assert.equal(1, other:add(job "c"))
        return true
      end)
      assert.same({ 1, nil }, { count, err })
      count, err = l:add_all(function(add)
        assert(add(job "e"))
        assert.equal(1, other:add(job("e", { output = "else.mp4" })))
        return true
      end)
      assert.is_nil(count)
      assert.equal("job 'e' is there already, with the output 'else.mp4'", err.message)
    end
    other:close()
  end)

  it("pages through its jobs in the order of their adding", function()
    for number = 1, 7 do
      assert(l:add(job("k" .. number)))
    end
    local seen, last = {}, 0
    repeat
      local page = assert(l:page("added", last, 3))
      for _, row in ipairs(page) do
        seen[#seen + 1], last = row.key, row.id
      end
    until #page < 3
    assert.same({ "k1", "k2", "k3", "k4", "k5", "k6", "k7" }, seen)
    assert.same({}, l:page("failed", 0, 3))
    assert.equal(7, #l:page(nil, 0, 10))
  end)

  it("keeps any text, and numbers beyond 32 bits", function()
    local text = [[it's "quoted"; ? $1 \ %s ü 😀]]
    local _, worker = brought("x", { "intend" }, TASK, { "succeeded" },
      { "downloaded", 5000000000 })
    assert(l:add(job(text, { request = text, output = text })))
    local row = assert(l:find(text))
    assert.equal(text, row.request)
    assert.equal(5000000000, l:find("x").bytes)
    assert.truthy(worker:take "added")
  end)

  it("tells of a job that is not there", function()
    local row, err = l:find "none"
    assert.is_nil(row)
    assert.equal("there is no job 'none'", err.message)
    assert.is_nil((l:retry "none"))
    assert.is_nil((l:adopt("none", "1")))
  end)

  it("tries an unknown job again only when its owner says so", function()
    local row, worker = brought("a", { "intend" }, UNKNOWN)
    assert.is_nil((worker:take "added"))
    assert.equal("added", l:retry "a")
    local again = assert(worker:take "added")
    assert.equal(row.id, again.id)
    assert.equal(1, again.attempt)
    assert.is_nil(again.error)
  end)

  it("adopts a task for an unknown job, once", function()
    brought("a", { "intend" }, UNKNOWN)
    assert.is_true(l:adopt("a", "77"))
    local row = l:find "a"
    assert.equal("submitted", row.state)
    assert.equal("77", row.task_id)
    local ok, err = l:adopt("a", "78")
    assert.is_nil(ok)
    assert.matches("job 'a' is submitted: only one that is unknown,", err.message, 1, true)
    brought("b", { "intend" }, UNKNOWN)
    ok, err = l:adopt("b", "77")
    assert.is_nil(ok)
    assert.equal("task 77 belongs to job 'a'", err.message)
  end)

  it("adopts another task where the first was mistyped, and keeps both ids", function()
    local _, worker = brought("a", { "intend" }, UNKNOWN)
    assert.is_true(l:adopt("a", "76"))
    local row = assert(worker:take "submitted")
    assert.is_true(worker:failed(row, { kind = "invalid", message = "no such task" }))
    assert.is_true(l:adopt("a", "77"))
    assert.same({ "submitted", "77", "76 " }, { l:find("a").state, l:find("a").task_id,
      l:find("a").strays })
    row = assert(worker:take "submitted")
    assert.is_true(worker:succeeded(row))
    assert.is_true(worker:failed(row, { kind = "io", message = "no" }))
    local ok, err = l:adopt("a", "78")
    assert.is_nil(ok)
    assert.equal("invalid", err.kind)
    assert.equal("77", l:find("a").task_id)
  end)

  it("adopts no id that can be none", function()
    brought("a", { "intend" }, UNKNOWN)
    for _, id in ipairs { "77 ", " 77", "7 7", "77\n", "7\27[m", "7\0", "7\xFF", "\t" } do
      local ok, err = l:adopt("a", id)
      assert.is_nil(ok)
      assert.equal("invalid", err.kind)
      assert.is_nil(err.message:find "[%c\x80-\xFF]")
    end
    assert.equal("unknown", l:find("a").state)
  end)

  it("gives one task to one job, however it came", function()
    local _, worker = brought("a", { "intend" }, UNKNOWN)
    local other = brought("b", { "intend" }, TASK)
    assert.is_nil((l:run "UPDATE minimax_jobs SET task_id = '42' WHERE key = 'a'"))
    assert(l:add(job "c"))
    local row = worker:take "added"
    assert.is_true(worker:intend(row))
    assert.is_false(worker:submitted(row, { task_id = other.task_id, kind = "template" }))
    assert.is_true(worker:unknown(row, { kind = "unknown", message = "whose task?" }))
    assert.same({ "unknown", nil, "42 " }, { l:find("c").state, l:find("c").task_id,
      l:find("c").strays })
  end)

  it("brings a ledger of version 1 up to date, also one in which two jobs have one task", function()
    local where = new()
    local old = assert(ledger.open(where, { schema.migrations[1] }))
    for key, state in pairs { a = "submitted", b = "submitted", c = "failed" } do
      assert(old:run([[INSERT INTO minimax_jobs (key, request, output, state, task_id, error_kind)
        VALUES (?, '{}', ?, ?, ?, ?)]], key, key, state, key == "c" and "43" or "42",
        key == "c" and "failed" or nil))
    end
    old:close()
    local today = assert(ledger.open(where))
    local states = { today:find("a").state, today:find("b").state }
    table.sort(states)
    assert.same({ "submitted", "unknown" }, states)
    assert.equal(1, today:find("c").task_failed)
    today:close()
  end)

  local function failed(error_kind, task_failed)
    return { "failed", { kind = error_kind, message = "no" }, task_failed }
  end

  for what, case in pairs {
    ["whose task failed: it is submitted again"] =
      { { "intend" }, TASK, failed("failed", true), state = "added" },
    ["that was refused: it is submitted again"] =
      { { "intend" }, failed "content", state = "added" },
    ["whose query was refused: it goes on with its task"] =
      { { "intend" }, TASK, failed "invalid", state = "submitted", task_id = "42" },
    ["whose query was refused for its content: it goes on with its task"] =
      { { "intend" }, TASK, failed "content", state = "submitted", task_id = "42" },
    ["whose task succeeded, whatever is said of it later: it goes on with its task"] =
      { { "intend" }, TASK, { "succeeded" }, failed("failed", true), state = "succeeded",
        task_id = "42" },
    ["whose video was refused for its content: it goes on with its task"] =
      { { "intend" }, TASK, { "succeeded" }, failed "content", state = "succeeded",
        task_id = "42" },
    ["whose download failed: it goes on with its task"] =
      { { "intend" }, TASK, { "succeeded" }, failed "io", state = "succeeded", task_id = "42" },
  } do
    it("lets a job be tried again " .. what, function()
      brought("a", table.unpack(case))
      assert.equal(case.state, l:retry "a")
      local row = l:find "a"
      assert.equal(case.task_id, row.task_id)
      assert.is_nil(row.error)
      assert.is_nil(row.ended_at)
    end)
  end

  it("pays for a new task only where its owner says so, and keeps the id of the old", function()
    local _, worker = brought("a", { "intend" }, TASK, { "succeeded" }, failed "io")
    assert.equal("added", l:retry("a", true))
    local row = l:find "a"
    assert.same({ nil, "42 ", nil }, { row.task_id, row.strays, row.succeeded_at })
    row = worker:take "added"
    assert.is_true(worker:intend(row))
    assert.is_true(worker:submitted(row, { task_id = "43", kind = "template" }))
    assert.is_true(worker:failed(row, { kind = "failed", message = "no" }, true))
    assert.equal("added", l:retry "a")
    assert.equal("42 43 ", l:find("a").strays)
  end)

  it("tries nothing again that is done or under way", function()
    brought("a", { "intend" }, TASK)
    local state, err = l:retry "a"
    assert.is_nil(state)
    assert.matches("job 'a' is submitted", err.message, 1, true)
  end)

  it("makes its tables once, however many open it", function()
    assert(l:add(job "a"))
    local other <close> = setmetatable({}, { __close = function(self) self.l:close() end })
    other.l = assert(ledger.open(l.db.path or l.db.where[1]))
    assert.equal(1, other.l:count().added)
  end)

  it("is brought up to date step by step, and refuses one from a newer version", function()
    local where = new()
    local first = { "CREATE TABLE minimax_jobs (id $identity, key TEXT)" }
    local second = { "ALTER TABLE minimax_jobs ADD COLUMN more $number",
      "UPDATE minimax_jobs SET more = 1.5" }
    local old = assert(ledger.open(where, { first }))
    assert(old:run "INSERT INTO minimax_jobs (key) VALUES ('a')")
    old:close()
    local today = assert(ledger.open(where, { first, second }))
    assert.equal(1.5, today:row("SELECT more FROM minimax_jobs").more)
    today:close()
    local opened, err = ledger.open(where, { first })
    assert.is_nil(opened)
    assert.equal("invalid", err.kind)
    assert.matches("the ledger has version 2, written by a newer minimax", err.message, 1, true)
  end)

  it("changes nothing where a step of the way up to date fails", function()
    local where = new()
    local first = { "CREATE TABLE minimax_jobs (id $identity, key TEXT)" }
    assert(ledger.open(where, { first })):close()
    assert.is_nil((ledger.open(where,
      { first, { "ALTER TABLE minimax_jobs ADD COLUMN more $number", "nonsense" } })))
    local again = assert(ledger.open(where, { first }))
    assert.is_nil((again:rows "SELECT more FROM minimax_jobs"))
    again:close()
  end)
end

for _, kind in ipairs(ledgers) do
  describe("a ledger on " .. kind.name, function()
    if kind.missing then
      return pending(kind.missing)
    end
    lazy_setup(kind.start)
    lazy_teardown(kind.stop)
    specs_of(kind)
  end)
end

describe("a ledger in a file", function()
  local folder
  before_each(function() folder = temp.folder() end)
  after_each(function() folder:close() end)

  local function refusal(path)
    local opened, err = ledger.open(path)
    assert.is_nil(opened)
    return err
  end

  it("is a file whatever its name is", function()
    for _, name in ipairs { "file:x?mode=memory", ":memory:", "a b'c.db" } do
      assert(ledger.open(folder:file(name))):close()
      assert.truthy(folder:read(name), name)
    end
  end)

  -- LuaDBI forgets a connection that failed (#leaky).
  it("says that its folder is missing #leaky", function()
    local err = refusal(folder:file "none/a.db")
    assert.equal("io", err.kind)
    assert.matches("none/a.db': does its folder exist", err.message, 1, true)
  end)

  it("says that the file is something else", function()
    local path = folder:write("a.db", ("no database "):rep(100))
    local err = refusal(path)
    assert.same({ "invalid", "'" .. path .. "' is no ledger: it is no SQLite database" },
      { err.kind, err.message })
    assert.equal(("no database "):rep(100), folder:read "a.db")
  end)

  it("refuses the database of another program", function()
    local db = assert(sqlite.open(folder:file "a.db"))
    assert(db:run "CREATE TABLE songs (name TEXT)")
    db:close()
    local err = refusal(folder:file "a.db")
    assert.equal("invalid", err.kind)
    assert.matches("it is no ledger: the database holds a table 'songs'", err.message, 1, true)
  end)

  it("says that it may not be written", function()
    local root = process.run { command = { "id", "-u" } }.out == "0\n"
    if root and process.run { command = { "setpriv", "--version" } }.code ~= 0 then
      return pending "root may write everywhere, and setpriv is not installed"
    end
    assert(ledger.open(folder:file "a.db")):close()
    process.run { command = { "chmod", "555", folder.path } }
    process.run { command = { "chmod", "444", folder:file "a.db" } }
    local words = root and { "setpriv", "--bounding-set=-dac_override,-dac_read_search" } or {}
    table.move(process.lua, 1, #process.lua, #words + 1, words)
    table.move({ "spec/support/open_ledger.lua", folder:file "a.db" }, 1, 2, #words + 1, words)
    local result = process.run { command = words }
    assert.matches("a.db' and its folder must be writable", result.out, 1, true)
    process.run { command = { "chmod", "755", folder.path } }
  end)

  it("says that its file system can't hold it, and where to put it", function()
    local result = process.run { file = "spec/support/open_ledger.lua",
      args = { folder:file "a.db" }, env = { LD_PRELOAD = native.library "unshared" } }
    assert.matches("a.db' may lie on a file system without shared memory maps or locks", result.out,
      1, true)
    assert.matches("put the ledger on a local disk, or use PostgreSQL", result.out, 1, true)
  end)

  it("waits for the disk in a run, where it is about money, and not before", function()
    local l = assert(ledger.open(folder:file "a.db"))
    local function synchronous()
      return l:row("PRAGMA synchronous").synchronous
    end
    assert.equal(1, synchronous())
    local lock = assert(sqlite.lock(l.db))
    assert.equal(2, synchronous())
    lock:close()
    assert.equal(1, synchronous())
    assert.equal("wal", l:row("PRAGMA journal_mode").journal_mode)
    l:close()
  end)

  it("is run by one process at a time, and free again when that dies", function()
    local l = assert(ledger.open(folder:file "a.db"))
    local child <close> = process.start { args = { folder:file "a.db" }, script = [=[
      local ledger = require "minimax.batch.ledger"
      local l = ledger.open(arg[1])
      local lock = assert(l.dialect.lock(l.db))
      print "locked"
      io.stdout:flush()
      require "minimax".sleep(60)
      lock:close()
    ]=] }
    assert.equal("locked", child:read "l")
    local lock, err = sqlite.lock(l.db)
    assert.is_nil(lock)
    assert.equal("another process is running this ledger", err.message)
    assert.equal(1, l:add(job "a"))
    child:signal "KILL"
    child:finish()
    lock = assert(sqlite.lock(l.db))
    lock:close()
    l:close()
  end)

  it("is run by one process at a time by whatever path it is reached", function()
    lfs.mkdir(folder:file "real")
    local l = assert(ledger.open(folder:file "real/a.db"))
    lfs.link("real/a.db", folder:file "link.db", true)
    lfs.link("real", folder:file "folder", true)
    local lock <close> = assert(sqlite.lock(l.db))
    assert.truthy(lock)
    for _, path in ipairs { "link.db", "folder/a.db", "real/../folder/a.db" } do
      local other = assert(ledger.open(folder:file(path)))
      local second, err = sqlite.lock(other.db)
      assert.is_nil(second, path)
      assert.equal("another process is running this ledger", err.message)
      other:close()
    end
    l:close()
    assert.is_nil(lfs.attributes(folder:file "link.db-run"))
  end)

  it("takes no Ctrl-C for an error of its own", function()
    local l = assert(ledger.open(folder:file "a.db"))
    l.db.statements["SELECT 1"] = { close = function() end, execute = function()
      error("stdin:1: interrupted!", 0)
    end }
    local ok, why = pcall(l.db.rows, l.db, "SELECT 1")
    assert.same({ false, "stdin:1: interrupted!" }, { ok, why })
    assert.equal(1, #l.db:rows "SELECT 1")
    l:close()
  end)

  it("holds no connection where what follows on it fails", function()
    local before = fds.list()
    collectgarbage "stop"
    local db, why = database.open("sqlite3", folder:file "a.db", function(opened)
      assert(opened:run "CREATE TABLE t (a)")
      return nil, "no"
    end)
    local left = fds.since(before)
    collectgarbage "restart"
    assert.same({ nil, "no" }, { db, why })
    assert.same({}, left)
  end)

  it("is closed for good", function()
    local l = assert(ledger.open(folder:file "a.db"))
    l:close()
    l:close()
    local counts, err = l:count()
    assert.is_nil(counts)
    assert.equal("the ledger is closed", err.message)
  end)
end)

describe("a ledger on a server that can't be reached", function()
  if ledgers[2].missing then
    return pending(ledgers[2].missing)
  end

  it("says where to look for the reason, which LuaDBI keeps to itself #leaky", function()
    local opened, err = ledger.open "postgresql://me:secret@127.0.0.1:1/x"
    assert.is_nil(opened)
    assert.equal("io", err.kind)
    assert.matches("no connection to the server (LuaDBI knows no more; psql with the same address "
      .. "says why)", err.message, 1, true)
    assert.is_nil(err.message:find("secret", 1, true))
  end)
end)

describe("without LuaDBI", function()
  for where, names in pairs {
    ["a.db"] = { "luadbi-sqlite3", "lua-dbi-sqlite3" },
    ["postgresql://x/y"] = { "luadbi-postgresql", "lua-dbi-postgresql" },
  } do
    it("the error for " .. where .. " names the rock and the Debian package", function()
      local result = process.run { args = { where }, script = [[
        package.preload.DBI = function() error "not here" end
        print(select(2, require("minimax.batch").open(arg[1])))
      ]] }
      assert.equal("", result.err)
      assert.matches(names[1] .. ",", result.out, 1, true)
      assert.matches("package " .. names[2] .. " ", result.out, 1, true)
      assert.matches("(io)", result.out, 1, true)
    end)
  end
end)
