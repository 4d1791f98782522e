--- Groups of cases with Prism between the client and the emulator.
--
--     local proxied = require "spec.support.proxied" { it = it, pending = pending, ... }
--
-- `proxied.group(document, options, define)` declares a group; `define` gets its
-- `via`, which holds, when the cases run: `emu`, `url` (Prism's), `proxy`, `client`
-- (through Prism) and `direct` (past it).

local assert = require "luassert"
local emulator = require "minimax.emulator"
local minimax = require "minimax"
local prism = require "spec.support.prism"

local proxied = {}

local Via = {}
Via.__index = Via
Via.__name = "proxied"

--- A copy of a table with some fields changed.
function proxied.with(fields, changes)
  local copy = {}
  for name, value in pairs(fields) do
    copy[name] = value
  end
  for name, value in pairs(changes) do
    copy[name] = value
  end
  return copy
end

--- A client that tries once, so that each answer is seen as it is.
function proxied.client(url, key)
  return minimax.new { base_url = url, api_key = key, retries = 0, poll_interval = 0.05 }
end

--- Starts Prism with a document before an emulator.
function proxied.proxy(document, emu)
  -- Prism forwards whole paths, a gateway's prefix with them.
  return prism.proxy("spec/openapi/" .. document, emu.base_url:match("^http://[^/]+"))
end

function Via:open()
  self.emu = assert(emulator.start(proxied.with({ speed = 600 }, self.options)))
  self.proxy = proxied.proxy(self.document, self.emu)
  self.url = self.proxy.url .. (self.options.path_prefix or "")
  self.client = proxied.client(self.url, self.emu.api_key)
  self.direct = proxied.client(self.emu.base_url, self.emu.api_key)
end

function Via:close()
  for _, name in ipairs { "client", "direct", "proxy" } do
    if self[name] then
      self[name]:close()
    end
  end
  if self.emu then
    self.emu:stop()
  end
end

--- Makes the emulator answer every request to an endpoint in this way.
function Via:faulty(endpoint, fault)
  self.emu:fault(proxied.with({ endpoint = endpoint, attempt = "all" }, fault))
end

-- The declarations of one spec file: `busted` is its own environment.
return function(busted)
  local case, installed = prism.cases(busted.it, busted.pending)

  --- A case in which traffic goes through Prism, which finds no fault with it.
  function Via:passes(title, fn)
    case("passes " .. title, function()
      local replies, complaints = #self.proxy:replies(), #self.proxy:violations()
      fn(self.client)
      assert.is_true(#self.proxy:replies() > replies, "nothing went through Prism")
      local violations = self.proxy:violations()
      assert.same({}, table.move(violations, complaints + 1, #violations, 1, {}))
    end)
  end

  --- Cases in which the emulator refuses with a code, which reaches the client.
  -- @param kinds code to the error's kind
  function Via:passes_refusals(endpoint, kinds, ask)
    for code, kind in pairs(kinds) do
      self:passes("the refusal " .. code, function(client)
        self:faulty(endpoint, { fault = "code", code = code })
        local value, err = ask(client)
        assert.is_nil(value)
        assert.same({ kind, code }, { err.kind, err.code })
      end)
    end
  end

  --- A case in which Prism stops a request before the emulator sees it.
  function Via:stops(title, ask)
    case("stops " .. title, function()
      local before = #self.emu:requests()
      local value, err = ask(self.client)
      assert.is_nil(value)
      assert.equal(422, err.http_status)
      assert.equal(before, #self.emu:requests())
    end)
  end

  --- A case in which the emulator answers wrongly and Prism says so.
  function Via:notices(title, endpoint, fault, ask)
    case("notices " .. title, function()
      local complaints = #self.proxy:violations()
      self:faulty(endpoint, fault)
      local value, err = ask(self.client)
      assert.is_nil(value)
      assert.equal(500, err.http_status)
      assert.is_true(#self.proxy:violations() > complaints)
    end)
  end

  function proxied.group(document, options, define)
    busted.describe("the emulator through Prism with " .. document, function()
      local via = setmetatable({ document = document, options = options }, Via)
      if installed then
        busted.setup(function() via:open() end)
        busted.teardown(function() via:close() end)
        busted.after_each(function() via.emu:clear() end)
      end
      define(via)
    end)
  end

  return proxied
end
