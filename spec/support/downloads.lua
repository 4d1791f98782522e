--- Downloads from the storage host that answers at random (`random_storage.lua`).
--
--     local tally = downloads.run { rounds = 300, seed = 7 }

local minimax = require "minimax"
local random_storage = require "spec.support.random_storage"
local temp = require "spec.support.temp"
local wire = require "spec.support.wire"

local downloads = {}

local function is_version(bytes, name)
  for version = 0, random_storage.VERSIONS do
    if random_storage.bytes(name, version) == bytes then
      return true
    end
  end
  return false
end

-- Whether these bytes are how a version begins.
local function is_beginning(bytes, name)
  for version = 0, random_storage.VERSIONS do
    if random_storage.bytes(name, version):sub(1, #bytes) == bytes then
      return true
    end
  end
  return false
end

local function read(path)
  local file <close> = io.open(path, "rb")
  return file and file:read("a")
end

local function to_path(client, link, name, path, tally)
  os.remove(path)
  for _ = 1, 40 do
    local info = client:download(link .. math.random(1000), path)
    local bytes = read(path)
    if not info and bytes or info and not is_version(bytes, name) then
      error(("%s holds what no version of %s is"):format(path, name))
    elseif info then
      tally.whole = tally.whole + 1
      tally.resumed = tally.resumed + (info.resumed_from and 1 or 0)
      return
    end
    tally.failed = tally.failed + 1
  end
  tally.absent = tally.absent + 1
end

local function to_function(client, link, name, tally)
  local chunks = {}
  local info, err = client:download(link .. "1", function(chunk)
    chunks[#chunks + 1] = chunk
  end)
  local bytes = table.concat(chunks)
  if info and not is_version(bytes, name) or not info and not is_beginning(bytes, name) then
    error(("a function was given what no version of %s is (%s)"):format(name, tostring(err)))
  end
  tally.given = tally.given + (info and 1 or 0)
end

-- A program that goes away in the middle.
local function abandoned(client, link, path)
  local thread = coroutine.create(client.download)
  coroutine.resume(thread, client, link .. "1", path)
  minimax.sleep(math.random() / 200)
  coroutine.close(thread)
end

local function work(server, folder, worker, rounds, tally)
  local clients = { minimax.new { base_url = server.url, api_key = "sk-spec-key", retries = 0 },
    minimax.new { base_url = server.url, api_key = "sk-spec-key", retries = 2 } }
  for _ = 1, rounds do
    local name = "w" .. worker .. ("abc"):sub(math.random(3)):sub(1, 1)
    local link, path = server.url .. "/" .. name .. "?Expires=", folder:file("out" .. worker)
    local client = clients[math.random(20) == 1 and 2 or 1] -- the second one's pauses are long
    if math.random(5) == 1 then
      to_function(client, link, name, tally)
    else
      if math.random(5) == 1 then
        abandoned(client, link, path)
      end
      to_path(client, link, name, path, tally)
    end
    tally.rounds = tally.rounds + 1
  end
end

--- Downloads again and again; raises where a file is none of its versions.
-- @param options `rounds`, `seed`, `workers` that do so at a time (8)
-- @return counts: `rounds`, `whole` files, of them `resumed`, calls that
--   `failed`, files that stayed `absent`, downloads to functions that were `given`
function downloads.run(options)
  local workers = options.workers or 8
  local tally = { rounds = 0, whole = 0, resumed = 0, failed = 0, absent = 0, given = 0 }
  local folder <close> = temp.folder()
  local server <close> = wire.start { serve = ([[
    local connection, shared = ...
    require "spec.support.random_storage".serve(connection, shared, %d)
  ]]):format(options.seed) }
  math.randomseed(options.seed)
  minimax.run(function()
    for worker = 1, workers do
      minimax.spawn(work, server, folder, worker, options.rounds // workers, tally)
    end
  end)
  return tally
end

return downloads
