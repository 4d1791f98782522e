-- A disk that fills up under a ledger: a clear error, nothing lost. It needs a
-- small disk of its own, which root alone can mount.

local batch = require "minimax.batch"
local emulator = require "minimax.emulator"
local minimax = require "minimax"
local output = require "minimax.batch.output"
local process = require "spec.support.process"
local temp = require "spec.support.temp"

local function command(...)
  return process.run { command = { ... } }.code == 0
end

local function mountable()
  local folder <close> = temp.folder()
  return command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder.path)
    and command("umount", folder.path)
end

describe("an output on a disk that knows no capitals", function()
  local folder = temp.folder()
  local image, disk = folder:file "image", folder:file "disk"
  local made = command("truncate", "-s", "4M", image) and command("mkfs.vfat", image)
    and command("mkdir", disk) and command("mount", "-t", "vfat", "-o", "loop", image, disk)
  if not made then
    folder:close()
    return pending "no such disk can be mounted here"
  end
  lazy_teardown(function()
    command("umount", "-l", disk)
    folder:close()
  end)

  it("is one for two jobs whose paths differ in capitals alone", function()
    assert.is_true(output.is_same(disk .. "/A.mp4", disk .. "/a.mp4"))
    assert.is_false(output.is_same(disk .. "/b.mp4", disk .. "/a.mp4"))
    assert.is_false(output.is_same(folder:file "A.mp4", folder:file "a.mp4"))
    assert.equal(output.check(disk .. "/A.mp4"), output.check(disk .. "/a.mp4"))
  end)
end)

describe("a ledger on a full disk", function()
  if not mountable() then
    return pending "no small disk can be mounted here"
  end

  local emu, disk, outputs, client, b

  before_each(function()
    emu = assert(emulator.start { seconds = 0.1, speed = 1 })
    disk, outputs = temp.folder(), temp.folder()
    assert(command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk.path))
    client = minimax.new { base_url = emu.base_url, api_key = emu.api_key }
    b = assert(batch.open(disk:file "ledger.db", client))
    local jobs = {}
    for number = 1, 6 do
      jobs[number] = { key = "job" .. number, output = outputs:file(number .. ".mp4"),
        request = { template_id = "394514820878671878", text_inputs = { "a scene" } } }
    end
    assert(b:add(jobs))
  end)
  after_each(function()
    b:close()
    client:close()
    emu:stop()
    command("umount", "-l", disk.path)
    disk:close()
    outputs:close()
  end)

  local function fill()
    local file <close> = assert(io.open(disk:file "filler", "ab"))
    file:setvbuf "no"
    for _, bytes in ipairs { 4096, 1 } do
      repeat until not file:write(("x"):rep(bytes))
    end
  end

  local function run(on_event)
    return b:run { poll_interval = 0.05, max_in_flight = 3, on_event = on_event }
  end

  local function check_the_rest()
    os.remove(disk:file "filler")
    local counts, reason = run()
    assert.same({ 6, "done" }, { counts.downloaded, reason })
    assert.equal(6, #emu:tasks())
  end

  it("is not run at all: nothing is paid", function()
    fill()
    local counts, err = run()
    assert.is_nil(counts)
    assert.equal("io", err.kind)
    assert.truthy(err.message:find("disk is full", 1, true)
      or err.message:find("No space left", 1, true), err.message)
    assert.same({}, emu:requests())
    check_the_rest()
  end)

  it("fails no job whose output has no room now, and pays nothing", function()
    local elsewhere <close> = assert(batch.open(outputs:file "ledger.db", client))
    assert(elsewhere:add { key = "a", output = disk:file "a.mp4",
      request = { template_id = "394514820878671878", text_inputs = { "a scene" } } })
    fill()
    local counts, reason = elsewhere:run { poll_interval = 0.05 }
    assert.same({ 1, "left" }, { counts.added, reason })
    assert.same({}, emu:requests())
    os.remove(disk:file "filler")
    assert.equal(1, elsewhere:run({ poll_interval = 0.05 }).downloaded)
  end)

  it("takes no job, and says why", function()
    fill()
    local added, err = b:add { key = "x", request = { template_id = ("1"):rep(10000) } }
    assert.is_nil(added)
    assert.matches("database or disk is full", err.message, 1, true)
  end)

  it("has room for the ids of the submits under way when it fills up", function()
    local submitting = 0
    local counts, reason, err = run(function(event)
      if event.state == "submitting" then
        submitting = submitting + 1
        if submitting == 2 then
          fill()
        end
      end
    end)
    assert.same({ "io", "io" }, { reason, err.kind })
    assert.matches("database or disk is full", err.message, 1, true)
    assert.is_nil(counts.lost)
    assert.same({ 0, 0 }, { counts.submitting, counts.unknown })
    assert.equal(#emu:tasks(), counts.submitted)
    assert.is_true(#emu:tasks() >= 2)
    check_the_rest()
  end)
end)
