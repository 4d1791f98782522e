--- Writes a plain table as one line of Lua, so that two processes of the specs
-- can tell each other anything but functions.

local function dump(value)
  if type(value) ~= "table" then
    return (string.format("%q", value):gsub("\\\n", "\\n"):gsub("\r", "\\r"))
  end
  local fields = {}
  for key, field in pairs(value) do
    fields[#fields + 1] = "[" .. dump(key) .. "]=" .. dump(field)
  end
  return "{" .. table.concat(fields, ",") .. "}"
end

return dump
