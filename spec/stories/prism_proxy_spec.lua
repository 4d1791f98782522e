-- The client and the emulator with something between them that nobody here
-- wrote: Prism as a proxy that checks every request and every reply against the
-- four published OpenAPI documents.

local minimax = require "minimax"
local picture = require "spec.support.picture"
local temp = require "spec.support.temp"
local proxied = require "spec.support.proxied" {
  describe = describe,
  it = it,
  pending = pending,
  setup = setup,
  teardown = teardown,
  after_each = after_each,
}

local folder = temp.folder()
local PET = folder:write("pet.png", picture.png())
local TEMPLATE = {
  template_id = "393769180141805569",
  media_inputs = { minimax.file(PET) },
  text_inputs = { "Lion" },
}
local VIDEO = { model = "MiniMax-Hailuo-2.3", prompt = "A lion." }

teardown(function()
  folder:close()
end)

proxied.group("video_template_generation.yaml", {}, function(via)
  via:passes("a submit with a local image", function(client)
    local task = assert(client:submit(TEMPLATE))
    assert.truthy(task.task_id:find("^%d+$"))
  end)

  via:passes("a wrong key", function()
    local client <close> = proxied.client(via.url, "sk-api-wrong")
    local _, err = client:submit(TEMPLATE)
    assert.equal("auth", err.kind)
    assert.truthy(err.code)
  end)

  local refusals = { [1008] = "balance", [1026] = "content", [2013] = "invalid" }
  via:passes_refusals("submit", refusals, function(client)
    return client:submit(TEMPLATE)
  end)

  via:stops("a number for a URL", function(client)
    return client:submit(proxied.with(TEMPLATE, { callback_url = 5 }))
  end)

  via:stops("a text that is no object", function(client)
    local body = { template_id = TEMPLATE.template_id, text_inputs = { 5 } }
    return client:call("POST", "/v1/video_template_generation", { body = body })
  end)

  via:notices("a bare id", "submit", { fault = "bare_ids" }, function(client)
    return client:submit(TEMPLATE)
  end)
end)

proxied.group("query_video_template_generation.yaml", {}, function(via)
  via:passes("a wait to its end, and the file downloads", function(client)
    local task = assert(via.direct:submit(TEMPLATE))
    local status = assert(client:wait(task.task_id, { timeout = 30 }))
    local info = assert(client:download(status, folder:file "lion.mp4"))
    assert.is_true(info.bytes > 0)
  end)

  via:passes("a failure", function(client)
    via:faulty("submit", { fault = "fail", code = 1026 })
    local task = assert(via.direct:submit(TEMPLATE))
    local _, err = client:wait(task.task_id, { timeout = 30 })
    assert.same({ "failed", 1026, "Fail" }, { err.kind, err.code, err.status.status })
  end)

  via:passes("the answer to an unknown task", function(client)
    local _, err = client:query "1"
    assert.equal("invalid", err.kind)
  end)

  local refusals = { [1004] = "auth", [1026] = "content", [1027] = "content" }
  via:passes_refusals("query", refusals, function(client)
    return client:query(assert(via.direct:submit(TEMPLATE)).task_id)
  end)

  via:stops("a query of no task", function(client)
    return client:call("GET", "/v1/query/video_template_generation")
  end)

  local finished = { fault = "status", status = "Finished" }
  via:notices("a status that the document lacks", "query", finished, function(client)
    return client:query(assert(via.direct:submit(TEMPLATE)).task_id)
  end)
end)

proxied.group("query_video_generation.yaml", {}, function(via)
  via:passes("a wait to its end", function(client)
    local task = assert(via.direct:submit(VIDEO))
    local status = assert(client:wait(task.task_id, { kind = "video", timeout = 30 }))
    assert.truthy(status.file_id:find("^%d+$"))
    assert.equal("integer", math.type(status.video_width))
  end)

  for _, word in ipairs { "Preparing", "Queueing", "Processing" } do
    via:passes("the status " .. word, function(client)
      local task = assert(via.direct:submit(VIDEO))
      via:faulty("query", { fault = "status", status = word })
      local status = assert(client:query(task.task_id, { kind = "video" }))
      assert.equal(word, status.status)
    end)
  end

  via:passes("a failure", function(client)
    via:faulty("submit", { fault = "fail" })
    local task = assert(via.direct:submit(VIDEO))
    local _, err = client:wait(task.task_id, { kind = "video", timeout = 30 })
    assert.same({ "failed", 1027, "Fail" }, { err.kind, err.code, err.status.status })
  end)

  via:passes("the answer to an unknown task", function(client)
    local _, err = client:query("1", { kind = "video" })
    assert.equal("invalid", err.kind)
  end)

  via:stops("a query of no task", function(client)
    return client:call("GET", "/v1/query/video_generation")
  end)

  via:notices("bare ids", "query", { fault = "bare_ids" }, function(client)
    local task = assert(via.direct:submit(VIDEO))
    return client:query(task.task_id, { kind = "video" })
  end)

  via:notices("a null", "query", { fault = "null_fields", fields = { "task_id" } }, function(client)
    local task = assert(via.direct:submit(VIDEO))
    return client:query(task.task_id, { kind = "video" })
  end)
end)

local GATEWAY = { path_prefix = "/minimaxi", ids = "ulid" }
proxied.group("phanedge_query_video_generation.yaml", GATEWAY, function(via)
  via:passes("a wait to its end", function(client)
    local task = assert(via.direct:submit(VIDEO))
    assert.truthy(task.task_id:find("^video_"))
    local status = assert(client:wait(task.task_id, { timeout = 30 }))
    assert.truthy(status.file_id)
  end)

  via:passes("the failure's other spelling", function(client)
    local task = assert(via.direct:submit(VIDEO))
    via:faulty("query", { fault = "status", status = "Failed" })
    local _, err = client:wait(task.task_id, { timeout = 30 })
    assert.equal("failed", err.kind)
  end)

  via:stops("a query of no task", function(client)
    return client:call("GET", "/v1/query/video_generation")
  end)
end)
