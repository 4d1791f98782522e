--- The exit codes of the command line: one for each kind of error, so that a
-- script can tell them apart. doc/cli.md and the man page list them.

local codes = {}

--- All went well.
codes.OK = 0
--- The program itself is wrong: please report it.
codes.BUG = 1
--- The command can't be understood.
codes.USAGE = 2
--- Ctrl-C.
codes.INTERRUPTED = 130

--- The kinds of errors, in the order of their codes, with what each means.
codes.KINDS = {
  { "auth", "no key, or a key that is refused" },
  { "balance", "the account has no money left" },
  { "quota", "the plan is used up or lacks the model" },
  { "rate_limit", "too many requests" },
  { "content", "refused as sensitive" },
  { "invalid", "a request that cannot succeed as it is" },
  { "server", "the server failed" },
  { "timeout", "a deadline of this program passed" },
  { "network", "no connection, or it broke" },
  { "tls", "a handshake or a certificate" },
  { "protocol", "a reply that makes no sense" },
  { "failed", "the task ended without success" },
  { "unknown", "a submit whose answer was lost: a task may exist" },
  { "cancelled", "the call was ended by this program" },
  { "expired", "a link that serves no more" },
  { "io", "a local file" },
}

local FIRST = 3

local by_kind = {}
for index, kind in ipairs(codes.KINDS) do
  by_kind[kind[1]] = FIRST + index - 1
end

--- The code of an error.
-- @param err with `kind`
function codes.of(err)
  return by_kind[err.kind] or codes.BUG
end

--- The code of a kind's name, or nil.
function codes.of_kind(kind)
  return by_kind[kind]
end

return codes
