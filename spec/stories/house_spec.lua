-- The house around the code: versions that agree, lists that are whole, and a
-- tree that builds, installs and is found as the README says.

local lfs = require "lfs"
local headers = require "spec.support.headers"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"

-- A make that knows nothing of the one that runs the specs.
local NO_MAKE = { MAKEFLAGS = false, MAKELEVEL = false, CFLAGS = false, LDFLAGS = false }

local function lines_of(path)
  local lines = {}
  for line in io.lines(path) do
    lines[#lines + 1] = line
  end
  return lines
end

local function run(command, env)
  local result = process.run { command = command, env = env or NO_MAKE, timeout = 300 }
  assert(result.code == 0, result.out .. result.err)
  return result.out
end

local function newest_entry()
  for _, line in ipairs(lines_of "CHANGELOG.md") do
    local version = line:match("^## %[(%d[^%]]*)%]")
    if version then
      return version
    end
  end
end

local function sortable(version)
  return string.format("%05d%05d%05d", version:match("(%d+)%.(%d+)%.(%d+)"))
end

local function newest_rockspec()
  local newest = "0.0.0"
  for name in lfs.dir "rockspec" do
    local version = name:match("^minimax%-(%d+%.%d+%.%d+)%-1%.rockspec$")
    if version and sortable(version) > sortable(newest) then
      newest = version
    end
  end
  return newest
end

local function read_rockspec(version)
  local rockspec = {}
  assert(loadfile("rockspec/minimax-" .. version .. "-1.rockspec", "t", rockspec))()
  return rockspec
end

local LUA = "LUA=" .. shell.interpreter()
local OF_ONE_VERSION = "LUA_PATH_" .. headers.version:gsub("%.", "_")

local function module_of(prefix)
  return prefix .. "/lib/lua/" .. headers.version .. "/minimax.so"
end

-- The version of the module that is installed under a folder, and where it is.
local function load_from(prefix)
  return process.run({
    script = [[
      print(require("minimax")._VERSION, package.searchpath("minimax", package.cpath))
    ]],
    env = { LUA_PATH = prefix .. "/share/lua/" .. headers.version .. "/?.lua;;",
      LUA_CPATH = prefix .. "/lib/lua/" .. headers.version .. "/?.so;;" },
  }).out
end

describe("the version", function()
  it("is the module's, the newest changelog entry's and the newest rockspec's", function()
    local version = require("minimax")._VERSION
    assert.equal(version, newest_entry())
    assert.equal(version, newest_rockspec())
  end)

  it("stands in each rockspec as in its name", function()
    local newest = newest_entry()
    assert.equal(newest .. "-1", read_rockspec(newest).version)
    assert.equal("v" .. newest, read_rockspec(newest).source.tag)
    assert.equal("scm-1", read_rockspec("scm").version)
  end)

  it("stands in the man page and in Debian's changelog", function()
    local version = newest_entry()
    assert.matches('"minimax ' .. version .. '"', lines_of("doc/minimax.1")[1], 1, true)
    if lfs.attributes "debian" then -- not in the tarball
      assert.matches("lua-minimax (" .. version .. "-", lines_of("debian/changelog")[1], 1, true)
    end
  end)
end)

describe("the rockspecs", function()
  local function lint(directory, ...)
    return process.run { file = lfs.currentdir() .. "/spec/lint/rockspecs.lua",
      directory = directory, args = { ... } }
  end

  it("list every source and every Lua module", function()
    local result = lint(nil, "rockspec/minimax-scm-1.rockspec",
      "rockspec/minimax-" .. newest_entry() .. "-1.rockspec")
    assert.equal("", result.err)
    assert.equal(0, result.code)
  end)

  it("are refused by the lint when a file is not listed, or listed and not there", function()
    local folder <close> = temp.folder()
    lfs.mkdir(folder:file "src")
    lfs.mkdir(folder:file "lua")
    folder:write("src/new.c", "")
    folder:write("lua/other.lua", "")
    folder:write("a.rockspec", 'build = { modules = { old = "lua/old.lua" } }')
    local result = lint(folder.path, "a.rockspec")
    assert.equal(1, result.code)
    assert.matches('missing source: "src/new.c"', result.err, 1, true)
    assert.matches('missing module: ["other"] = "lua/other.lua"', result.err, 1, true)
    assert.matches("there is no lua/old.lua", result.err, 1, true)
  end)

  it("depend on the same things", function()
    local scm, newest = read_rockspec("scm"), read_rockspec(newest_entry())
    assert.same(scm.build, newest.build)
    assert.same(scm.dependencies, newest.dependencies)
    assert.same({ "unix" }, newest.supported_platforms)
  end)
end)

describe("make", function()
  it("installs all under DESTDIR and PREFIX, and takes it away again", function()
    local folder <close> = temp.folder()
    local where = { LUA, "DESTDIR=" .. folder.path, "PREFIX=/opt/it" }
    run { "make", "-s", "install", table.unpack(where) }
    local prefix = folder:file "opt/it"
    assert.equal(newest_entry() .. "\t" .. module_of(prefix) .. "\n", load_from(prefix))
    for module, path in pairs(read_rockspec("scm").build.modules) do
      if type(path) == "string" then
        local installed = prefix .. "/share/lua/" .. headers.version .. "/"
          .. path:gsub("^lua/", "")
        assert.equal("file", lfs.attributes(installed, "mode"), module)
      end
    end
    assert.equal("file", lfs.attributes(prefix .. "/share/man/man1/minimax.1", "mode"))
    assert.equal("file",
      lfs.attributes(prefix .. "/share/bash-completion/completions/minimax", "mode"))
    assert.equal("minimax " .. newest_entry() .. "\n",
      run({ prefix .. "/bin/minimax", "--version" }, { LUA_PATH = false, LUA_CPATH = false }))
    run { "make", "-s", "uninstall", table.unpack(where) }
    assert.equal("", run { "find", folder:file "opt", "-type", "f" })
  end)

  it("env lets a script in any folder find the tree, and keeps what was set", function()
    local folder <close> = temp.folder()
    local script = [[cd "$2" && eval "$(make -s -C "$1" "LUA=$3" env)" &&
      "$3" -e 'print(require("minimax")._VERSION, package.path:find("mine/?.lua", 1, true) ~= nil,
        package.cpath:find(";;", 1, true))']]
    local out = run({ "sh", "-c", script, "sh", lfs.currentdir(), folder.path,
      shell.interpreter() }, {
      MAKEFLAGS = false, MAKELEVEL = false, LUA_PATH = "mine/?.lua;;", LUA_CPATH = false,
      [OF_ONE_VERSION] = false,
    })
    assert.equal(newest_entry() .. "\ttrue\tnil\n", out)
  end)

  it("env takes precedence over the variables of one Lua version", function()
    local out = run({ "sh", "-c", [[eval "$(make -s "$0" env)" && env]], LUA },
      { MAKEFLAGS = false, MAKELEVEL = false, [OF_ONE_VERSION] = "five/?.lua;;" })
    assert.matches("LUA_PATH=[^\n]*;five/%?%.lua", out)
    assert.is_nil(out:find(OF_ONE_VERSION, 1, true))
  end)

  -- What stands in for the interpreter of another version.
  local function other_lua(folder)
    local path = folder:write("lua5.9", "#!/bin/sh\necho 5.9\n")
    run { "chmod", "+x", path }
    return "LUA=" .. path, path
  end

  it("installs for the version of the interpreter that LUA names", function()
    local folder <close> = temp.folder()
    local lua, path = other_lua(folder)
    local out = run { "make", "-n", "install", "lint", lua, "LUA_CFLAGS=-I/five/nine" }
    assert.is_nil(out:find("lua/5.[0-8]"))
    assert.matches("/usr/local/share/lua/5.9", out, 1, true)
    assert.matches("/usr/local/lib/lua/5.9", out, 1, true)
    assert.matches("|#!" .. path .. "|", out, 1, true)
    assert.matches("luarocks --lua-version 5.9 lint", out, 1, true)
    out = run { "make", "-n", "install", "LUA=lua5.8" }
    assert.matches("|#!/usr/bin/env lua5.8|", out, 1, true)
    assert.matches("/usr/local/share/lua/5.8", out, 1, true)
  end)

  it("compiles against the headers of that version, and links no objects of another", function()
    local folder <close> = temp.folder()
    run { "mkdir", folder:file "base" }
    local object = folder:write("base/ring.o", "stale")
    local function make(lua)
      run { "make", "-s", "BUILD=" .. folder.path, lua, object }
      return folder:read "base/ring.o" == "stale"
    end
    assert.is_false(make(LUA))
    folder:write("base/ring.o", "stale")
    assert.is_true(make(LUA))
    assert.is_false(make((other_lua(folder))))
  end)

  it("help names every target that is meant for people", function()
    local help = run { "make", "-s", "help", LUA }
    local text = table.concat(lines_of "Makefile", "\n") .. "\n"
    local listed = text:match "\n%.PHONY: (all.-[^\\])\n"
    for target in listed:gmatch "[%w-]+" do
      if target ~= "force" and not target:find "^run%-" then
        local short = target:match "(%-%w+)$" -- of those that share a line
        assert.truthy(("\n" .. help):find("\n" .. target .. " ", 1, true)
          or short and help:find(short .. "%f[^%w-]"), target)
      end
    end
  end)

  it("doc writes the reference", function()
    if process.run({ command = { "sh", "-c", "command -v ldoc" } }).code ~= 0 then
      return pending "there is no ldoc; make doc installs it"
    end
    run { "make", "-s", "doc", LUA }
    local page = table.concat(lines_of "doc/reference/modules/minimax.html", "\n")
    assert.truthy(page:find("client:submit", 1, true))
  end)

  it("lets nothing but luaopen_minimax be seen from outside, and the command's console", function()
    run { "make", "-s", LUA, "build/libminimax.a" }
    for file, symbols in pairs { ["build/minimax.so"] = "-D", ["build/libminimax.a"] = "-g" } do
      local seen = {}
      for symbol in run({ "nm", symbols, "--defined-only", file }):gmatch(" (%S+)\n") do
        -- On i386 the compiler's own stay, which the host's objects share.
        seen[#seen + 1] = not symbol:find "^__x86%." and symbol or nil
      end
      local console = file:find "so$" and "luaopen_minimax_console" or nil
      assert.same({ "luaopen_minimax", console }, seen, file)
    end
  end)
end)

describe("the Lua files", function()
  it("can all be read by this version of Lua", function()
    local found = run { "find", "lua", "spec", "doc", "-name", "*.lua" }
    for path in (found .. "lua/minimax/cli/minimax\n"):gmatch("[^\n]+") do
      assert(loadfile(path))
    end
  end)
end)

describe("the floors of src", function()
  local function check(files)
    local folder <close> = temp.folder()
    local paths = {}
    run { "mkdir", "-p", folder:file "src/base", folder:file "src/net", folder:file "src/run",
      folder:file "src/attic" }
    for name, text in pairs(files) do
      paths[#paths + 1] = folder:write(name, text)
    end
    return process.run { file = "spec/lint/floors.lua", args = paths }
  end

  it("are kept by the lint", function()
    local result = check {
      ["src/base/buffer.c"] = '#include "base/buffer.h"\n#include <stdlib.h>\n',
      ["src/net/transfer.c"] = '#include <curl/curl.h>\n#include "base/buffer.h"\n',
      ["src/run/job.c"] = '#include <lua.h>\n#include "net/transfer.h"\n' }
    assert.equal("", result.err)
    assert.equal(0, result.code)
  end)

  for what, case in pairs {
    ["Lua below the third floor"] = { "src/net/transfer.c", "#include <lua.h>\n" },
    ["libcurl above the second"] = { "src/run/job.c", "#include <curl/curl.h>\n" },
    ["libcurl on the first"] = { "src/base/buffer.c", "#include <curl/curl.h>\n" },
    ["a header of a higher floor"] = { "src/base/buffer.c", '#include "net/transfer.h"\n' },
    ["a file on no floor"] = { "src/attic/stray.c", "\n" },
    ["a header on no floor"] = { "src/run/job.c", '#include "attic/stray.h"\n' },
  } do
    it("refuse " .. what, function()
      local result = check { [case[1]] = case[2] }
      assert.equal(1, result.code)
      assert.matches(case[1], result.err, 1, true)
    end)
  end

  it("refuse files that need each other", function()
    local result = check { ["src/base/a.c"] = '#include "base/b.h"\n',
      ["src/base/b.h"] = '#include "base/c.h"\n', ["src/base/c.c"] = '#include "base/a.h"\n' }
    assert.equal(1, result.code)
    assert.matches("a circle of 3 files: base/a base/b base/c", result.err, 1, true)
  end)
end)

describe("the headers of src", function()
  local function check(caller)
    local folder <close> = temp.folder()
    return process.run { file = "spec/lint/unused.lua", args = {
      folder:write("ring.h", "/* A ring. */\nint ring_fill(struct ring *ring,\n  int count);\n"),
      folder:write("ring.c", "int ring_fill(struct ring *ring, int count) {\n}\n"),
      folder:write("sink.c", caller) } }
  end

  it("declare what other files call", function()
    local result = check "static int fill(void) {\n  return ring_fill(ring, 1);\n}\n"
    assert.equal("", result.err)
    assert.equal(0, result.code)
  end)

  it("are refused by the lint where nobody else calls a function", function()
    local result = check "/* As ring_fill, but empty. */\n"
    assert.equal(1, result.code)
    assert.matches("ring%.h: nobody else calls ring_fill\n", result.err)
  end)
end)

describe("a job type", function()
  -- Compiles one that is begun with these words.
  local function compile(words)
    local folder <close> = temp.folder()
    local path = folder:write("kind.c", ([[
      #include "run/job.h"
      void advance(lua_State *L, struct job *job, int self);
      extern const struct job_type type;
      const struct job_type type = {%s};
    ]]):format(words))
    return process.run { timeout = 60, env = { LD_PRELOAD = false },
      command = { "sh", "-c", (os.getenv("CC") or "cc")
      .. " -std=c11 -Werror -fsyntax-only -Isrc " .. headers.flags() .. " " .. path } }
  end

  it("compiles with all that none may lack", function()
    local result = compile 'JOB_TYPE("kind", advance, advance, job_holds_nothing)'
    assert.equal("", result.err)
    assert.equal(0, result.code)
  end)

  for what, words in pairs {
    ["without a release"] = 'JOB_TYPE("kind", advance, advance)',
    ["with NULL for its release"] = 'JOB_TYPE("kind", advance, advance, NULL)',
    ["with NULL for its expire"] = 'JOB_TYPE("kind", advance, NULL, job_holds_nothing)',
    ["with NULL for its stage"] = 'JOB_TYPE(NULL, advance, advance, job_holds_nothing)',
  } do
    it("does not compile " .. what, function()
      assert.not_equal(0, compile(words).code)
    end)
  end

  it("begins so wherever there is one, and takes back what it delivers", function()
    local count = 0
    for path in run({ "find", "src", "-name", "*.c" }):gmatch "%S+" do
      local text = table.concat(lines_of(path), "\n")
      for body in text:gmatch "struct job_type [%w_]+ = (%b{})" do
        count = count + 1
        assert.matches("^{%s*JOB_TYPE%(", body, path)
        assert.equal(body:find(".deliver =", 1, true) ~= nil,
          body:find(".delivered =", 1, true) ~= nil, path)
      end
    end
    assert.is_true(count > 10)
  end)
end)
