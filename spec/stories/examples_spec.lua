--- The examples of doc/examples run as they stand, each in its own loop.

local emulator = require "minimax.emulator"
local headers = require "spec.support.headers"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"

local BUILD = "cc -std=c11 -D_GNU_SOURCE -O1 -Isrc " .. headers.flags()
  .. " doc/examples/host.c src/*.c src/*/*.c " .. headers.flags "--libs" .. ' -o "$0"'

-- The same with what `make install` installs, for a C program that has a Lua.
local LINK = 'make -s install "PREFIX=$1" "LUA=$2" && '
  .. "cc -std=c11 -Wall -Werror doc/examples/host.c -o $0 "
  .. '$(PKG_CONFIG_PATH=$1/lib/pkgconfig pkg-config --cflags --libs minimax '
  .. tostring(headers.package()) .. ")"

local expected = {
  main = { "succeeded" },
  spawn = { "Lion\tsucceeded", "Bear\tsucceeded", "Wolf\tsucceeded" },
  bare = { "succeeded\ttrue" },
  callbacks = { "callback\trequest=lion\trunning", "succeeded" },
  cqueues = { "Lion\tsucceeded", "Bear\tsucceeded" },
  luv = { "Lion\tsucceeded", "Bear\tsucceeded" },
  copas = { "Lion\tsucceeded", "Bear\tsucceeded" },
}

describe("the example", function()
  local emu, env, folder
  local children = {}

  local function start(name)
    return process.start { file = "doc/examples/" .. name .. ".lua", env = env, timeout = 90 }
  end

  local function start_host(name, build)
    local host = folder:file(name)
    local built = process.run {
      command = { "sh", "-c", build, host, folder:file "installed", shell.interpreter() },
      env = { MAKEFLAGS = false, MAKELEVEL = false }, timeout = 180,
    }
    assert(built.code == 0, built.err)
    return process.start { command = { host, "doc/examples/main.lua" }, env = env, timeout = 90 }
  end

  -- They poll every ten seconds, as the API's guide says: all at once, then.
  setup(function()
    emu = emulator.start { speed = 100 }
    folder = temp.folder()
    env = { MINIMAX_API_KEY = emu.api_key, MINIMAX_BASE_URL = emu.base_url }
    for name in pairs(expected) do
      local started, child = pcall(start, name)
      children[name] = started and child or nil
    end
    children.host = start_host("host", BUILD)
    children.linked = start_host("linked", LINK)
  end)

  teardown(function()
    for _, child in pairs(children) do
      child:close()
    end
    emu:stop()
    folder:close()
  end)

  for name, lines in pairs(expected) do
    it(name .. ".lua renders", function()
      -- What could not be started, for want of a module, says so here.
      local result = (children[name] or start(name)):finish()
      assert.equal(0, result.code, result.err)
      for _, line in ipairs(lines) do
        assert.matches(line .. "\n", result.out, 1, true)
      end
    end)
  end

  for name, how in pairs {
    host = "the module compiled into it", linked = "the installed static library linked in",
  } do
    it("host.c renders: poll(2) in C, " .. how, function()
      local result = children[name]:finish()
      assert.equal("succeeded\n", result.out, result.err)
      assert.matches("host: %d+ turns of poll", result.err)
    end)
  end
end)
