--- `minimax doctor`: looks at all that a render needs, one line each, and says
-- what to do where something is wrong.

local minimax = require "minimax"
local codes = require "minimax.cli.codes"
local columns = require "minimax.cli.columns"
local fault = require "minimax.cli.fault"
local key = require "minimax.cli.key"
local probe = require "minimax.cli.probe"
local variable = require "minimax.cli.variable"
local wording = require "minimax.cli.wording"

local doctor = {}

local OFTEN_WRONG = 60 -- seconds that a clock may be wrong

local INTERNATIONAL = "https://api.minimax.io"
local CHINA = "https://api.minimaxi.com"

local REGIONS = {
  ["api.minimax.io"] = { "international", CHINA },
  ["api.minimaxi.com"] = { "China", INTERNATIONAL },
  ["api.minimax.cn"] = { "China", INTERNATIONAL },
}

-- A check returns its state ("ok", "warn" or "fail"), what it found, and what to
-- do about it; for "fail" also the kind of error, which gives the exit code.

local checks = {}

function checks.versions()
  local found, cjson = pcall(require, "cjson")
  return "ok", string.format("minimax %s, %s, lua-cjson %s, %s", minimax._VERSION, _VERSION,
    found and cjson._VERSION or "?", minimax._LIBCURL)
end

-- module, what it is for, rock, Debian's package
local OPTIONAL = {
  { "http.server", "emulator", "http", "lua-http" },
  { "cqueues", "callback-server", "cqueues", "lua-cqueues" },
  { "DBI", "batch", "luadbi-sqlite3", "lua-dbi-sqlite3" },
  { "openssl.digest", "batch with local files", "luaossl", "lua-luaossl" },
}

local function is_there(module)
  require "minimax.common.paths".prepare()
  return package.searchpath(module, package.path) or package.searchpath(module, package.cpath)
end

function checks.optional()
  local missing, advice = {}, {}
  for _, some in ipairs(OPTIONAL) do
    if not is_there(some[1]) then
      missing[#missing + 1] = some[2]
      advice[#advice + 1] = string.format("the rock '%s', on Debian '%s'", some[3], some[4])
    end
  end
  if #missing == 0 then
    return "ok", "all that the other commands need is there"
  end
  return "warn", table.concat(missing, " and ") .. " can't run",
    "install " .. table.concat(advice, "; ")
end

-- Why no client can be made so; nil where it can.
local function refusal(session, options)
  local ok, client = pcall(session.client, session, options)
  if ok then
    client:close()
  elseif fault.is_misuse(client) then
    return tostring(client)
  else
    error(client, 0)
  end
end

-- What the options and the environment say of the way to the server.
function checks.address(state)
  if state.problem then
    return "fail", state.problem, "nothing below can be tried without that", "invalid"
  end
  local _, name = variable("MINIMAX_BASE_URL", "MINIMAX_API_HOST")
  return "ok", string.format("%s (%s)", state.base,
    state.session.arguments.base_url and "--base-url" or name or "the default")
end

local FAMILIES = { { "^sk%-api%-", "pay as you go" }, { "^sk%-cp%-", "a subscription's" } }

function checks.key(state)
  local found, err, from = key.find(state.session.arguments.key_file)
  if err then
    return "fail", err.message, nil, err.kind
  elseif not found then
    return "fail", "there is none", "set MINIMAX_API_KEY, or MINIMAX_API_KEY_FILE to a file "
      .. "with mode 0600", "auth"
  end
  local problem = refusal(state.session, { api_key = found })
  if problem and problem ~= state.problem then
    return "fail", "from " .. from .. ": " .. problem, nil, "auth"
  end
  local family = "of an unknown family"
  for _, known in ipairs(FAMILIES) do
    family = found:find(known[1]) and known[2] or family
  end
  state.has_key = true
  return "ok", string.format("from %s, %d characters, %s", from, #found, family)
end

-- A proxy's URL may hold a password, with a scheme before it or without.
local function without_password(url)
  local scheme, rest = url:match "^(%a[%w+.-]*://)(.*)$"
  return (scheme or "") .. (rest or url):gsub("^.*@", "…@")
end

function checks.proxy(state)
  local from = "--proxy"
  local url = state.session.arguments.proxy
  if not url and state.plain then
    url, from = variable("http_proxy", "all_proxy", "ALL_PROXY")
  elseif not url then
    url, from = variable("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
  end
  if not url then
    return "ok", "none"
  end
  state.proxied = true
  local exempt = from ~= "--proxy" and variable("no_proxy", "NO_PROXY")
  return "ok", without_password(url) .. " (" .. from .. ")"
    .. (exempt and ", but not for " .. exempt or "")
end

local function reached(state)
  state.reach = state.reach or probe.reach(state.session)
  return state.reach
end

local function is_dns_error(err)
  return err.kind == "network" and err.message:find("can't be resolved", 1, true) ~= nil
end

-- The proxy itself has answered, and not the server behind it.
local function is_proxy_refusal(reach)
  return reach.status == 407 or reach.err ~= nil and (reach.err.http_status == 407
    or reach.err.message:find("the proxy wants credentials", 1, true) ~= nil)
end

function checks.dns(state)
  local reach = reached(state)
  if reach.status or not is_dns_error(reach.err) then
    return "ok", state.host .. (state.proxied and " (left to the proxy)" or " has an address")
  end
  return "fail", "the name " .. state.host .. " can't be resolved",
    "check MINIMAX_BASE_URL, the network and the resolver", "network"
end

function checks.connection(state)
  local reach = reached(state)
  if is_proxy_refusal(reach) then
    return "fail", "the proxy wants a user and a password, or others than it got",
      "put them into its URL: http://user:password@host:port, special characters percent-encoded",
      "network"
  elseif reach.status then
    return "ok", string.format("%s answers (HTTP %d)", state.host, reach.status)
  elseif reach.err.kind == "tls" then
    return "ok", state.host .. " accepts connections"
  elseif is_dns_error(reach.err) then
    return "warn", "not tried", "see dns"
  end
  return "fail", wording.of(reach.err.message), "a firewall, or a proxy that is needed here?",
    reach.err.kind
end

function checks.tls(state)
  local reach = reached(state)
  if state.plain and (state.host:find("^127%.") or state.host == "localhost") then
    return "ok", "none, which will do on this machine"
  elseif state.plain then
    return "warn", "none: the key crosses the network in the clear",
      "let the base URL begin with https://"
  elseif is_proxy_refusal(reach) then
    return "warn", "not tried", "see connection"
  elseif reach.status then
    return "ok", "the certificate is trusted"
  elseif reach.err.kind ~= "tls" then
    return "warn", "not tried", "see connection"
  elseif reach.err.retryable then -- no certificate was seen
    return "fail", wording.of(reach.err.message),
      "does this port speak TLS? Something in between may break it off", "tls"
  end
  return "fail", wording.of(reach.err.message), "is the clock right, and ca-certificates "
    .. "installed? A proxy that reads along has a CA of its own: --ca-file", "tls"
end

function checks.clock(state)
  local reach = reached(state)
  local ahead = not is_proxy_refusal(reach) and reach.ahead
  if not reach.status then
    return "warn", "not tried", "see connection"
  elseif not ahead then
    return "warn", "the server did not say what time it is"
  elseif math.abs(ahead) <= OFTEN_WRONG then
    return "ok", string.format("within %d s of the server's", math.max(1, math.abs(ahead)))
  end
  return "warn", string.format("%d s %s the server's", math.abs(ahead),
    ahead > 0 and "ahead of" or "behind"), "set it: certificates and links end at a time"
end

local function other_region(region)
  return region and "; one of the other region needs MINIMAX_BASE_URL=" .. region[2] or ""
end

-- Kinds of the API's own errors that it answers with once it knows the key.
local AFTER_THE_KEY = { invalid = true, failed = true }
local BUT = { balance = true, quota = true, content = true }

-- What the answer to a query with the key says about the key.
local function judge(answer, place, region)
  local err = answer.err
  if not err or err.code and AFTER_THE_KEY[err.kind] then
    return "ok", place .. " accepts the key"
  elseif err.code and BUT[err.kind] then
    return "warn", place .. " accepts the key, but: " .. wording.of(err.message)
  elseif err.code and err.kind == "auth" then
    return "fail", place .. " refuses the key", "check it" .. other_region(region), "auth"
  elseif answer.limited then
    return "warn", place .. " limits requests now, and so does not tell whether it accepts the key",
      "try again in some minutes"
  elseif not answer.status then
    return "fail", wording.of(err.message), "try again", err.kind
  end
  return "fail", string.format("%s does not answer as the API does: HTTP %d, %s", place,
    answer.status, wording.of(err.message)), "is this the API's address, with its path prefix? A "
    .. "proxy or a login page may stand in between", err.kind
end

function checks.region(state)
  local region = REGIONS[state.host]
  local place = state.host .. " (" .. (region and region[1] or "a gateway, or another host") .. ")"
  local reach = reached(state)
  if not state.has_key then
    return "warn", place .. "; the key was not tried", "see key"
  elseif not reach.status or is_proxy_refusal(reach) then
    return "warn", place .. "; the key was not tried", "see connection"
  end
  return judge(probe.authorize(state.session), place, region)
end

local ORDER = { "versions", "optional", "address", "key", "proxy", "dns", "connection", "tls",
  "clock", "region" }

-- Those that ask the server.
local ASKING = { dns = true, connection = true, tls = true, clock = true, region = true }

local WITHOUT_KEY = { api_key = "none", auth = false }

local function new_state(session)
  local problem = refusal(session, WITHOUT_KEY)
  if problem then
    return { session = session, problem = problem }
  end
  local client <close> = session:client(WITHOUT_KEY)
  local url = client:submit({ template_id = "1" }, { dry_run = true }).url
  return { session = session, plain = url:find("^http://") ~= nil,
    base = url:match("^(.*)/v1/"), host = url:match("^%w+://%[?([^/%]]-)%]?:?%d*/") }
end

local function examine(state, name)
  if state.problem and ASKING[name] then
    return "warn", "not tried", "see address"
  end
  return checks[name](state)
end

--- Runs all checks.
-- @return the exit code: that of the first failure
function doctor.run(session)
  local state, code = new_state(session), codes.OK
  for _, name in ipairs(ORDER) do
    local result, found, advice, kind = examine(state, name)
    session.out:emit("check", { name = name, state = result, found = found, advice = advice,
      kind = kind })
    session.out:say("%s", columns.lines { { ("%-4s"):format(result), ("%-10s"):format(name),
      found .. (advice and ": " .. advice or "") } }[1])
    if result == "fail" and code == codes.OK then
      code = codes.of_kind(kind)
    end
  end
  return code
end

return doctor
