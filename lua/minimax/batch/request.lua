--- A request as the ledger keeps it: the JSON with null in the place of each
-- local file, and beside it a list of those files with their places, paths and
-- digests. So no string of a request can pass for a file.

local minimax = require "minimax"
local json = require "minimax.common.json"
local sha256 = require "minimax.batch.sha256"

local request = {}

local FILE = "minimax.file"

-- The path of a handle that `minimax.file` made; nil for anything else.
local function path_of(value)
  local meta = type(value) == "userdata" and getmetatable(value)
  if type(meta) == "table" and meta.__name == FILE then
    return tostring(value):sub(#FILE + #": " + 1)
  end
end

local function take_files(value, place, files, depth)
  local path = path_of(value)
  if path then
    files[#files + 1] = { at = table.move(place, 1, #place, 1, {}), path = path }
    return json.null
  elseif type(value) ~= "table" or depth > 60 then -- the encoder refuses the deep
    return value
  elseif json.is_empty_list(value) then
    return value
  end
  local copy = {}
  for name, member in pairs(value) do
    place[#place + 1] = name
    copy[name] = take_files(member, place, files, depth + 1)
    place[#place] = nil
  end
  return copy
end

local function digest(path, digests)
  local known = digests[path]
  if not known then
    local sum, bytes = sha256.file(path)
    if not sum then
      return nil, bytes
    end
    known = { sha256 = sum, bytes = bytes }
    digests[path] = known
  end
  return known
end

local function add_digests(files, digests)
  for _, file in ipairs(files) do
    local known, why = digest(file.path, digests)
    if not known then
      return nil, why
    end
    file.sha256, file.bytes = known.sha256, known.bytes
  end
  return true
end

local function encode(value)
  local text, why, where = json.encode(value)
  return text, why and "the request can't be kept: " .. why .. (where and " at " .. where or "")
end

local function serialize_files(files, digests)
  local library, missing = sha256.library()
  if not library then
    return nil, missing, "io"
  end
  local ok, why = add_digests(files, digests)
  if not ok then
    return nil, why, "invalid"
  end
  local list
  list, why = encode(files)
  return list, why, "invalid"
end

-- An id that is given as an integer is sent as its digits.
local function stringify_id(body)
  if math.type(body.template_id) == "integer" then
    body.template_id = tostring(body.template_id)
  end
end

--- Turns a request into what the ledger keeps.
-- @param body the table that `client:submit` takes
-- @param digests a table that remembers digests by path, for the callers that
--   add many jobs at once
-- @return `text` and `files`, also a text or nil; or nil, why not, and the kind of
--   error
function request.serialize(body, digests)
  local files = {}
  local copy = take_files(body, {}, files, 1)
  stringify_id(copy)
  local text, why = encode(copy)
  if not text then
    return nil, why, "invalid"
  elseif not files[1] then
    return text
  end
  local list, problem
  list, why, problem = serialize_files(files, digests or {})
  if not list then
    return nil, why, problem
  end
  return text, list
end

-- A ledger may come from anywhere, and what it keeps may be no request at all.
local DAMAGED = "the ledger holds no whole request for it"

local function decode(text)
  local value = type(text) == "string" and json.decode(text)
  return type(value) == "table" and value or nil
end

local function is_file(file)
  return type(file) == "table" and type(file.path) == "string" and type(file.sha256) == "string"
    and math.type(file.bytes) == "integer" and type(file.at) == "table" and file.at[1] ~= nil
end

--- The files of a kept request.
-- @param files the text, or nil
-- @return a list of `{ at, path, sha256, bytes }`; or nil and why not
function request.files(files)
  local list = files == nil and {} or decode(files)
  for _, file in ipairs(list or {}) do
    if not is_file(file) then
      return nil, DAMAGED
    end
  end
  return list, not list and DAMAGED or nil
end

-- Puts a file's handle in its place; false where there is no such place.
local function put(body, file)
  local owner = body
  for index = 1, #file.at - 1 do
    owner = type(owner) == "table" and owner[file.at[index]]
  end
  if type(owner) ~= "table" or file.path:find "\0" then
    return false
  end
  owner[file.at[#file.at]] = minimax.file(file.path)
  return true
end

--- Makes the table for `client:submit` again.
-- @return it; or nil and why not
function request.deserialize(text, files)
  local body, list = decode(text), request.files(files)
  if not body or not list then
    return nil, DAMAGED
  end
  for _, file in ipairs(list) do
    if not put(body, file) then
      return nil, DAMAGED
    end
  end
  return body
end

-- What is in the file at each place, wherever it lies.
local function contents(files)
  local digests = {}
  for _, file in ipairs(request.files(files) or {}) do
    digests[json.encode(file.at)] = file.sha256
  end
  return digests
end

-- Whether two values that were read from JSON are the same. An empty list equals
-- an empty object: ledgers of 0.1.0's first days kept it as one.
local function equal(one, other)
  if type(one) ~= "table" or type(other) ~= "table" then
    return one == other
  end
  for name, member in pairs(one) do
    if not equal(member, other[name]) then
      return false
    end
  end
  for name in pairs(other) do
    if one[name] == nil then
      return false
    end
  end
  return true
end

--- Whether two kept requests ask for the same: as JSON, with what is in each file
-- in its place.
function request.same(text, files, other_text, other_files)
  return (text == other_text or equal(json.decode(text), json.decode(other_text)))
    and (files == other_files or equal(contents(files), contents(other_files)))
end

--- Whether the files are here with the sizes that they had when the job was added.
-- @return true; or nil and what is missing
function request.present(files)
  local list, damage = request.files(files)
  for _, file in ipairs(list or {}) do
    local handle <close>, why = io.open(file.path, "rb")
    if not handle then
      return nil, "input " .. why
    end
    local bytes = handle:seek "end"
    if bytes ~= file.bytes then
      return nil, string.format("input %s has changed since it was added: %s bytes then, %s now",
        file.path, file.bytes, bytes)
    end
  end
  return list and true, damage
end

--- Whether the files are here and hold what they held when the job was added.
-- @param digests as for `serialize`
-- @return true; or nil and what is missing or different
function request.unchanged(files, digests)
  local present, why = request.present(files)
  if not present then
    return nil, why
  end
  for _, file in ipairs((request.files(files))) do
    local known
    known, why = digest(file.path, digests)
    if not known then
      return nil, why
    elseif known.sha256 ~= file.sha256 then
      return nil, string.format("input %s has changed since it was added: its SHA-256 is another",
        file.path)
    end
  end
  return true
end

return request
