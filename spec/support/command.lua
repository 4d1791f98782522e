--- Runs the command line as a user does, against an emulator or without one.
--
--     local emu <close> = command.emulator { speed = 1000 }
--     local result = command.run({ "query", "1" }, { emulator = emu })
--     -- result.code, result.out, result.err; result.lines: what --json printed

local emulator = require "minimax.emulator"
local json = require "minimax.common.json"
local lfs = require "lfs"
local process = require "spec.support.process"

local command = {}

--- The program itself.
command.FILE = lfs.currentdir() .. "/lua/minimax/cli/minimax"

-- Nothing of whoever runs the specs reaches the program.
local CLEAN = { MINIMAX_API_KEY = false, MINIMAX_API_KEY_FILE = false, MINIMAX_BASE_URL = false,
  MINIMAX_API_HOST = false, MINIMAX_DEBUG = false,
  MINIMAX_POLL_INTERVAL = false, https_proxy = false, all_proxy = false,
  HTTPS_PROXY = false, ALL_PROXY = false, http_proxy = false, CURL_CA_BUNDLE = false,
  SSL_CERT_FILE = false, TERM = "dumb" }

--- Starts an emulator whose tasks are done at once, unless told otherwise.
function command.emulator(options)
  local all = { speed = 1000, video_bytes = 100000 }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  return assert(emulator.start(all))
end

--- What runs it, for `process.start`.
-- @param words its arguments
-- @param options as for `start`
function command.prepare(words, options)
  options = options or {}
  local env = {}
  for _, some in ipairs { CLEAN, options.emulator and options.emulator.env or {},
    options.env or {} } do
    for name, value in pairs(some) do
      env[name] = value
    end
  end
  return { file = command.FILE, args = words, env = env, stdin = options.stdin,
    directory = options.directory, timeout = options.timeout or 60 }
end

--- Starts it and returns at once.
-- @param words its arguments
-- @param options `emulator` to ask, `env`, `stdin`, `directory`, `timeout`
-- @return as `process.start`
function command.start(words, options)
  return process.start(command.prepare(words, options))
end

--- Runs it to its end.
-- @return as `process.run`, and `lines`: the decoded lines of --json
function command.run(words, options)
  local result = process.run(command.prepare(words, options))
  result.lines = {}
  for line in result.out:gmatch("[^\n]+") do
    result.lines[#result.lines + 1] = line:find("^{") and json.decode(line) or nil
  end
  return result
end

return command
