--- Installs programs from npm below build/, once.

local shell = require "spec.support.shell"

local npm = {}

-- npm writes beside the final place, so that half an installation is none. Of
-- those who run at the same time one installs, and the others find it there.
local INSTALL = [[
  exec 2>&1 </dev/null
  command -v npm >/dev/null || { echo "npm is not installed"; exit 1; }
  ! command -v flock >/dev/null || { exec 9>"$1.lock" && flock 9; } || exit 1
  [ ! -e "$3" ] || exit 0
  rm -rf "$1.new" && mkdir -p "$1.new" &&
  printf %s "$2" >"$1.new/package.json" &&
  npm install --prefix "$1.new" --no-audit --no-fund --loglevel=error \
    --fetch-retries=1 --fetch-timeout=60000 &&
  rm -rf "$1" && mv "$1.new" "$1"
]]

local function exists(path)
  local file = io.open(path)
  return file and file:close()
end

--- The words that run a shell script; a sanitizer is for Lua alone.
function npm.tool(script, ...)
  return "exec " .. shell.join { "env", "-u", "LD_PRELOAD", "sh", "-c", script, "npm", ... }
end

--- Installs a package.
-- @param name for the reason
-- @param folder where it goes
-- @param program that must be there then
-- @param package the text of a package.json that depends on it
-- @return true, or nil and the reason
function npm.install(name, folder, program, package)
  if exists(program) then
    return true
  end
  local pipe = assert(io.popen(npm.tool(INSTALL, folder, package, program), "r"))
  local output = pipe:read("a")
  if pipe:close() then
    return true
  end
  local reason = output:gsub("%s+", " "):sub(1, 200)
  return nil, name .. " could not be installed from npm: " .. reason
end

return npm
