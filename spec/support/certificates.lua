--- Certificates for the TLS specs, made anew in memory on each run: one
-- authority of our own, and under it what a server may show.

local altname = require "openssl.x509.altname"
local context = require "openssl.ssl.context"
local name = require "openssl.x509.name"
local pkey = require "openssl.pkey"
local x509 = require "openssl.x509"

local certificates = {}

local DAY = 24 * 3600

local function new_key()
  return pkey.new { type = "EC", curve = "prime256v1" }
end

local function new_certificate(subject, key, days_from, days_to)
  local certificate = x509.new()
  local now = os.time()
  certificate:setVersion(3)
  certificate:setSerial(math.random(1, 0x7fffffff))
  certificate:setSubject(name.new():add("CN", subject))
  certificate:setPublicKey(key)
  certificate:setLifetime(now + days_from * DAY, now + days_to * DAY)
  return certificate
end

local function new_authority(subject)
  local key = new_key()
  local certificate = new_certificate(subject, key, -1, 30)
  certificate:setIssuer(certificate:getSubject())
  certificate:setBasicConstraints { CA = true }
  certificate:setBasicConstraintsCritical(true)
  certificate:sign(key)
  return { key = key, certificate = certificate }
end

local function host_names(kind)
  if kind == "wrong_host" then
    return altname.new():add("DNS", "other.example.invalid")
  end
  return altname.new():add("DNS", "localhost"):add("IP", "127.0.0.1"):add("IP", "::1")
end

--- Makes an authority.
-- @return an object with `pem`, the text for `ca_file`
function certificates.authority()
  local authority = new_authority("minimax spec authority")
  authority.pem = authority.certificate:toPEM()
  return authority
end

-- Chooses a protocol where the client offers it.
local function select(wanted)
  return function(_, offered)
    for _, protocol in ipairs(offered) do
      if protocol == wanted then
        return protocol
      end
    end
  end
end

--- A certificate and its key.
-- @param authority from `certificates.authority`
-- @param kind `"good"` for localhost and its addresses, `"expired"`,
--   `"wrong_host"`, or `"unknown_authority"`
function certificates.make(authority, kind)
  local signer = kind == "unknown_authority" and new_authority("nobody knows me") or authority
  local key = new_key()
  local expired = kind == "expired"
  local from, to = expired and -20 or -1, expired and -10 or 30
  local certificate = new_certificate("localhost", key, from, to)
  certificate:setIssuer(signer.certificate:getSubject())
  certificate:setSubjectAlt(host_names(kind))
  certificate:sign(signer.key)
  return certificate, key
end

--- A TLS server context.
-- @param authority from `certificates.authority`
-- @param kind as above, or `"h2"` and `"http/1.1"`: a good one for who offers
--   that (ALPN)
function certificates.context(authority, kind)
  local certificate, key = certificates.make(authority, kind)
  local server = context.new("TLS", true)
  server:setCertificate(certificate)
  server:setPrivateKey(key)
  if kind == "h2" or kind == "http/1.1" then
    server:setAlpnSelect(select(kind))
  end
  return server
end

return certificates
