--- .ci/deps: what is too old is refused before anything is compiled.

local process = require "spec.support.process"
local temp = require "spec.support.temp"

local lua = process.lua[#process.lua]

-- What it says where pkg-config knows that libcurl, and Lua calls itself that.
local function deps(libcurl, version)
  local folder <close> = temp.folder()
  folder:write("libcurl.pc", ("Name: libcurl\nDescription: -\nVersion: %s\nLibs: -lcurl\n")
    :format(libcurl))
  local wrapper = folder:write("lua", ("#!/bin/sh\n[ \"$1\" != -v ] || exec echo 'Lua %s  (C)'\n"
    .. "exec '%s' \"$@\"\n"):format(version, lua))
  assert(process.run { command = { "chmod", "755", wrapper } }.code == 0)
  return process.run { command = { ".ci/deps", "build" },
    env = { LUA = wrapper, LUA_VERSION = _VERSION:match "%d+%.%d+",
      PKG_CONFIG_PATH = folder.path } }
end

describe("what a build needs", function()
  for _, case in ipairs {
    { "7.87.0", "5.4.4" },
    { "7.88.1", "5.4.4" },
    { "8.14.1", "5.4.10" },
    { "10.0.0", "5.5.0" },
  } do
    it(("may be libcurl %s and Lua %s"):format(case[1], case[2]), function()
      local result = deps(case[1], case[2])
      assert.equal("", result.out .. result.err)
      assert.equal(0, result.code)
    end)
  end

  for _, case in ipairs {
    { "7.81.0", "5.4.4", "libcurl 7.81.0 is too old, minimax needs 7.87 or later" },
    { "7.86.0", "5.4.4", "libcurl 7.86.0 is too old, minimax needs 7.87 or later" },
    { "8.5.0", "5.4.0", "Lua 5.4.0 is too old, minimax needs 5.4.4 or later" },
    { "8.5.0", "5.4.3", "Lua 5.4.3 is too old, minimax needs 5.4.4 or later" },
  } do
    it(("is not libcurl %s and Lua %s"):format(case[1], case[2]), function()
      local result = deps(case[1], case[2])
      assert.equal(1, result.code)
      assert.matches(case[3] .. ": use a later system", result.out, 1, true)
    end)
  end
end)
