--- Puts the two hosts of one emulator together.

local api = require "minimax.emulator.api"
local server = require "minimax.emulator.server"
local storage = require "minimax.emulator.storage"
local template = require "minimax.emulator.template"
local tls = require "minimax.emulator.tls"
local video1 = require "minimax.emulator.video1"
local video2 = require "minimax.emulator.video2"
local worlds = require "minimax.emulator.world"

local service = {}

local STATES = { template = template.state, video = video1.state, video2 = video2.state }

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
  local world = worlds.new(options, controller, STATES)
  if options.tls then
    world.tls_context, world.ca_file = tls.server()
  end
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
    ca_file = world.ca_file,
  }
end

return service
