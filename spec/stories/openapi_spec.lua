-- The OpenAPI documents under spec/openapi/: Prism accepts what the API's
-- documentation shows and refuses, for each operation, what it does not allow.

local cjson = require "cjson"
local exchange = require "spec.support.exchange"
local prism = require "spec.support.prism"

local declare, installed = prism.cases(it, pending)

-- One group for each document: `define` gets the three checks.
local function document(name, define)
  describe("the document " .. name, function()
    local upstream, proxy

    setup(function()
      if installed then
        upstream = exchange.listen()
        proxy = prism.proxy("spec/openapi/" .. name, upstream.url)
      end
    end)

    teardown(function()
      if proxy then
        proxy:close()
        upstream:close()
      end
    end)

    local function checker(wanted, sentence)
      return function(what, case, ...)
        local replies = { ... }
        declare(sentence .. what, function()
          for _, reply in ipairs(#replies > 0 and replies or { case.reply }) do
            local copy = setmetatable({ reply = reply }, { __index = case })
            local said, body = upstream:verdict(proxy.url, copy)
            assert.equal(wanted, said, body)
          end
        end)
      end
    end

    define {
      allows = checker("fine", "allows "),
      refuses_request = checker("request", "refuses a request with "),
      refuses_reply = checker("reply", "refuses a reply with "),
    }
  end)
end

-- The case with some fields changed; NONE takes one away.
local NONE = cjson.null

local function with(case, changes)
  local copy = {}
  for key, value in pairs(case) do
    copy[key] = value
  end
  for key, value in pairs(changes) do
    copy[key] = value ~= NONE and value or nil
  end
  return copy
end

local function with_body(case, changes)
  return with(case, { body = with(case.body, changes) })
end

local SUCCESS = { status_code = 0, status_msg = "success" }
local REFUSAL = { base_resp = { status_code = 1004, status_msg = "login fail" } }

document("video_template_generation.yaml", function(it)
  local create = {
    method = "POST",
    path = "/v1/video_template_generation",
    body = { template_id = "393769180141805569", text_inputs = { { value = "Lion" } } },
    reply = { task_id = "401047179385389059", base_resp = SUCCESS },
  }
  it.allows("the example", create)
  it.allows("a refusal", create, REFUSAL)
  it.refuses_request("no template_id", with_body(create, { template_id = NONE }))
  it.refuses_request("a numeric template_id", with_body(create, { template_id = 393769180141 }))
  it.refuses_request("an object for a list", with_body(create, { text_inputs = {} }))
  it.refuses_request("bare texts", with_body(create, { text_inputs = { "Lion" } }))
  it.refuses_request("a charset", with(create, {
    content_type = "application/json; charset=utf-8",
  }))
  it.refuses_reply("a bare id", create, '{"task_id":401047179385}')
  it.refuses_reply("a code in quotes", create, { base_resp = { status_code = "0" } })
end)

document("query_video_template_generation.yaml", function(it)
  local query = {
    method = "GET",
    path = "/v1/query/video_template_generation?task_id=401047179385389059",
    reply = {
      task_id = "401047179385389059",
      status = "Success",
      video_url = "https://cdn.hailuoai.com/prod/video.mp4",
      base_resp = SUCCESS,
    },
  }
  it.allows("the example", query)
  it.allows("a refusal", query, REFUSAL)
  it.refuses_request("no task_id", with(query, { path = "/v1/query/video_template_generation" }))
  it.refuses_reply("an unknown status", query, { status = "Queueing" }, { status = "success" })
  it.refuses_reply("a bare id", query, '{"task_id":401047179385}')
  it.refuses_reply("a null link", query, '{"video_url":null}')
end)

document("query_video_generation.yaml", function(it)
  local query = {
    method = "GET",
    path = "/v1/query/video_generation?task_id=176843862716480",
    reply = {
      task_id = "176843862716480",
      status = "Success",
      file_id = "176844028768320",
      video_width = 1920,
      video_height = 1080,
      base_resp = SUCCESS,
    },
  }
  it.allows("the example", query)
  it.allows("a refusal", query, REFUSAL)
  it.refuses_request("no task_id", with(query, { path = "/v1/query/video_generation" }))
  it.refuses_reply("an unknown status", query, { status = "Failed" })
  it.refuses_reply("a bare id", query, '{"task_id":176843862716480}', '{"file_id":17684402876}')
  it.refuses_reply("a width in quotes", query, { video_width = "1920" })
end)

document("phanedge_query_video_generation.yaml", function(it)
  local query = {
    method = "GET",
    path = "/minimaxi/v1/query/video_generation?task_id=video_01JABCDEFGHJKMNPQRSTVWXYZ0",
    reply = { task_id = "176843862716480", status = "Failed" },
  }
  it.allows("anything", query)
  it.refuses_request("no task_id", with(query, { path = "/minimaxi/v1/query/video_generation" }))
  it.refuses_reply("a list", query, "[1]")
end)

document("video_generation.yaml", function(it)
  local create = {
    method = "POST",
    path = "/v1/video_generation",
    body = { model = "MiniMax-Hailuo-2.3", prompt = "A lion.", duration = 6, resolution = "768P" },
    reply = { task_id = "106916112212032", base_resp = SUCCESS },
  }
  local subject = { { type = "character", image = { "data:image/png;base64,AAAA" } } }
  it.allows("text to video", create)
  it.allows("2000 characters", with_body(create, { prompt = ("ä"):rep(2000) }))
  it.allows("image to video", with(create, {
    body = { model = "I2V-01", first_frame_image = "https://example.com/first.jpeg" },
  }))
  it.allows("a subject", with(create, { body = { model = "S2V-01", subject_reference = subject } }))
  it.allows("a refusal", create, REFUSAL, { task_id = "", base_resp = REFUSAL.base_resp })
  it.refuses_request("no model", with_body(create, { model = NONE }))
  it.refuses_request("an unknown model", with_body(create, { model = "Hailuo" }))
  it.refuses_request("nothing to render", with_body(create, { prompt = NONE }))
  it.refuses_request("2001 characters", with_body(create, { prompt = ("x"):rep(2001) }))
  it.refuses_request("a duration in quotes", with_body(create, { duration = "6" }))
  it.refuses_request("a duration of 7 s", with_body(create, { duration = 7 }))
  it.refuses_request("a bare image", with_body(create, { first_frame_image = "AAAA" }))
  it.refuses_request("two subjects", with_body(create, {
    subject_reference = { subject[1], subject[1] },
  }))
  it.refuses_request("a charset", with(create, {
    content_type = "application/json; charset=utf-8",
  }))
  it.refuses_reply("success and no id", create, { base_resp = SUCCESS },
    { task_id = "", base_resp = SUCCESS })
  it.refuses_reply("a bare id", create, { task_id = 106916112212, base_resp = SUCCESS })
  it.refuses_reply("an undocumented code", create, {
    base_resp = { status_code = 77, status_msg = "?" },
  })
end)

document("files.yaml", function(it)
  local file = {
    file_id = 335797537439947,
    bytes = 0,
    created_at = 1763534921,
    filename = "output_aigc.mp4",
    purpose = "video_generation",
  }
  local one = { file = file, base_resp = SUCCESS }
  local quoted = { file = with(file, { file_id = "335797537439947" }), base_resp = SUCCESS }

  local function form(purpose)
    return table.concat({
      "--border",
      'Content-Disposition: form-data; name="purpose"',
      "",
      purpose,
      "--border",
      'Content-Disposition: form-data; name="file"; filename="song.mp3"',
      "Content-Type: audio/mpeg",
      "",
      "ID3 and so on",
      "--border--",
      "",
    }, "\r\n")
  end
  local upload = {
    method = "POST",
    path = "/v1/files/upload",
    content_type = "multipart/form-data; boundary=border",
    body = form "video_generation_input",
    reply = one,
  }
  it.allows("an upload", upload)
  it.allows("an upload refused by its code", upload, REFUSAL)
  it.allows("an upload refused by its status", with(upload, { status = 400 }), REFUSAL)
  it.refuses_request("an unknown purpose", with(upload, { body = form "video" }))
  it.refuses_request("an upload in JSON", with(upload, { content_type = NONE, body = file }))
  it.refuses_reply("a quoted id of an upload", upload, quoted)

  local list = {
    method = "GET",
    path = "/v1/files/list?purpose=video_generation_input",
    reply = { files = { file }, base_resp = SUCCESS },
  }
  it.allows("a list", list)
  it.refuses_request("a list of no purpose", with(list, { path = "/v1/files/list" }))
  it.refuses_request("outputs listed", with(list, {
    path = "/v1/files/list?purpose=video_generation",
  }))
  it.refuses_reply("an object for the list", list, { files = {}, base_resp = SUCCESS })

  local retrieve = {
    method = "GET",
    path = "/v1/files/retrieve?file_id=335797537439947",
    reply = one,
  }
  local linked = with(file, { download_url = "https://example.com/a%2Fb.mp4" })
  it.allows("a file without a link", retrieve)
  it.allows("a file with a link", retrieve, { file = linked, base_resp = SUCCESS })
  it.refuses_request("no file_id", with(retrieve, { path = "/v1/files/retrieve" }))
  it.refuses_request("a word for a file_id", with(retrieve, {
    path = "/v1/files/retrieve?file_id=video_01J",
  }))
  it.refuses_reply("a quoted id", retrieve, quoted)
  it.refuses_reply("success and no file", retrieve, { base_resp = SUCCESS })

  local content = {
    method = "GET",
    path = "/v1/files/retrieve_content?file_id=335797537439947",
    reply = "....ftypisom",
    reply_type = "video/mp4",
  }
  it.allows("the bytes", content)
  it.allows("an error in place of the bytes", with(content, { reply_type = NONE }), REFUSAL)
  it.refuses_request("no file_id for the bytes", with(content, {
    path = "/v1/files/retrieve_content",
  }))
  it.refuses_reply("a page in place of the bytes", with(content, { reply_type = "text/html" }))

  local delete = {
    method = "POST",
    path = "/v1/files/delete",
    body = { file_id = 335797537439947, purpose = "video_generation" },
    reply = { file_id = 335797537439947, base_resp = SUCCESS },
  }
  it.allows("a deletion", delete)
  it.refuses_request("a quoted id to delete", with_body(delete, { file_id = "335797537439947" }))
  it.refuses_request("no purpose", with_body(delete, { purpose = NONE }))
  it.refuses_reply("a quoted id of a deletion", delete, { file_id = "3357", base_resp = SUCCESS })
end)

document("video_generation_v2.yaml", function(it)
  local text = { type = "text", text = "A lion." }
  local function image(role)
    return { type = "image_url", image_url = { url = "https://example.com/a.png" }, role = role }
  end
  local base_video = {
    type = "video_url",
    video_url = { url = "https://example.com/a.mp4" },
    role = "base_video",
  }
  local accepted = { task_id = "424010985738629" }
  local refusal = {
    type = "error",
    error = { type = "bad_request_error", message = "invalid params (2013)", http_code = "400" },
    request_id = "021785229015510a2c883cf675b9804d",
  }

  local create = {
    method = "POST",
    path = "/v2/video_generation",
    body = {
      model = "MiniMax-H3",
      content = { text },
      resolution = "768P",
      duration = 5,
      ratio = "16:9",
    },
    reply = accepted,
  }
  local frames = { text, image "first_frame", image "last_frame" }
  local mixed = { text, image "first_frame", image "reference_image" }
  local max = with_body(create, { model = "MiniMax-H3-Max", resolution = "480P" })
  it.allows("text", create)
  it.allows("frames without a ratio", with_body(create, { content = frames, ratio = NONE }))
  it.allows("H3-Max", with_body(max, { extra = { prompt_expansion_mode = "quality" } }))
  it.refuses_request("text without a ratio", with_body(create, { ratio = NONE }))
  it.refuses_request("text of an adaptive ratio", with_body(create, { ratio = "adaptive" }))
  it.refuses_request("no text", with_body(create, { content = { image() } }))
  it.refuses_request("frames and references", with_body(create, { content = mixed }))
  it.refuses_request("an unknown role", with_body(create, { content = { text, image "frame" } }))
  it.refuses_request("H3 in 480P", with_body(create, { resolution = "480P" }))
  it.refuses_request("H3-Max of 4 s", with_body(max, { duration = 4 }))
  it.refuses_request("an unknown extra", with_body(max, { extra = { mode = "quality" } }))
  it.refuses_reply("no id", create, "{}", '{"task_id":424010985738629}')
  it.allows("an error", with(create, { status = 400 }), refusal)
  it.refuses_reply("another status than the error's", with(create, { status = 401 }), refusal)
  it.refuses_reply("half an error", with(create, { status = 400 }),
    with(refusal, { request_id = NONE }),
    with(refusal, { error = with(refusal.error, { http_code = 400 }) }),
    with(refusal, { error = with(refusal.error, { message = "invalid params" }) }))

  local task = {
    id = "424010985738629",
    model = "MiniMax-H3",
    status = "queued",
    created_at = 1785229015,
    updated_at = 1785229015,
  }
  local failure = { code = "1026", message = "input new_sensitive" }
  local video = { url = "https://example.com/a.mp4" }
  local query = {
    method = "GET",
    path = "/v2/query/video_generation/424010985738629",
    reply = { task = task },
  }
  it.allows("the states of a task", query, { task = task },
    { task = with(task, { status = "succeeded", content = video }) },
    { task = with(task, { status = "failed", error = failure }) })
  it.refuses_request("a word for an id", with(query, {
    path = "/v2/query/video_generation/task_1",
  }))
  it.refuses_reply("an unknown status", query, { task = with(task, { status = "Success" }) })
  it.refuses_reply("a state without its members", query,
    { task = with(task, { status = "succeeded" }) },
    { task = with(task, { status = "failed" }) })
  it.refuses_reply("a bare number for a string", query,
    { task = with(task, { id = 424010985738 }) },
    { task = with(task, { status = "failed", error = with(failure, { code = 1026 }) }) })

  local list = {
    method = "GET",
    path = "/v2/query/video_generation?page_num=1&filter.task_ids=1&filter.task_ids=2",
    reply = { items = { task }, total = 1 },
  }
  it.allows("a list", list, list.reply, '{"items":[],"total":0}')
  it.refuses_request("a page 0", with(list, { path = "/v2/query/video_generation?page_num=0" }))
  it.refuses_request("a v1 status to list", with(list, {
    path = "/v2/query/video_generation?filter.status=Success",
  }))
  it.refuses_reply("no total", list, { items = { task } })

  local delete = {
    method = "DELETE",
    path = "/v2/video_generation/424010985738629",
    reply = { task_id = "424010985738629", action = "cancelled", status = "cancelled" },
  }
  it.allows("a cancellation", delete)
  it.refuses_request("a word for an id to delete", with(delete, {
    path = "/v2/video_generation/task_1",
  }))
  it.refuses_reply("an action unlike the status", delete,
    with(delete.reply, { action = "deleted" }))

  local enhance = {
    method = "POST",
    path = "/v2/h3_context_ir",
    body = { model = "MiniMax-H3", content = { text }, duration = 5 },
    reply = accepted,
  }
  it.allows("a prompt to enhance", enhance)
  it.refuses_request("a resolution for a prompt", with_body(enhance, { resolution = "768P" }))
  it.refuses_reply("no id of an enhancement", enhance, "{}")

  local regenerate = {
    method = "POST",
    path = "/v2/video_regeneration",
    body = { model = "MiniMax-H3", resolution = "2K", source_task_id = "424010985738629" },
    reply = accepted,
  }
  it.allows("a task to regenerate", regenerate)
  it.allows("a video to regenerate", with_body(regenerate, {
    source_task_id = NONE,
    content = { text, base_video },
  }))
  it.refuses_request("both sources", with_body(regenerate, { content = { text, base_video } }))
  it.refuses_request("no source", with_body(regenerate, { source_task_id = NONE }))
  it.refuses_request("768P", with_body(regenerate, { resolution = "768P" }))
  it.refuses_reply("no id of a regeneration", regenerate, "{}")
end)
