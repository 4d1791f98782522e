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
    "-O1", "-fPIC", "-shared", "-o", path, source, "-ldl", "-lpthread" }
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

return native
