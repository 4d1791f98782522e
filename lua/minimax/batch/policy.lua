--- What a run does next, as data: which jobs it takes, and whose matter an error is.

local policy = {}

--- Those in which a run has something to do, the nearest to its end first: what
-- is paid for is brought home before more is paid.
policy.open = { "succeeded", "submitted", "added" }

-- What an error means to a batch that is not to be tried again.
--   job   the job has failed, the others go on
--   stop  it would happen to every job: the run stops, the job stays as it is
--   again it passes: the same is tried once more after a while
local MEANING = {
  content = "job", invalid = "job", failed = "job", io = "job",
  auth = "stop", balance = "stop", quota = "stop", tls = "stop", cancelled = "stop",
  network = "stop", rate_limit = "again", timeout = "again", server = "again",
  protocol = "again", expired = "again",
}

local WANTS_CREDENTIALS = 407 -- a proxy, for whatever passes it

--- Whose matter an error is: "job", "stop" or "again".
-- @param paid true: it is about a task that exists. What answers then without the
--   API's own words (a page of a proxy or a gateway) says nothing about that task.
function policy.meaning(err, paid)
  if err.http_status == WANTS_CREDENTIALS then
    return "stop"
  end
  local meaning = not err.retryable and MEANING[err.kind] or "again"
  if paid and meaning == "job" and err.http_status and not err.code then
    return "again"
  end
  return meaning
end

--- Where a job goes on that is tried again by its owner's wish.
-- @param job a row of the ledger
-- @param resubmit true: pay for a new task, whatever became of the old one
-- @return a state; or nil and why not
function policy.after_retry(job, resubmit)
  if job.state == "unknown" then
    return "added"
  elseif job.state ~= "failed" then
    return nil, "is " .. job.state .. ": only what failed or is unknown can be tried again"
  elseif resubmit or not job.task_id then
    return "added"
  elseif job.succeeded_at then
    return "succeeded" -- what went wrong came after it
  end
  return job.task_failed == 1 and "added" or "submitted"
end

return policy
