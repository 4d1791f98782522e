--- Bars, sizes and times as text.

local figures = {}

--- A bar of that many columns.
-- @param fraction 0 to 1; or nil where the end is not known
-- @param beat which step of its walk the block then stands at
function figures.bar(fraction, columns, beat)
  local inside = columns - 2
  if fraction then
    local full = math.floor(math.min(fraction, 1) * inside)
    return "[" .. ("#"):rep(full) .. ("-"):rep(inside - full) .. "]"
  end
  local block = math.min(4, inside)
  local room = inside - block
  local at = room > 0 and beat % (2 * room) or 0
  at = at > room and 2 * room - at or at
  return "[" .. ("-"):rep(at) .. ("#"):rep(block) .. ("-"):rep(room - at) .. "]"
end

local UNITS = { "kB", "MB", "GB", "TB" }

--- A number of bytes.
function figures.size(bytes)
  if bytes < 1000 then
    return string.format("%.0f B", bytes)
  end
  local unit = 0
  repeat
    bytes = bytes / 1000
    unit = unit + 1
  until bytes < 999.95 or unit == #UNITS
  return string.format("%.1f %s", bytes, UNITS[unit])
end

--- Seconds as minutes and seconds, or with hours.
function figures.clock(seconds)
  seconds = math.floor(seconds)
  local minutes = seconds // 60
  if minutes < 60 then
    return string.format("%d:%02d", minutes, seconds % 60)
  end
  return string.format("%d:%02d:%02d", minutes // 60, minutes % 60, seconds % 60)
end

--- How far a transfer is: "[###---]  50 %  1.0 MB of 2.0 MB  0.5 MB/s".
-- @param bytes so far
-- @param total bytes, or nil
-- @param seconds since it began
-- @param fresh bytes of these seconds: without what an earlier run had fetched
-- @param columns of the bar
function figures.transfer(bytes, total, seconds, fresh, columns)
  local fraction = total and total > 0 and bytes / total or nil
  local text = figures.bar(fraction, columns, seconds)
  if fraction then
    text = text .. string.format(" %3d %%  %s of %s", fraction * 100 // 1, figures.size(bytes),
      figures.size(total))
  else
    text = text .. "  " .. figures.size(bytes)
  end
  if seconds > 0 then
    text = text .. "  " .. figures.size(fresh / seconds) .. "/s"
  end
  return text
end

return figures
