-- Every pass over bytes from outside takes a time that grows as they do: twice
-- the bytes, twice the work. The work is counted (spec/support/counter.c), not
-- timed.

local native = require "spec.support.native"
local process = require "spec.support.process"
local wire = require "spec.support.wire"

local SIZE = 10000

local HEAD = ([[
  local COUNTED, URL = ...
  package.cpath = COUNTED:gsub("[^/]*$", "?.so;") .. package.cpath
  local work = assert(package.loadlib(COUNTED, "luaopen_counter"))()
  local minimax = require "minimax"
  local host = require "spec.support.host"
  local texts = require "spec.support.hostile_texts"
  local SIZE = %d
  -- Runs it with texts of one size and of eight times that, and prints what takes
  -- far more than eight times the work: with its square it would be sixty-four.
  local function compare(name, run)
    local counts = {}
    for i, size in ipairs { SIZE, 8 * SIZE } do
      local before = work()
      run(size)
      counts[i] = work() - before
    end
    assert(counts[1] > 0, name)
    if counts[2] > 15 * counts[1] then
      print(("%%s: %%d and %%d"):format(name, counts[1], counts[2]))
    end
  end
]]):format(SIZE)

local SERVE = [==[
  local connection = ...
  local texts = require "spec.support.hostile_texts"
  local function unescape(text)
    return (text:gsub("%%(%x%x)", function(digits)
      return string.char(tonumber(digits, 16))
    end))
  end
  while true do
    local request = connection:read_request()
    if not request then
      return
    end
    local size, status, name = unescape(request.path):match("^/(%d+)/(%d+)/body/([^/]*)/v%d")
    connection:reply(tonumber(status), {}, texts[name](math.tointeger(tonumber(size))))
  end
]==]

describe("the work over bytes from outside grows as they do", function()
  local counted

  lazy_setup(function()
    counted = native.counted()
  end)

  local function check(script, ...)
    local result = process.run { script = HEAD .. script, args = { counted, ... }, timeout = 120 }
    assert.same({ code = 0, out = "", err = "", timed_out = false }, result)
  end

  it("in the body of a callback", function()
    check [[
      local client = minimax.new { api_key = "sk-hostile-key" }
      for name, make in pairs(texts) do
        compare(name, function(size)
          local _, err = client:callback(make(size))
          return tostring(err)
        end)
      end
    ]]
  end)

  for status, which in pairs { [200] = "", [400] = "^a refusal", [502] = "^nothing" } do
    it("in a reply with HTTP status " .. status, function()
      local server <close> = wire.start { serve = SERVE }
      check([[
        local function client_for(size, name)
          local answered
          local client = minimax.new { base_url = URL .. size .. "/]] .. status .. [[/body/"
              .. name:gsub(" ", "%%20") .. "/", api_key = "sk-hostile-key", retries = 0,
            on_event = function(event)
              answered = answered or event.type == "response"
            end }
          return client, function()
            return answered
          end
        end
        for name in pairs(texts) do
          local run = name:find "]] .. which .. [[" and compare or function() end
          run(name, function(size)
            local client <close>, answered = client_for(size, name)
            local co = coroutine.create(client.wait)
            assert(coroutine.resume(co, client, "task_12345678", { timeout = 20 }))
            repeat
              host.sleep()
              minimax.step()
            until answered()
            coroutine.close(co)
            if name:find "^a refusal" or name:find "^nothing" then
              local _, err = client:submit({ template_id = "1" }, { timeout = 20 })
              tostring(err)
            end
          end)
        end
      ]], server.url .. "/")
    end)
  end

  it("in a request's own texts", function()
    check [[
      local client = minimax.new { api_key = "sk-hostile-key" }
      for name, make in pairs(texts) do
        compare(name, function(size)
          -- Longer than what lua-cjson is given.
          client:submit({ template_id = "1", a = make(8 * size) }, { dry_run = true })
        end)
      end
    ]]
  end)
end)
