--- Starts busted on the Lua that runs this file; the command `busted` may run
-- on another, and its installed form differs from system to system.

require "spec.support.needs".watch()
require "busted.runner" { standalone = false }
