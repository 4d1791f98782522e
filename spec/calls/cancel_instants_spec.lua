-- A call may be cancelled at each instant of its life, in each way. Here some
-- rounds of each; `spec/torture/cancel.lua` does thousands.

local instants = require "spec.support.instants"

describe("a call", function()
  local places

  lazy_setup(function()
    places = instants.places()
  end)

  lazy_teardown(function()
    places:close()
  end)

  local names = {
    lookup = "in the name lookup", connect = "in the connect", handshake = "in the TLS handshake",
    headers = "while its answer is awaited", body = "in the answer's body",
    backoff = "in the sleep before the next attempt",
  }
  local ways = {
    close = "closing its coroutine", client = "closing its client", abort = "abort",
    collect = "dropping it", state = "closing the Lua state",
  }

  for _, at in ipairs(instants.when) do
    for _, by in ipairs(instants.how) do
      it(names[at] .. " is cancelled at once by " .. ways[by], function()
        local result = places:cancel { at = at, by = by, rounds = 10, lookup = 500 }
        assert.equal(0, result.descriptors)
        -- The promise is 50 ms; a busy machine may take the processor away.
        assert.is_true(result.longest < 0.3, result.longest .. " s")
      end)
    end
  end
end)
