--- Puts the two hosts of one emulator together.

local api = require "minimax.emulator.api"
local server = require "minimax.emulator.server"
local storage = require "minimax.emulator.storage"
local worlds = require "minimax.emulator.world"

local service = {}

local function listen(world, controller, port, handle)
  return server.listen(controller, port, function(request)
    return handle(world, request)
  end, world.tls_context)
end

--- Starts to listen.
-- @param controller of cqueues
-- @param options complete, see `options.lua`
-- @return the world that it serves; or nil and why not
function service.start(controller, options)
  local world = worlds.new(options)
  world.controller = controller
  local why
  world.port, why = listen(world, controller, options.port, api.handle)
  if not world.port then
    return nil, why
  end
  world.storage_port, why = listen(world, controller, options.storage_port, storage.handle)
  if not world.storage_port then
    return nil, why
  end
  world.links.base = service.addresses(world).storage_url
  return world
end

--- Where it can be reached.
function service.addresses(world)
  local scheme = world.tls_context and "https" or "http"
  local host = world.tls_context and "localhost" or "127.0.0.1"
  return {
    port = world.port, storage_port = world.storage_port,
    base_url = string.format("%s://%s:%d%s", scheme, host, world.port, world.options.path_prefix),
    storage_url = string.format("%s://%s:%d", scheme, host, world.storage_port),
  }
end

return service
