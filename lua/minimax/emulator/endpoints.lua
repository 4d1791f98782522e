--- Which function answers which request.

local template = require "minimax.emulator.template"

local endpoints = {}

-- method, path, the endpoint's name for faults and counts, the family of its
-- error envelope, who answers. `{id}` in a path goes to the request's `id`.
local TABLE = {
  { "POST", "/v1/video_template_generation", "submit", 1, template.create },
  { "GET", "/v1/query/video_template_generation", "query", 1, template.query },
}

local function compile(row)
  local pattern = "^" .. row[2]:gsub("[%.%-]", "%%%0"):gsub("{id}", "([^/]+)") .. "$"
  return { method = row[1], pattern = pattern, name = row[3], family = row[4], answer = row[5] }
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
