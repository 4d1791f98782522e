--- What the API and its storage would answer, as the documents show it: the
-- bodies that the random server begins with.

local error_codes = require "spec.support.error_codes"

local answers = {}

local TEMPLATE = '{"task_id":"%s","status":"%s",%s"base_resp":{"status_code":%d,'
  .. '"status_msg":"%s"}}'
local V2 = '{"task":{"id":"%s","model":"MiniMax-H3","status":"%s","error":%s,'
  .. '"created_at":1763534921,"updated_at":1763534999,"content":{%s},"resolution":"768P",'
  .. '"ratio":"16:9","duration":6,"usage":{"total_seconds":6},"task_type":"generation"}}'
local FILE = '{"file":{"file_id":%s,"bytes":0,"created_at":1763534921,'
  .. '"filename":"output_aigc.mp4","purpose":"video_generation","download_url":"%s"},'
  .. '"base_resp":{"status_code":0,"status_msg":"success"}}'
local REFUSED_V2 = '{"type":"error","error":{"type":"%s","message":"no, not now (%d)",'
  .. '"http_code":"%d"},"request_id":"021785229015510a2c883cf675b9804d"}'

local CODES = error_codes.list()
table.move({ 7, 1004.5, -1 }, 1, 3, #CODES + 1, CODES)
local V1_WORDS = { "Preparing", "Queueing", "Processing", "Success", "Success", "Fail", "success",
  "failed", "Unheard", "" }
local V2_WORDS = { "queued", "queued", "running", "succeeded", "succeeded", "failed", "cancelled",
  "expired" }
local V2_ERRORS = { { "bad_request_error", 2013, 400 }, { "authorized_error", 1004, 401 },
  { "insufficient_balance_error", 1008, 402 }, { "unprocessable_entity_error", 1026, 422 },
  { "rate_limit_error", 1002, 429 }, { "server_error", 1000, 500 },
  { "overloaded_error", 1000, 529 } }
local PAGES = { "404 page not found", '"404 page not found"', "",
  "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>" }
local PAGE_STATUSES = { 200, 301, 302, 307, 400, 403, 404, 407, 408, 413, 421, 429, 500, 502, 503,
  504, 529 }

local function pick(list)
  return list[math.random(#list)]
end

local function template(id, word, rest, code, text)
  return TEMPLATE:format(id, word, rest, code, text)
end

local function v1_query(id, link)
  local word = pick(V1_WORDS)
  local done = word:lower() == "success"
  local rest = done and pick { '"file_id":"335797537439947","video_width":1362,',
    '"video_url":"' .. link .. '",' } or ""
  local bad = math.random(6) == 1
  return template(id, word, rest, bad and pick { 1026, 1002, 1027, 0 } or 0, "success")
end

local function v2_task(id, link)
  local word = pick(V2_WORDS)
  return V2:format(id, word, word == "failed" and '{"code":"1026","message":"not so"}' or "null",
    word == "succeeded" and '"url":"' .. link .. '"' or "")
end

local function refusal(id)
  if math.random(2) == 1 then
    local error_of = pick(V2_ERRORS)
    return REFUSED_V2:format(table.unpack(error_of)), error_of[3]
  end
  return ('{"task_id":"%s","base_resp":{"status_code":%s,"status_msg":"refused"}}')
    :format(pick { "", id }, pick(CODES)), 200
end

local function page()
  return pick(PAGES), pick(PAGE_STATUSES)
end

local makers = {}

function makers.submit(id)
  return pick { '{"task_id":"' .. id .. '","base_resp":{"status_code":0,"status_msg":"success"}}',
    '{"task_id":"' .. id .. '"}',
    '{"id":"req_99","data":{"task_id":"' .. id .. '"},"base_resp":{"status_code":0}}' }
end

function makers.query(id, link)
  return math.random(3) == 1 and v2_task(id, link) or v1_query(id, link)
end

function makers.list(id, link)
  return '{"items":[' .. v2_task(id, link):match '^{"task":(.*)}$' .. "],\"total\":1}"
end

function makers.delete(id)
  return '{"task_id":"' .. id .. '","action":"cancelled","status":"cancelled"}'
end

function makers.file(_, link)
  return FILE:format("335797537439947", link)
end

function makers.any(id, link)
  return makers[pick { "submit", "query", "list", "delete", "file" }](id, link)
end

makers.callback = function(id, link)
  return pick { '{"challenge":"3dea9b29-6ef7-4ac7"}', v1_query(id, link), v2_task(id, link) }
end

local PLACES = {
  { "^POST .*video", "submit" }, { "^DELETE", "delete" }, { "query/video_generation%?task_id",
  "query" },
  { "query/video_generation%?", "list" }, { "query/video_generation$", "list" },
  { "query/", "query" }, { "/files/", "file" },
}

--- What stands behind a path.
-- @param method, path of the request; without a path only the method is known
-- @return a name for `answers.make`
function answers.place(method, path)
  for _, place in ipairs(PLACES) do
    if (method .. " " .. (path or "")):find(place[1]) then
      return place[2]
    end
  end
  return path and "any" or method == "POST" and "submit" or "query"
end

--- A proper answer, drawn by `math.random`.
-- @param place from `answers.place`, or `"callback"`
-- @param id of the task
-- @param link to a video
-- @return body, HTTP status
function answers.make(place, id, link)
  local fate = math.random(20)
  if fate <= 3 then
    return refusal(id)
  elseif fate == 4 then
    return page()
  end
  return makers[place](id, link), 200
end

return answers
