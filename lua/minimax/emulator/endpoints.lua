--- Which function answers which request.

local files = require "minimax.emulator.files"
local template = require "minimax.emulator.template"
local video1 = require "minimax.emulator.video1"
local video2 = require "minimax.emulator.video2"

local endpoints = {}

-- method, path, the endpoint's name for faults and counts, the family of its
-- error envelope, who answers. `{id}` in a path goes to the request's `id`.
local TABLE = {
  { "POST", "/v1/video_template_generation", "submit", 1, template.create },
  { "GET", "/v1/query/video_template_generation", "query", 1, template.query },
  { "POST", "/v1/video_generation", "submit", 1, video1.create },
  { "GET", "/v1/query/video_generation", "query", 1, video1.query },
  { "GET", "/v1/files/retrieve", "retrieve", 1, files.retrieve },
  { "GET", "/v1/files/retrieve_content", "retrieve_content", 1, files.content },
  { "GET", "/v1/files/list", "files_list", 1, files.list },
  { "POST", "/v1/files/upload", "upload", 1, files.upload },
  { "POST", "/v1/files/delete", "files_delete", 1, files.delete },
  { "POST", "/v2/video_generation", "submit", 2, video2.create },
  { "GET", "/v2/query/video_generation/{id}", "query", 2, video2.query },
  { "GET", "/v2/query/video_generation", "list", 2, video2.list },
  { "DELETE", "/v2/video_generation/{id}", "cancel", 2, video2.cancel },
  { "POST", "/v2/h3_context_ir", "submit", 2, video2.context_ir },
  { "POST", "/v2/video_regeneration", "submit", 2, video2.regeneration },
}

-- Those that take something other than JSON.
local FORMS = { upload = true }

local function compile(row)
  local pattern = "^" .. row[2]:gsub("{id}", "([^/]+)") .. "$"
  return { method = row[1], pattern = pattern, name = row[3], family = row[4], answer = row[5],
    multipart = FORMS[row[3]] }
end

for index, row in ipairs(TABLE) do
  TABLE[index] = compile(row)
end

--- Finds the endpoint of a request.
-- @param path without the gateway's prefix
-- @return the endpoint and the id in its path; nil if there is none
function endpoints.find(method, path)
  for _, endpoint in ipairs(TABLE) do
    local id = endpoint.method == method and path:match(endpoint.pattern)
    if id then
      return endpoint, id ~= path and id or nil
    end
  end
end

return endpoints
