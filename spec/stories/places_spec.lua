-- One wait, unchanged, in each place of the contract's table: what goes wrong in
-- one leaves the loop undamaged, and the next wait in it works.

local cases = require "spec.support.place_cases"
local places = require "spec.support.places"
local tasks = require "spec.support.tasks"
local temp = require "spec.support.temp"

describe("a wait in", function()
  local folder
  local apis, children = {}, {}

  -- They sleep most of the time: all at once, then.
  setup(function()
    folder = temp.folder()
    places.build_host(folder)
    for _, place in ipairs(places.list) do
      apis[place] = tasks.start(places.plans)
      local started, child = pcall(places.start, place, apis[place], folder)
      children[place] = started and child or nil
    end
  end)

  teardown(function()
    for place, child in pairs(children) do
      child:close()
      apis[place]:stop()
    end
    folder:close()
  end)

  for _, place in ipairs(places.list) do
    describe(place.name, function()
      local results

      setup(function()
        -- What could not be started, for want of a module, says so here.
        results = places.finish(children[place] or places.start(place, apis[place], folder))
      end)

      it("leaves nothing to be done, and the loop ends", function()
        assert.equal(0, results.code, results.err)
        assert.equal("fine", results["the end"], results.err)
      end)

      for _, case in ipairs(cases) do
        if not (case.spawns and place.alone) then
          it("stands " .. case.name, function()
            assert.equal("fine", results[case.name], results.err)
          end)
        end
      end
    end)
  end
end)
