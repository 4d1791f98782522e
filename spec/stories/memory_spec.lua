--- Memory that ends, in Lua's allocator and outside of it: nothing is lost, left
-- or closed. `torture/memory.lua` tries each place; here are some of each kind.

local starving = require "spec.support.starving"

describe("memory that ends", function()
  local host

  setup(function()
    host = starving.start()
  end)

  teardown(function()
    host:close()
  end)

  for way, cases in pairs {
    ["lua"] = { submit = 3, bare = 4, run = 5, dry = 3, download = 3, each = 9,
      generate = 9, call = 4, strange = 5, new = 4 },
    ["module epoll_ctl EPERM"] = { submit = 1 },
    ["burst 400"] = { submit = 7, run = 5, wait = 9, dropped = 3 },
    ["limit"] = { run = 13 },
    ["module malloc ENOMEM"] = { submit = 2, wait = 3, download = 4, call = 3, sink = 2,
      cancel = 2 },
    ["libcurl malloc ENOMEM"] = { submit = 8, wait = 9 },
  } do
    for case, every in pairs(cases) do
      it(("(%s) costs a %s nothing but its own result"):format(way, case), function()
        local runs, wrong = host:play(way, case, every)
        assert.same({}, wrong)
        assert.is_true(runs > 0)
      end)
    end
  end
end)
