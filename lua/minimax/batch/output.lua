--- Where a job's video goes: looked at before anything is paid, and after a crash.

local fault = require "minimax.batch.fault"
local minimax = require "minimax"
local scratch = require "minimax.batch.scratch"

local output = {}

local ROOM = 4096 -- bytes that a disk has to have

-- What is not about the path: the disk or the user's quota is full (ENOSPC, EDQUOT),
-- there are too many open files (ENFILE, EMFILE).
local TRANSIENT = { [28] = true, [122] = true, [23] = true, [24] = true }

-- The reason without the name of the file that was tried.
local function refuse(path, why, errno)
  local err = fault.new("io", "output '%s' can't be written (%s); nothing was submitted", path,
    why:match(": ([^:]*)$") or why)
  err.transient = TRANSIENT[errno] or nil
  return nil, err
end

-- Whether an earlier download's file can be gone on with, if there is one.
local function check_part(path)
  local part = path .. ".part"
  if select(2, minimax._place(part)) ~= true then
    return true
  end
  local file, why, errno = io.open(part, "r+b")
  if file then
    file:close()
  end
  return file, why, errno
end

--- One spelling for a path: two jobs must not take each other's video for theirs.
function output.normal(path)
  repeat
    local count
    path, count = path:gsub("/%.?/", "/")
  until count == 0
  return (path:gsub("^%./(.)", "%1"))
end

-- Where a path leads: the folder as the file system knows it, and the name in it.
local function place_of(path)
  local folder, taken = minimax._place(path)
  return folder, taken, path:match("[^/]*$")
end

-- Whether the file system takes one name for the other, as some do that know no
-- capitals: a file with the one is looked for by the other.
local function are_one_name(one, other)
  local tail = string.format(".%016x", math.random(0))
  local file = io.open(one .. tail, "wb")
  if not file then
    return false
  end
  file:close()
  local _, taken = minimax._place(other .. tail)
  os.remove(one .. tail)
  return taken == true
end

--- Whether two paths of the same place lead to the same file on this host.
function output.is_same(one, other)
  local folder, _, name = place_of(one)
  local its_folder, _, its_name = place_of(other)
  return folder ~= nil and folder == its_folder
    and (name == its_name or are_one_name(one, other))
end

--- The error for an output that another job has by another name.
function output.shared(path, key, its_path)
  return fault.new("io", "output '%s' is that of job '%s' by another name ('%s'); nothing was "
    .. "submitted", path, key, its_path)
end

-- Whether there is room for a file beside that one, and the right to make it.
local function check_room(path)
  local file, why, errno = scratch.filled(path, ROOM)
  if file then
    file:close()
  end
  return file, why, errno
end

--- Whether a video can be written there, and would not replace anything.
-- @return its place, which no other path has: but for names that differ in capitals,
--   which `is_same` tells apart; or nil and an error of kind "io", which is `transient`
--   where it is not about the path
function output.check(path)
  local folder, taken, name = place_of(path)
  if not folder then
    return refuse(path, taken)
  elseif taken then
    return nil, fault.new("io", "output '%s' exists already; nothing was submitted", path)
  end
  for _, look in ipairs { check_part, check_room } do
    local ok, why, errno = look(path)
    if not ok then
      return refuse(path, why, errno)
    end
  end
  return folder .. "/" .. name:lower()
end

local PIECE = 4096 -- bytes: as many values as a call can give

-- The hash that `client:download` tells of a whole file: FNV-1a, 64 bits. Here it
-- is needed only after a crash.
local function digest_of(file)
  local hash = -3750763034362895579
  for piece in file:lines(PIECE) do
    for _, byte in ipairs { piece:byte(1, -1) } do
      hash = (hash ~ byte) * 1099511628211
    end
  end
  return string.format("%016x", hash)
end

--- The video of a job whose download ended in a run that did not live to say so.
-- It is known by its size and its digest, which the ledger holds before the file
-- gets its name: another video may have come to that name.
-- @param job `output`, and `bytes` and `digest` of its video, where they are known
-- @return its bytes; nil where there is nothing; nil and an error where something
--   else stands there
function output.finished(job)
  local _, taken = minimax._place(job.output)
  if taken ~= true then
    return nil
  end
  local file <close> = io.open(job.output, "rb")
  local bytes = file and job.digest and file:seek "end"
  if bytes and bytes == job.bytes and file:seek "set" and digest_of(file) == job.digest then
    return bytes
  end
  return nil, fault.new("io", "output '%s' exists already, and is not this job's video: put it "
    .. "elsewhere, and try the job again, which fetches its own", job.output)
end

return output
