--- Puts the two hosts of one emulator together.

local api = require "minimax.emulator.api"
local json = require "minimax.emulator.json"
local reply = require "minimax.emulator.reply"
local server = require "minimax.emulator.server"
local storage = require "minimax.emulator.storage"
local template = require "minimax.emulator.template"
local tls = require "minimax.emulator.tls"
local video1 = require "minimax.emulator.video1"
local video2 = require "minimax.emulator.video2"
local accounts = require "minimax.emulator.account"

local service = {}

local STATES = { template = template.state, video = video1.state, video2 = video2.state }

local OWN_NAMES = { localhost = true, ["127.0.0.1"] = true, ["[::1]"] = true }

local MISDIRECTED = "This is an emulator of the MiniMax video API. It answers as localhost and "
  .. "127.0.0.1, and as what its option 'allowed_hosts' names.\n"

-- Whether the client means this host. A page on another site, whose name is made
-- to lead here, says that name.
local function is_meant(account, request)
  local host = request.headers.host
  local name = host and host:lower():gsub(":%d*$", "")
  if not name or OWN_NAMES[name] then
    return true
  end
  for _, other in ipairs(account.options.allowed_hosts) do
    if other:lower() == name then
      return true
    end
  end
  return false
end

local function listen(account, controller, port, handle)
  return server.listen(controller, port, function(request)
    if not is_meant(account, request) then
      return reply.text(421, MISDIRECTED)
    end
    return handle(account, request)
  end, account.tls_context)
end

--- Starts to listen.
-- @param controller of cqueues
-- @param options complete, see `options.lua`
-- @return the account that it serves; or nil and why not
function service.start(controller, options)
  local account = accounts.new(options, controller, STATES)
  if options.tls then
    account.tls_context, account.ca_file = tls.server()
  end
  local why
  account.port, why = listen(account, controller, options.port, api.handle)
  if not account.port then
    return nil, why
  end
  account.storage_port, why = listen(account, controller, options.storage_port, storage.handle)
  if not account.storage_port then
    return nil, why
  end
  account.links.base = service.addresses(account).storage_url
  return account
end

--- Where it can be reached.
function service.addresses(account)
  local scheme = account.tls_context and "https" or "http"
  local host = account.tls_context and "localhost" or "127.0.0.1"
  return {
    port = account.port, storage_port = account.storage_port,
    base_url = string.format("%s://%s:%d%s", scheme, host, account.port,
      account.options.path_prefix),
    storage_url = string.format("%s://%s:%d", scheme, host, account.storage_port),
    ca_file = account.ca_file,
  }
end

-- Who reads a certificate from where: the first is libcurl's and ours, then Node,
-- Python's requests, and OpenSSL (Python's urllib, Ruby).
local CERTIFICATE = { "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE",
  "SSL_CERT_FILE" }

--- The variables of `environment`, in the order for people.
service.VARIABLES = { "MINIMAX_BASE_URL", "MINIMAX_API_KEY", "MINIMAX_POLL_INTERVAL",
  table.unpack(CERTIFICATE) }

local POLL_SECONDS, LEAST_SECONDS = 10, 0.05

--- The environment of a script that is to use it.
-- @return a table: name to text
function service.environment(account)
  local addresses, options = service.addresses(account), account.options
  local seconds = math.min(math.max(POLL_SECONDS / options.speed, LEAST_SECONDS), POLL_SECONDS)
  seconds = math.floor(seconds * 1000 + 0.5) / 1000
  local env = { MINIMAX_BASE_URL = addresses.base_url, MINIMAX_API_KEY = options.api_keys[1],
    MINIMAX_POLL_INTERVAL = json.encode(seconds) }
  for _, name in ipairs(CERTIFICATE) do
    env[name] = account.ca_file
  end
  return env
end

return service
