--- TLS for the emulator: a certificate of its own, made in memory.

local altname = require "openssl.x509.altname"
local context = require "openssl.ssl.context"
local name = require "openssl.x509.name"
local pkey = require "openssl.pkey"
local x509 = require "openssl.x509"

local tls = {}

local DAY = 24 * 3600
local PROTOCOLS = { h2 = true, ["http/1.1"] = true }

-- HTTP/2 where the client offers it, as the order of its offer says.
local function select_protocol(_, offered)
  for _, protocol in ipairs(offered) do
    if PROTOCOLS[protocol] then
      return protocol
    end
  end
end

local function new_certificate(key)
  local certificate = x509.new()
  local subject = name.new():add("CN", "minimax emulator")
  certificate:setVersion(3)
  certificate:setSerial(math.random(1, 0x7fffffff))
  certificate:setSubject(subject)
  certificate:setIssuer(subject)
  certificate:setSubjectAlt(altname.new():add("DNS", "localhost"):add("IP", "127.0.0.1"))
  certificate:setLifetime(os.time() - DAY, os.time() + 30 * DAY)
  certificate:setBasicConstraints { CA = true }
  certificate:setBasicConstraintsCritical(true)
  certificate:setPublicKey(key)
  certificate:sign(key)
  return certificate
end

local function write_file(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())
  return path
end

--- A context for a server, and the certificate that its clients must trust.
-- @return the context, and the path of a PEM file with the certificate, because
--   libcurl wants a file; who calls removes it
function tls.server()
  local key = pkey.new { type = "EC", curve = "prime256v1" }
  local certificate = new_certificate(key)
  local server = context.new("TLS", true)
  server:setCertificate(certificate)
  server:setPrivateKey(key)
  server:setAlpnSelect(select_protocol)
  return server, write_file(certificate:toPEM())
end

--- A context for a client that asks no questions: callbacks go to a script under
-- test, on this machine as a rule.
function tls.trusting_context()
  local client = context.new("TLS", false)
  client:setVerify(context.VERIFY_NONE)
  return client
end

return tls
