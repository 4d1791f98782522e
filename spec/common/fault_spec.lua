--- Errors that are made in Lua: the same objects as those of the C module.

local batch = require "minimax.batch"
local fault = require "minimax.common.fault"
local minimax = require "minimax"
local of_batch = require "minimax.batch.fault"

-- An error of the C module, from its public interface.
local function native()
  local _, err = minimax.callback "no callback"
  return err
end

describe("an error that is made in Lua", function()
  it("is of the module's own type", function()
    local _, opened = batch.open "/no/such/folder/ledger.db"
    for _, err in ipairs { fault.new("io", "x"), of_batch.new("io", "x"), opened } do
      assert.equal(getmetatable(native()), getmetatable(err))
    end
  end)

  it("prints its code and its trace, and joins texts as the module's do", function()
    local err = of_batch.restore { error_kind = "content", error = "refused", task_id = "7",
      error_details = '{"code":1026,"http_status":200,"stage":"submit","trace_id":"0a"}' }
    local line = "minimax submit: refused (content, code 1026, HTTP 200, task 7, trace 0a)"
    assert.equal(line, tostring(err))
    assert.equal("job: " .. line .. "!", "job: " .. err .. "!")
  end)

  it("is one line that steers no terminal, whatever it tells of", function()
    assert.equal("minimax: a b [2J (io)", tostring(fault.new("io", "%s", "a\nb\27[2J")))
  end)

  it("can be retried where its kind can", function()
    for kind, retryable in pairs { network = true, timeout = true, io = false, unknown = false,
      of_a_newer_version = false } do
      assert.equal(retryable, of_batch.restore { error_kind = kind, error = "" }.retryable)
    end
  end)
end)
