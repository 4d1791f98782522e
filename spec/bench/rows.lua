--- What is measured: each row runs its clients one after the other, round by round.
--
-- A client has a `name`, the `words` of its command, and where it sleeps a `window`
-- (ms) in which its sleep is watched. A mark is a goal for `ours`: a
-- figure, itself, or as a ratio `over` another client's, or `minus` it and then times
-- `scale`; it is met where the median is at most `limit`.

local workshop = require "workshop"

local rows = {}

local function source(name)
  return workshop.source .. "/" .. name
end

local function script(name, words)
  return function(...)
    local own = { workshop.lua, source(name), table.unpack(words or {}) }
    return { table.unpack(table.move({ ... }, 1, select("#", ...), #own + 1, own)) }
  end
end

local ours = script "ours.lua"
local other_lua = script "peer_lua.lua"
local lcurl = script "peer_lcurl.lua"

local function bare(...)
  return { workshop.path "bare", ... }
end

local function python(client, ...)
  local module = client == "guide" and "requests" or client
  local interpreter = workshop.python(module)
  return interpreter and { interpreter, source "peer_python.py", client, ... }
end

-- Clients that cannot run here are left out, and said so once.
local function choose(candidates, notes)
  local clients = {}
  for _, candidate in ipairs(candidates) do
    if candidate.needs and not workshop.has_module(candidate.needs) then
      notes[candidate.needs] = true
    elseif not candidate.words then
      notes[candidate.name] = true
    else
      table.insert(clients, candidate)
    end
  end
  return clients
end

local function many(count, in_flight, base, ca_file)
  return {
    { name = "ours", words = ours("queries", count, in_flight, base, ca_file) },
    { name = "bare C, deferred", words = bare("deferred", count, in_flight, base, ca_file) },
    { name = "bare C, multi_poll", words = bare("poll", count, in_flight, base, ca_file) },
    not ca_file and { name = "Lua-cURLv3", needs = "lcurl",
      words = lcurl("queries", count, in_flight, base) } or nil,
  }
end

local BESIDE_BARE = { figure = "cpu", over = "bare C, deferred", limit = 1.15 }

local function in_turn(scale)
  local count, base = scale(5000), workshop.plain
  return {
    title = "queries, one after the other",
    clients = {
      { name = "ours", words = ours("queries", count, 0, base) },
      { name = "bare C, easy", words = bare("sequential", count, 1, base) },
      { name = "Lua-cURLv3", needs = "lcurl", words = lcurl("queries", count, 0, base) },
      { name = "lua-http", needs = "http.client", words = other_lua("lua-http", count, 0, base) },
      { name = "LuaSocket", needs = "socket.http", words = other_lua("luasocket", count, base) },
      { name = "requests, the guide's script",
        words = python("guide", "queries", scale(500), 0, base) },
    },
    marks = {},
  }
end

local function at_once(scale, in_flight)
  return {
    title = "queries, " .. in_flight .. " in flight",
    clients = many(scale(20000), in_flight, workshop.plain),
    marks = in_flight < 1000 and { BESIDE_BARE } or {},
  }
end

-- As many queries by each, and the whole process counts, its start included.
local function beside_peers(scale)
  local base, count = workshop.plain, scale(4096)
  return {
    title = count .. " queries in a process of their own, 256 in flight where it can",
    figures = { "whole", "cpu", "peak" },
    clients = {
      { name = "ours", words = ours("queries", count, 256, base) },
      { name = "lua-http", needs = "http.client", words = other_lua("lua-http", count, 256, base) },
      { name = "aiohttp", words = python("aiohttp", "queries", count, 256, base) },
      { name = "requests, session", words = python("requests", "queries", count, 0, base) },
      { name = "httpx, in turn", words = python("httpx", "queries", count, 0, base) },
      { name = "httpx, 256", words = python("httpx", "queries", count, 256, base) },
    },
    marks = {
      { figure = "whole", over = "aiohttp", limit = 1 / 8 },
      { figure = "whole", over = "requests, session", limit = 1 / 12 },
      { figure = "whole", over = "httpx, 256", limit = 1 / 12 },
    },
  }
end

local function late(scale, in_flight, count)
  return {
    title = "queries, " .. in_flight .. " in flight, answered after 100-300 ms",
    clients = many(scale(count), in_flight, workshop.plain .. "/late"),
    marks = in_flight == 1000 and {
      BESIDE_BARE, { figure = "cpu", over = "Lua-cURLv3", limit = 0.45 },
    } or {},
  }
end

local function secure(scale, in_flight, path)
  local count = path == "" and 20000 or 15000
  return {
    title = "queries over TLS and HTTP/2, " .. in_flight .. " streams"
      .. (path == "" and "" or ", answered after 100-300 ms"),
    clients = many(scale(count), in_flight, workshop.secure .. path, workshop.ca_file),
    marks = { BESIDE_BARE },
  }
end

-- Answers come late, as an API's do, so that there are always a hundred under way.
local function fleet(count, interval, quick)
  local base = workshop.plain .. "/late"
  return {
    title = count .. " waiting tasks, polled every " .. interval .. " s, answered after 100-300 ms",
    clients = {
      { name = "ours", words = ours("fleet", count, interval, 2, base) },
      { name = "Lua-cURLv3, hand-made scheduler", needs = "lcurl",
        words = lcurl("fleet", count, interval, 2, base) },
      not quick and { name = "aiohttp",
        words = python("aiohttp", "fleet", count, interval, 2, base) } or nil,
    },
    marks = {
      { figure = "cpu", over = "Lua-cURLv3, hand-made scheduler", limit = 0.6 },
      { figure = "peak", limit = 44 },
    },
  }
end

-- All tasks begin at once, are polled once, and sleep.
local function asleep(count, interval, window, quick)
  local base = workshop.plain
  local function client(name, tasks)
    return { name = name, window = window, words = ours("fleet", tasks, interval, 2, base) }
  end
  return {
    title = count .. " tasks asleep",
    figures = { "cpu", "peak", "asleep", "wakings" },
    clients = {
      client("ours", count),
      client("ours, 100 tasks", 100),
      { name = "Lua-cURLv3, hand-made scheduler", needs = "lcurl", window = window,
        words = lcurl("fleet", count, interval, 2, base) },
      not quick and { name = "aiohttp", window = window,
        words = python("aiohttp", "fleet", count, interval, 2, base) } or nil,
    },
    marks = {
      { figure = "asleep", minus = "ours, 100 tasks", scale = 1024 / (count - 100), limit = 2.5,
        unit = "KB/task" },
      { figure = "wakings", limit = 0 },
      { figure = "peak", limit = 44 },
    },
  }
end

local function multitude(window)
  local base = workshop.plain
  return {
    title = "100000 tasks asleep",
    figures = { "cpu", "peak", "asleep", "wakings" },
    clients = {
      { name = "ours", window = window, words = ours("fleet", 100000, 30, 2, base) },
      { name = "ours, 10000 tasks", window = window, words = ours("fleet", 10000, 10, 2, base) },
    },
    marks = {
      { figure = "cpu", over = "ours, 10000 tasks", limit = 1.1 },
      { figure = "asleep", minus = "ours, 10000 tasks", scale = 1024 / 90000, limit = 2.5,
        unit = "KB/task" },
      { figure = "wakings", limit = 0 },
    },
  }
end

local function submit(quick)
  local base, image = workshop.plain, workshop.image
  return {
    title = "submit of a 20 MB image",
    figures = { "process", "peak" },
    times = quick and 1 or 3,
    clients = {
      { name = "ours", words = ours("submit", base, image) },
      { name = "bare C", words = bare("submit", base, image) },
      { name = "curl, ready-made body", words = { "curl", "-s", "-o", "/dev/null", "-H",
        "Content-Type: application/json", "-H", "Expect:", "--data-binary",
        "@" .. workshop.body, base .. "/v1/video_template_generation" } },
      { name = "requests", words = python("requests", "submit", base, image) },
      { name = "aiohttp", words = python("aiohttp", "submit", base, image) },
      { name = "httpx", words = python("httpx", "submit", base, image) },
    },
    marks = {
      { figure = "process", over = "bare C", limit = 1.3 },
      { figure = "peak", limit = 12 },
    },
  }
end

local function download(quick)
  local base = workshop.plain
  return {
    title = "download of 1 GiB to /dev/null",
    figures = { "process", "peak" },
    clients = {
      { name = "ours", words = ours("download", base) },
      { name = "curl", words = { "curl", "-s", "-o", "/dev/null", base .. "/video.mp4" } },
      { name = "bare C", words = bare("download", base) },
      not quick and { name = "lua-http", needs = "http.client",
        words = other_lua("lua-http-download", base) } or nil,
      not quick and { name = "requests, the guide's script",
        words = python("requests", "download", base) } or nil,
    },
    marks = {
      { figure = "process", over = "curl", limit = 1.05 },
      { figure = "peak", limit = 12 },
    },
  }
end

local function loading()
  local measure = "local began = os.clock() require %q print('load=' .. os.clock() - began)"
  local path = ("package.cpath = package.cpath .. ';%s/?.so' "):format(workshop.folder)
  local function client(name, module)
    return { name = name, words = { workshop.lua, "-e", path .. measure:format(module) } }
  end
  return {
    title = "require",
    figures = { "load" },
    times = 10,
    clients = { client("ours", "minimax"), client("an empty module with libcurl", "empty") },
    marks = { { figure = "load", minus = "an empty module with libcurl", limit = 2 } },
  }
end

local function fleets(add, quick)
  if quick then
    add(fleet(2000, 4, quick))
    add(asleep(5000, 3, 1000, quick))
    return
  end
  add(fleet(10000, 10))
  add(asleep(10000, 10, 5000))
  add(multitude(5000))
end

--- The rows to run.
-- @param quick fewer and shorter ones
-- @return a list of rows, and a list of what is not installed
function rows.list(quick)
  local list, notes = {}, {}
  local function scale(count)
    return quick and count // 4 or count
  end
  local function add(row)
    row.clients = choose(row.clients, notes)
    table.insert(list, row)
  end
  add(in_turn(scale))
  for _, in_flight in ipairs { 16, 256, 1000 } do
    add(at_once(scale, in_flight))
  end
  add(beside_peers(scale))
  if not quick then
    add(late(scale, 256, 5120))
  end
  add(late(scale, 1000, 15000))
  for _, in_flight in ipairs(workshop.secure and { 16, 256, 1000 } or {}) do
    add(secure(scale, in_flight, ""))
  end
  if workshop.secure then
    add(secure(scale, 1000, "/late"))
  end
  fleets(add, quick)
  add(submit(quick))
  add(download(quick))
  add(loading())
  return list, notes
end

return rows
