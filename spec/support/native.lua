--- Builds the small C files of the specs: modules for Lua and libraries that
-- are loaded ahead of a child's own (LD_PRELOAD).
--
--     local posix = native.module "posix"
--     process.run { script = …, env = { LD_PRELOAD = native.library "clock" } }

local headers = require "spec.support.headers"
local shell = require "spec.support.shell"
local temp = require "spec.support.temp"

local native = {}

local folder = temp.folder()
local built = {}

local function build(name)
  local path = folder:file(name .. ".so")
  local source = "spec/support/" .. name .. ".c"
  local words = { "env", "--unset=LD_PRELOAD", os.getenv("CC") or "cc", "-std=c11", "-D_GNU_SOURCE",
    "-D_FILE_OFFSET_BITS=64", "-O1", "-fPIC", "-shared", "-o", path, source, "-ldl", "-lpthread" }
  assert(os.execute(shell.join(words) .. " " .. headers.flags()), "cc cannot build " .. source)
  return path
end

--- The path of `spec/support/<name>.c` as a shared library.
function native.library(name)
  built[name] = built[name] or build(name)
  return built[name]
end

--- `spec/support/<name>.c` as a module of this Lua state.
function native.module(name)
  local open = assert(package.loadlib(native.library(name), "luaopen_" .. name))
  return open()
end

--- What a script of a child writes to have such a module as the local `name`.
function native.import(name)
  return ("local %s = assert(package.loadlib(%q, %q))()\n")
    :format(name, native.library(name), "luaopen_" .. name)
end

-- Runs cc on these files with these words.
local function compile(words, files)
  local command = { "env", "--unset=LD_PRELOAD", os.getenv("CC") or "cc", "-std=c11",
    "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-O1", "-fPIC", "-fno-builtin", "-Isrc" }
  table.move(words, 1, #words, #command + 1, command)
  assert(os.execute(shell.join(command) .. " " .. files .. " " .. headers.flags()
    .. " " .. headers.flags("--libs")), "cc cannot build " .. files)
end

--- The path of the module, built so that it counts its work: see `counter.c`,
-- which is in it, as `luaopen_counter`. It goes by the name of the module.
function native.counted()
  if not built.counted then
    assert(os.execute(shell.join { "mkdir", "-p", folder:file("counted") }))
    local object, path = folder:file("counter.o"), folder:file("counted/minimax.so")
    compile({ "-fno-tree-loop-distribute-patterns", "-c", "-o", object },
      "spec/support/counter.c")
    compile({ "-fsanitize-coverage=trace-pc", "-shared", "-Wl,--version-script=src/exports.map",
      "-o", path, object }, "src/*.c src/*/*.c")
    built.counted = path
  end
  return built.counted
end

return native
