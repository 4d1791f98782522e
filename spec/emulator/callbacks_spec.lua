--- lua/minimax/emulator/callbacks.lua: what is sent to a callback_url, and when.

local cqueues = require "cqueues"
local emulated = require "spec.support.emulated"
local http_headers = require "http.headers"
local http_server = require "http.server"
local json = require "minimax.emulator.json"

-- A receiver of callbacks; `answer` makes the reply to a body, and what else it
-- returns is its status and its location.
local function receiver(answer)
  local server = assert(http_server.listen { host = "127.0.0.1", port = 0, tls = false,
    onstream = function(_, stream)
      stream:get_headers()
      local body, status, location = answer(json.decode(stream:get_body_as_string()))
      local headers = http_headers.new()
      headers:append(":status", status or "200")
      if location then
        headers:append("location", location)
      end
      stream:write_headers(headers, false)
      for piece in type(body) == "function" and body or body:gmatch(".+") do
        stream:write_chunk(piece, false)
      end
      stream:write_chunk("", true)
    end,
  })
  assert(server:listen())
  local _, _, port = server:localname()
  return server, "http://127.0.0.1:" .. math.tointeger(port) .. "/callback"
end

-- Runs a function beside a server.
local function beside(server, run)
  local controller = cqueues.new()
  local ended = false
  controller:wrap(function()
    run()
    ended = true
  end)
  controller:wrap(function()
    while not ended do
      assert(server:step(0.05))
    end
  end)
  assert(controller:loop())
  server:close()
end

local function echo(body)
  return json.encode(body.challenge and { challenge = body.challenge } or { status = "success" })
end

describe("the emulator's callbacks", function()
  -- The bodies that a task sends, in their order, until its last.
  local function pushes(kind)
    local bodies = {}
    local server, url = receiver(function(body)
      bodies[#bodies + 1] = body
      cqueues.sleep(0.1) -- meanwhile the task moves on
      return echo(body)
    end)
    beside(server, function()
      local api <close> = emulated.start { speed = 0.001 }
      assert(api:submit(kind, { callback_url = url }))
      for count, seconds in ipairs { 0, 20, 40 } do
        local before = #bodies
        api.emu:advance(seconds)
        if count ~= 2 or kind == "video2" then
          emulated.wait_until(function()
            return #bodies > before and (count > 1 or #bodies >= 2)
          end, "a push")
        end
      end
    end)
    return bodies
  end

  it("begin with a challenge and end with the link, in lower case", function()
    local bodies = pushes "template"
    assert.equal(3, #bodies)
    assert.truthy(bodies[1].challenge:find("^%x+%-%x+%-%x+%-%x+%-%x+$"))
    assert.equal("processing", bodies[2].status)
    assert.equal("success", bodies[3].status)
    assert.truthy(bodies[3].video_url)
    assert.equal(0, bodies[3].base_resp.status_code)
  end)

  it("of a video leave out the size of the picture", function()
    local bodies = pushes "video"
    assert.equal("success", bodies[3].status)
    assert.truthy(#bodies[3].file_id > 0)
    assert.is_nil(bodies[3].video_width)
  end)

  it("of the second family use its own words and shape", function()
    local bodies = pushes "video2"
    local words = {}
    for index = 2, #bodies do
      words[index - 1] = bodies[index].task.status
    end
    assert.same({ "queued", "running", "succeeded" }, words)
  end)

  it("end where the challenge is not returned, and the task goes on", function()
    local server, url = receiver(function() return '{"challenge":"another"}' end)
    beside(server, function()
      local api <close> = emulated.start()
      local id = assert(api:submit("template", { callback_url = url }))
      emulated.wait_until(function()
        local sent = api.emu:callbacks()
        return sent[1] and sent[1].passed ~= nil
      end, "the challenge")
      api.emu:advance(60)
      assert.equal("Success", api:query("template", id).status)
      local sent = api.emu:callbacks()
      assert.equal(1, #sent)
      assert.is_false(sent[1].passed)
      assert.equal(id, sent[1].task_id)
      assert.equal(200, sent[1].status)
    end)
  end)

  -- What comes of a challenge, once it is known.
  local function challenged(answer)
    local entry
    local server, url = receiver(answer)
    beside(server, function()
      local api <close> = emulated.start()
      assert(api:submit("template", { callback_url = url }))
      emulated.wait_until(function()
        entry = api.emu:callbacks()[1]
        return entry and entry.passed ~= nil
      end, "the challenge")
    end)
    return entry
  end

  it("want the challenge with a status that says yes, from where they asked", function()
    assert.is_true(challenged(echo).passed)
    for _, status in ipairs { "500", "404", "302", "307" } do
      local bodies = 0
      local entry = challenged(function(body)
        bodies = bodies + 1
        return echo(body), status, "/elsewhere"
      end)
      assert.same({ false, tonumber(status), 1 }, { entry.passed, entry.status, bodies })
    end
  end)

  it("give the challenge three seconds, all in all", function()
    local function slow(head, rest)
      return function(body)
        cqueues.sleep(head)
        local pieces = { echo(body):sub(1, 5), echo(body):sub(6) }
        return function()
          if #pieces == 1 then
            cqueues.sleep(rest)
          end
          return table.remove(pieces, 1)
        end
      end
    end
    assert.is_true(challenged(slow(0.1, 0.1)).passed)
    local entry = challenged(slow(2, 2))
    assert.is_false(entry.passed)
    assert.matches("timed out", entry.error)
  end)

  it("do not mind that nobody is there", function()
    local api <close> = emulated.start()
    assert(api:submit("template", { callback_url = "http://127.0.0.1:1/" }))
    emulated.wait_until(function()
      return (api.emu:callbacks()[1] or {}).error
    end, "the refusal")
    assert.is_false(api.emu:callbacks()[1].passed)
  end)
end)
