-- The client against something that nobody here wrote: Prism as a mock server of
-- the published OpenAPI documents, and of ours for the other endpoints.

local minimax = require "minimax"
local picture = require "spec.support.picture"
local prism = require "spec.support.prism"
local temp = require "spec.support.temp"

local folder = temp.folder()
local PET = folder:write("pet.png", picture.png())
local RANDOM_REPLIES = 50

local KINDS = {}
for kind in ([[auth balance quota rate_limit content invalid server timeout network tls protocol
  failed unknown cancelled expired io]]):gmatch("%S+") do
  KINDS[kind] = true
end

local case, installed = prism.cases(it, pending)

-- A client that tries once, so that each answer is seen as it is.
local function client_of(url, headers)
  return minimax.new { base_url = url, api_key = "sk-api-example", retries = 0, headers = headers }
end

-- A client of a mock that prefers this answer of the document.
local function preferring(mock, prefer)
  return client_of(mock.url, { Prefer = prefer })
end

local VIDEO2 = {
  model = "MiniMax-H3",
  content = { { type = "text", text = "A lion." } },
  resolution = "768P",
  duration = 5,
  ratio = "16:9",
}

-- A group of cases against a mock of one document; `define` gets a table whose
-- `url` is there when the cases run.
local function mocked(name, define)
  describe("Prism as a mock of " .. name, function()
    local mock = {}
    local server
    setup(function()
      if installed then
        server = prism.mock("spec/openapi/" .. name)
        mock.url = server.url
      end
    end)
    teardown(function()
      if server then
        server:close()
      end
    end)
    define(mock)
  end)
end

-- Asks `ask(client)` for random replies within the document, each on a client
-- of its own, and checks that each gives a value or a contracted error.
local function survives(mock, ask)
  local values, errors = 0, 0
  for _ = 1, RANDOM_REPLIES do
    local client <close> = preferring(mock, "dynamic=true")
    local value, err = ask(client)
    if value then
      assert.is_table(value)
      values = values + 1
    else
      assert.is_true(KINDS[err.kind], tostring(err.kind))
      assert.is_nil(tostring(err):find("\n", 1, true))
      errors = errors + 1
    end
  end
  return values, errors
end

teardown(function()
  folder:close()
end)

mocked("video_template_generation.yaml", function(mock)
  case("gives the example's task", function()
    local client <close> = client_of(mock.url)
    local task = assert(client:submit {
      template_id = "393769180141805569",
      media_inputs = { minimax.file(PET) },
      text_inputs = { "Lion" },
    })
    assert.equal("401047179385389059", task.task_id)
    assert.equal("template", task.kind)
  end)
end)

mocked("query_video_template_generation.yaml", function(mock)
  case("gives the example's status", function()
    local client <close> = client_of(mock.url)
    local status = assert(client:query "401047179385389059")
    assert.equal("succeeded", status.state)
    assert.equal("Success", status.status)
    assert.equal("https://cdn.hailuoai.com/prod/video_20250714_141232_cdc5ba74.mp4", status.url)
  end)

  case("gives a status or an error for random replies", function()
    local values, errors = survives(mock, function(client)
      return client:query "401047179385389059"
    end)
    assert.is_true(values > 0 and errors > 0, values .. " values, " .. errors .. " errors")
  end)
end)

mocked("query_video_generation.yaml", function(mock)
  case("gives the example's status", function()
    local client <close> = client_of(mock.url)
    local status = assert(client:query("176843862716480", { kind = "video" }))
    assert.equal("succeeded", status.state)
    assert.equal("176844028768320", status.file_id)
    assert.equal("integer", math.type(status.video_width))
    assert.equal(1920, status.video_width)
  end)

  case("gives a status or an error for random replies", function()
    local values, errors = survives(mock, function(client)
      return client:query("176843862716480", { kind = "video" })
    end)
    assert.is_true(values > 0 and errors > 0, values .. " values, " .. errors .. " errors")
  end)
end)

mocked("phanedge_query_video_generation.yaml", function(mock)
  local ID = "video_01JABCDEFGHJKMNPQRSTVWXYZ0"

  case("gives an empty object, which is no answer", function()
    local client <close> = client_of(mock.url .. "/minimaxi")
    local status, err = client:query(ID)
    assert.is_nil(status)
    assert.equal("protocol", err.kind)
  end)

  case("gives a status or an error for random replies", function()
    local _, errors = survives({ url = mock.url .. "/minimaxi" }, function(client)
      return client:query(ID)
    end)
    assert.is_true(errors > 0)
  end)
end)

mocked("video_generation.yaml", function(mock)
  local request = { model = "MiniMax-Hailuo-2.3", prompt = "A lion." }

  case("gives the example's task", function()
    local client <close> = preferring(mock, "example=accepted")
    local task = assert(client:submit(request))
    assert.equal("106916112212032", task.task_id)
    assert.equal("video", task.kind)
  end)

  local refusals = {
    not_authorized = { "auth", 1004 },
    insufficient_balance = { "balance", 1008 },
    sensitive_input = { "content", 1026 },
    invalid_parameters = { "invalid", 2013 },
    plan_without_model = { "quota", 2061 },
  }
  for example, wanted in pairs(refusals) do
    case("gives " .. wanted[1] .. " for " .. example, function()
      local client <close> = preferring(mock, "example=" .. example)
      local task, err = client:submit(request)
      assert.is_nil(task)
      assert.same(wanted, { err.kind, err.code })
    end)
  end
end)

mocked("files.yaml", function(mock)
  case("gives the example's file with its link", function()
    local client <close> = preferring(mock, "example=file")
    local file = assert(client:retrieve "335797537439947")
    assert.equal("335797537439947", file.file_id)
    assert.truthy(file.url:find("inference_output%2Fvideo%2F", 1, true))
    assert.equal(1763567386, file.expires_at)
  end)

  case("gives invalid for an unknown file", function()
    local client <close> = preferring(mock, "example=unknown_file")
    local file, err = client:retrieve "335797537439947"
    assert.is_nil(file)
    assert.same({ "invalid", 2013 }, { err.kind, err.code })
  end)

  case("gives the stored file of an upload", function()
    local client <close> = preferring(mock, "example=stored")
    local file = assert(client:upload(PET))
    assert.equal("418201399554182", file.file_id)
  end)

  case("gives invalid for a file that does not conform", function()
    local client <close> = preferring(mock, "code=400")
    local file, err = client:upload(PET)
    assert.is_nil(file)
    assert.same({ "invalid", 400 }, { err.kind, err.http_status })
  end)

  case("gives what a call asks for", function()
    local client <close> = client_of(mock.url)
    local query = { purpose = "video_generation_input" }
    local list = assert(client:call("GET", "/v1/files/list", { query = query }))
    assert.equal("418201399554182", list.files[1].file_id)
    local body = { file_id = 335797537439947, purpose = "video_generation" }
    local deleted = assert(client:call("POST", "/v1/files/delete", { body = body }))
    assert.equal("335797537439947", deleted.file_id)
  end)

  case("gives a file or an error for random replies", function()
    local values, errors = survives(mock, function(client)
      return client:retrieve("335797537439947", { timeout = 1 })
    end)
    assert.is_true(values > 0 and errors > 0, values .. " values, " .. errors .. " errors")
  end)

  case("gives a table or an error for random lists", function()
    survives(mock, function(client)
      local options = { query = { purpose = "voice_clone" }, timeout = 1 }
      return client:call("GET", "/v1/files/list", options)
    end)
  end)
end)

mocked("video_generation_v2.yaml", function(mock)
  local ID = "424010985738629"

  case("gives the example's task", function()
    local client <close> = client_of(mock.url)
    local task = assert(client:submit(VIDEO2))
    assert.equal(ID, task.task_id)
    assert.equal("video2", task.kind)
  end)

  local refusals = {
    [400] = { "invalid", 2013 },
    [401] = { "auth", 1004 },
    [402] = { "balance", 1008 },
    [422] = { "content", 1026 },
    [500] = { "unknown", 1000 },
  }
  for status, wanted in pairs(refusals) do
    case("gives " .. wanted[1] .. " for a submit answered with " .. status, function()
      local client <close> = preferring(mock, "code=" .. status)
      local task, err = client:submit(VIDEO2)
      assert.is_nil(task)
      assert.same(wanted, { err.kind, err.code })
      assert.equal(status, err.http_status)
      assert.equal("021785229015510a2c883cf675b9804d", err.trace_id)
    end)
  end

  case("gives rate_limit for a submit that is answered with 429 to its deadline", function()
    local client <close> = preferring(mock, "code=429")
    local task, err = client:submit(VIDEO2, { timeout = 0.5 })
    assert.is_nil(task)
    assert.equal("rate_limit", err.kind)
  end)

  local states = {
    succeeded = "succeeded",
    queued = "queued",
    failed = "failed",
  }
  for example, state in pairs(states) do
    case("gives the status " .. example, function()
      local client <close> = preferring(mock, "example=" .. example)
      local status = assert(client:query(ID, { kind = "video2" }))
      assert.equal(state, status.state)
      assert.equal("MiniMax-H3", status.model)
      assert.equal("string", type(status.id))
      assert.equal(1785229015, status.created_at)
    end)
  end

  case("gives a success with the text of a task that writes a prompt", function()
    local client <close> = preferring(mock, "example=enhanced_prompt")
    local status = assert(client:query("424010985738631", { kind = "video2" }))
    assert.equal("succeeded", status.state)
    assert.equal("string", type(status.content.prompt))
  end)

  case("gives a list", function()
    local client <close> = preferring(mock, "example=page")
    local page = assert(client:list { page_num = 1, task_ids = { ID, "424010985738630" } })
    assert.equal(2, page.total)
    assert.same({ "succeeded", "queued" }, { page.items[1].state, page.items[2].state })
  end)

  case("gives a status or an error for random replies", function()
    -- Their ids are as random: mostly they are about another task.
    local values, errors = survives(mock, function(client)
      return client:query(ID, { kind = "video2" })
    end)
    assert.is_true(values + errors > 0)
  end)

  case("gives a page or an error for random lists", function()
    local values = survives(mock, function(client)
      return client:list {}
    end)
    assert.is_true(values > 0)
  end)
end)
