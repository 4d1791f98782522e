-- What is packed from the repository: a tarball and rocks.

local headers = require "spec.support.headers"
local lfs = require "lfs"
local process = require "spec.support.process"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"

local VERSION = require("minimax")._VERSION

local function only_in_git()
  if not lfs.attributes ".git" then
    pending "this is no repository"
  end
end

local function run(words, options)
  options = options or {}
  local env = { MAKEFLAGS = false, MAKELEVEL = false, LDFLAGS = false }
  for name, value in pairs(options.env or {}) do
    env[name] = value
  end
  local result = process.run { command = words, env = env, directory = options.directory,
    timeout = 300 }
  assert(result.code == 0, result.out .. result.err)
  return result.out
end

-- This Makefile, at work in a clone of the repository.
local function make_in_clone(folder, target)
  local clone = folder:file "clone"
  run { "git", "clone", "-q", lfs.currentdir(), clone }
  run { "make", "-s", "-C", clone, "-f", lfs.currentdir() .. "/Makefile",
    "LUA=" .. shell.interpreter(), target }
  return clone .. "/build/minimax-" .. VERSION
end

local function sorted_lines(text, keep)
  local lines = {}
  for line in text:gmatch("[^\n]+") do
    if keep(line) then
      lines[#lines + 1] = line
    end
  end
  table.sort(lines)
  return lines
end

describe("make dist", function()
  it("packs the same bytes for the same commit, whoever packs them", function()
    only_in_git()
    local folder <close> = temp.folder()
    local other <close> = temp.folder()
    local first = make_in_clone(folder, "dist")
    run { "sh", "-c", [[
      umask 077 && git clone -q "$1" "$2" && find "$2" -exec touch -d 2001-01-01 {} + &&
      git -C "$2" config tar.umask 0 && git -C "$2" config core.autocrlf true &&
      TZ=Asia/Tokyo LC_ALL=C make -s -C "$2" -f "$1/Makefile" dist
    ]], "sh", lfs.currentdir(), other:file "clone" }
    local second = other:file "clone/build/minimax-" .. VERSION
    run { "cmp", first .. ".tar.gz", second .. ".tar.gz" }
  end)

  it("packs what the commit holds, and not what Debian and the repository's host want", function()
    only_in_git()
    local folder <close> = temp.folder()
    local packed = run { "tar", "-tzf", make_in_clone(folder, "dist") .. ".tar.gz" }
    local held = run { "git", "ls-tree", "-r", "--name-only", "HEAD" }
    local root = "^minimax%-" .. VERSION:gsub("%.", "%%.") .. "/"
    assert.same(
      sorted_lines(held, function(path)
        return not path:find("^debian/") and not path:find("^%.github/") and path ~= ".gitignore"
      end),
      sorted_lines(packed:gsub("([^\n]+)", function(path)
        return assert(path:find(root), path) and path:gsub(root, "")
      end), function(path)
        return not path:find("/$")
      end))
  end)
end)

describe("make rock", function()
  it("puts the tarball and a rockspec that needs no repository into one file", function()
    only_in_git()
    local folder <close> = temp.folder()
    local packed = make_in_clone(folder, "rock")
    run { "sh", "-c", [[
      cd "$1" && luarocks unpack "$2-1.src.rock" && cmp "$2.tar.gz" */minimax-*.tar.gz
    ]], "sh", folder.path, packed }
  end)
end)

describe("a rock", function()
  local folder, config

  local function luarocks(tree, ...)
    return run({ "luarocks", "--lua-version", headers.version, "--tree", folder:file(tree), ... },
      { directory = folder.path, env = config })
  end

  -- What is installed in a tree says its version, without help from outside.
  local function check(tree)
    local root = folder:file(tree)
    local loaded = process.run {
      script = 'print(require("minimax")._VERSION, package.searchpath("minimax", package.cpath))',
      env = { LUA_PATH = root .. "/share/lua/" .. headers.version .. "/?.lua;;",
        LUA_CPATH = root .. "/lib/lua/" .. headers.version .. "/?.so;;" },
    }
    local module = root .. "/lib/lua/" .. headers.version .. "/minimax.so"
    assert.equal(VERSION .. "\t" .. module .. "\n", loaded.out, loaded.err)
    assert.equal("minimax " .. VERSION .. "\n", run({ root .. "/bin/minimax", "--version" },
      { env = { LUA_PATH = false, LUA_CPATH = false } }))
    local page = luarocks(tree, "show", "--rock-dir", "minimax"):gsub("\n", "/doc/minimax.1")
    assert.equal("file", lfs.attributes(page, "mode"))
  end

  it("is made, lua-cjson and argparse coming from the system; packed, it runs elsewhere", function()
    folder = temp.folder()
    config = { HOME = folder.path, LUAROCKS_CONFIG = folder:write("config.lua", [[
      rocks_provided = { ["lua-cjson"] = "2.1.0-1", argparse = "0.7.1-1" }
    ]]) }
    run { "cp", "-R", "src", "lua", "doc", "rockspec", folder.path }
    luarocks("one", "make", "rockspec/minimax-" .. VERSION .. "-1.rockspec", "CFLAGS=-O0 -fPIC")
    check "one"
    luarocks("one", "pack", "minimax")
    run { "rm", "-r", folder:file "one", folder:file "src", folder:file "lua" }
    luarocks("two", "install", (run({ "sh", "-c", 'ls "$0"/*.rock', folder.path }):gsub("\n", "")))
    check "two"
    folder:close()
  end)
end)
