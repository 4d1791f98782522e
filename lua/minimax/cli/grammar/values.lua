--- How the values of options are read, and the options that several commands
-- share.

local kinds = require "minimax.common.kinds"

local values = {}

--- A whole number from 0 on.
function values.whole(text)
  local number = math.tointeger(tonumber(text))
  if not number or number < 0 then
    return nil, "'" .. text .. "' is no whole number"
  end
  return number
end

--- A whole number from 1 on.
function values.natural(text)
  local number = values.whole(text)
  if not number or number == 0 then
    return nil, "'" .. text .. "' is no whole number from 1 on"
  end
  return number
end

--- Seconds, above 0.
function values.positive(text)
  local number = values.seconds(text)
  if not number or number == 0 then
    return nil, "'" .. text .. "' is no number of seconds above 0"
  end
  return number
end

--- Seconds, from 0 on.
function values.seconds(text)
  local number = tonumber(text)
  if not number or number ~= number or number < 0 or number == math.huge then
    return nil, "'" .. text .. "' is no number of seconds"
  end
  return number
end

--- "on" or "off".
function values.switch(text)
  if text == "on" or text == "off" then
    return text == "on"
  end
  return nil, "'" .. text .. "' is neither on nor off"
end

--- "5/60" is five in any sixty seconds; "none" takes a rate away.
function values.rate(text)
  local count, seconds = text:match("^(%d+)/(%d+%.?%d*)$")
  if text == "none" then
    return false
  elseif not count or tonumber(count) == 0 or tonumber(seconds) == 0 then
    return nil, "'" .. text .. "' is no rate; five in a minute are 5/60"
  end
  return { math.tointeger(count), tonumber(seconds) }
end

--- The key that argparse marks a command with. Commands and arguments may have
-- the same name, and the mark must not take the argument's place.
function values.mark(name)
  return "command " .. name
end

--- Adds a command to a parser.
function values.command(parser, name, summary, epilog)
  return parser:command(name, summary, epilog):target(values.mark(name))
end

--- Which family of endpoints a bare id belongs to.
-- @param default in words, for the help
function values.add_kind(command, default)
  command:option("-k --kind", "The task's kind, where the id does not tell (" .. default .. ").")
    :choices(kinds)
end

--- How a video gets into a file.
function values.add_download(command)
  command:option("-o --output", "Where the video goes; - is standard output."):argname "FILE"
  command:flag("--no-overwrite", "Leave a file alone that is there already.")
    :target "overwrite":action "store_false"
  command:option("--max-bytes", "The largest file that is accepted."):argname "BYTES"
    :convert(values.whole)
  command:flag("--allow-private", "Let links lead into a private network.")
  command:flag("--no-verify", "Let content through that is no MP4.")
    :target "verify":action "store_false"
end

--- How a wait goes.
function values.add_wait(command)
  command:option("--timeout", "How long to wait for the task (1800)."):argname "SECONDS"
    :convert(values.seconds)
  command:option("--interval", "From one question to the next (10)."):argname "SECONDS"
    :convert(values.positive)
end

return values
