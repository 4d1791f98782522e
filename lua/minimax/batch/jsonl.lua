--- Jobs from JSON Lines: one object a line, with the members `key`, `request`,
-- `output` and `kind`. A media value that begins with "@" is a local path.

local fault = require "minimax.batch.fault"
local json = require "minimax.common.json"
local media = require "minimax.common.media"
local options = require "minimax.batch.options"

local jsonl = {}

--- Reads one line.
-- @return a job as `add` takes it; or nil and why not
function jsonl.read(line)
  local given, why = json.decode(line)
  if given == nil then
    return nil, why
  elseif type(given) ~= "table" or #given > 0 then
    return nil, "an object is expected"
  end
  why = options.problem_of_job(given)
  if why then
    return nil, why
  end
  given.request, why = media.resolve(given.request)
  return given.request and given, why
end

local function open(source)
  if type(source) ~= "string" then
    return source
  end
  local file, why = io.open(source, "rb")
  if not file then
    return nil, fault.new("io", "%s", why)
  end
  return file
end

local PIECE = 65536
local LONGEST = 64 << 20 -- bytes: what a request with its media in it may take

-- The lines of a file, which may have no end: nil and a reason for one that is
-- longer than any job.
local function lines(file)
  local piece, at = "", 1
  return function()
    local parts, length = {}, 0
    while length <= LONGEST do
      local stop = piece:find("\n", at, true)
      parts[#parts + 1] = piece:sub(at, (stop or #piece + 1) - 1)
      length = length + #parts[#parts]
      at = stop and stop + 1 or #piece + 1
      if stop then
        return table.concat(parts)
      end
      local more, why = file:read(PIECE)
      if not more then
        return (length > 0 and table.concat(parts) or nil), why
      end
      piece, at = more, 1
    end
    return nil, "a line is longer than 64 MiB"
  end
end

-- The lines with their numbers; empty ones are passed over.
local function numbered(file)
  local number, next_line = 0, lines(file)
  return function()
    local line, why
    repeat
      line, why = next_line()
      number = number + 1
      if number == 1 and line then
        line = line:gsub("^\u{FEFF}", "")
      end
    until not line or line:find("%S")
    if why and not line then
      return number, nil, why
    end
    return line and number, line
  end
end

--- Reads jobs from a file and hands each over.
-- @param source a path, or an open file
-- @param take a function(job, line) that returns true; or nil and why not
-- @return a list of `{ line, message }` of those that were not taken; or nil and
--   an error
function jsonl.each(source, take)
  local file, err = open(source)
  if not file then
    return nil, err
  end
  local problems = {}
  for number, line, unread in numbered(file) do
    if unread then
      err = fault.new("invalid", "line %d: %s", number, unread)
      break
    end
    local job, why = jsonl.read(line)
    local ok
    if job then
      ok, why = take(job, number)
    end
    if not ok then
      problems[#problems + 1] = { line = number, message = tostring(why) }
    end
  end
  if file ~= source then
    file:close()
  end
  return not err and problems or nil, err
end

return jsonl
