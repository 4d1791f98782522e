--- Measures this module beside bare C and beside other clients, all in one run.
--
--     lua5.4 spec/bench/run.lua [quick] [rounds=N] [words of a row's title]
--
-- Clients of a row take turns, round by round, on one core; the servers have the
-- other one. Medians are printed with their extremes, and ratios are those of one
-- round each. `quick` is one round of shorter rows.

package.path = "./?.lua;spec/bench/?.lua;" .. package.path

local report = require "report"
local rows = require "rows"
local shell = require "spec.support.shell"
local workshop = require "workshop"

local ROUNDS = 5

local client_core = workshop.cores()

-- Runs a client; returns the numbers that it and `measure` print, or nil.
local function measure(client)
  local text = workshop.output(shell.join { "taskset", "-c", client_core,
    workshop.path "measure", client.window or 0, table.unpack(client.words) })
  if not text then
    io.stderr:write("  ", client.name, " failed: ", shell.join(client.words), "\n")
    return nil
  end
  local result = {}
  for name, value in text:gmatch("([%w_]+)=(%S+)") do
    result[name] = tonumber(value)
  end
  return result
end

-- Each client once, another one first in each round.
local function run_round(row, round)
  for i = 1, #row.clients do
    local client = row.clients[(i + round) % #row.clients + 1]
    table.insert(row.results[client.name], measure(client))
  end
end

local function run(list, rounds)
  for round = 1, rounds do
    for _, row in ipairs(list) do
      io.stderr:write(("round %d of %d: %s\n"):format(round, rounds, row.title))
      for turn = 1, row.times or 1 do
        run_round(row, round + turn)
      end
    end
  end
end

local function parse(words)
  local wanted = { rounds = ROUNDS }
  for _, word in ipairs(words) do
    if word == "quick" then
      wanted.quick, wanted.rounds = true, 1
    elseif word:find("^rounds=%d+$") then
      wanted.rounds = tonumber(word:match("%d+"))
    else
      wanted.title = word
    end
  end
  return wanted
end

local function choose(list, title)
  local chosen = {}
  for _, row in ipairs(list) do
    if not title or row.title:find(title, 1, true) then
      row.results = {}
      for _, client in ipairs(row.clients) do
        row.results[client.name] = {}
      end
      chosen[#chosen + 1] = row
    end
  end
  return chosen
end

local function main()
  local wanted = parse(arg)
  workshop.compile()
  workshop.make_files()
  workshop.start()
  local list, missing = rows.list(wanted.quick)
  list = choose(list, wanted.title)
  run(list, wanted.rounds)
  workshop.stop()
  print(("%d rounds; medians (least-most)"):format(wanted.rounds))
  for _, row in ipairs(list) do
    report.row(row)
  end
  report.summary(list)
  for name in pairs(missing) do
    print("not installed, left out: " .. name)
  end
  if not workshop.secure then
    print("not installed, left out: nginx, openssl (TLS and HTTP/2)")
  end
end

main()
