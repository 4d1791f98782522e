--- Looks at jobs before anything is paid: what the client would refuse, and what
-- the catalogues do not know.

local fault = require "minimax.batch.fault"
local output = require "minimax.batch.output"
local request = require "minimax.batch.request"
local warnings = require "minimax.common.warnings"

local check = {}

--- What strict runs refuse.
-- @return true; or nil and an error
function check.strict(job, body)
  local found = warnings.of(job.kind, body)
  if found[1] then
    return nil, fault.new("invalid", "%s (the run is strict)", table.concat(found, "; "))
  end
  return true
end

-- Why the output can't be written, or is not this job's alone; or nil.
local function check_output(job, places)
  local place, err = output.check(job.output)
  if not place then
    return err
  end
  local other = places[place]
  places[place] = other or job
  if other and output.is_same(job.output, other.output) then
    return output.shared(job.output, other.key, other.output)
  end
end

-- Why the job would fail, or nil.
local function refusal(client, job, body, known)
  local unchanged, why = request.unchanged(job.files, known.digests)
  if not unchanged then
    return fault.new("io", "%s", why)
  end
  local err = check_output(job, known.places)
  if err then
    return err
  end
  local ok, preview
  ok, preview, err = pcall(client.submit, client, body, { kind = job.kind, dry_run = true })
  if not ok then -- a value that no request can hold
    return fault.new("invalid", "%s", tostring(preview))
  end
  return not preview and err or nil
end

local function check_job(client, job, strict, known, tell)
  local body, damage = request.deserialize(job.request, job.files)
  local err = damage and fault.new("invalid", "%s", damage) or refusal(client, job, body, known)
  local found = body and warnings.of(job.kind, body) or {}
  if not err and strict then
    err = select(2, check.strict(job, body))
  end
  for _, warning in ipairs(not err and found or {}) do
    tell { type = "warning", key = job.key, state = job.state,
      err = fault.new("invalid", "%s", warning) }
  end
  if err then
    tell { type = "refused", key = job.key, state = job.state, err = err }
  end
  return err, #found > 0
end

local PAGE = 200

--- Checks every job that is still to be submitted, and sends nothing.
-- @param tell takes the events `warning` and `refused`
-- @return a table `checked`, `refused`, `doubtful` (numbers) and `first` (an error);
--   or nil and an error
function check.all(ledger, client, strict, tell)
  local result = { checked = 0, refused = 0, doubtful = 0 }
  local last, known = 0, { digests = {}, places = {} } -- of all jobs so far
  repeat
    local page, err = ledger:page("added", last, PAGE)
    if not page then
      return nil, err
    end
    for _, job in ipairs(page) do
      local refused, doubtful = check_job(client, job, strict, known, tell)
      result.checked, last = result.checked + 1, job.id
      result.refused = result.refused + (refused and 1 or 0)
      result.doubtful = result.doubtful + (doubtful and 1 or 0)
      result.first = result.first or refused
    end
  until #page < PAGE
  return result
end

return check
