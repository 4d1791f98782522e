--- Faults of the storage host that are about the file itself. Each function
-- takes the film's description (`film`, `etag`) and the request before the
-- answer is made, or the answer after it.

local file_faults = { before = {}, after = {} }

local EXTRA = "not a box at all"

-- Sets a header that is there already.
local function replace(answer, name, value)
  for index, pair in ipairs(answer.headers) do
    if pair[1] == name then
      answer.headers[index] = value and { name, value }
      if not value then
        table.remove(answer.headers, index)
      end
      return
    end
  end
end

--- The whole file, whatever was asked for.
function file_faults.before.ignore_range(_, request)
  request.headers = setmetatable({ range = false }, { __index = request.headers })
end

function file_faults.before.weak_etag(file)
  file.etag = "W/" .. file.etag
end

local function grown(film, extra)
  return {
    size = film.size + #extra,
    read = function(_, first, last)
      if first >= film.size then
        return extra:sub(first - film.size + 1, last - film.size + 1)
      end
      return film:read(first, math.min(last, film.size - 1))
    end,
  }
end

--- A complete answer with a film that goes on after its last box.
function file_faults.before.longer(file)
  file.film = grown(file.film, EXTRA)
end

--- A complete answer with a film that ends within its last box.
function file_faults.before.shorter(file)
  local film = file.film
  file.film = {
    size = film.size - 7,
    read = function(_, first, last)
      return film:read(first, last)
    end,
  }
end

function file_faults.after.no_etag(answer)
  replace(answer, "etag", nil)
end

--- A range that begins one byte late, says the header.
function file_faults.after.wrong_content_range(answer, rule)
  local last, size = answer.last + 1, answer.film.size
  local text = string.format("bytes %d-%d/%d", answer.first + 1, last, size)
  replace(answer, "content-range", rule.content_range or text)
end

return file_faults
