--- Environment variables, of which an empty one counts as none.

--- The first of some that is set.
-- @return its value and its name; nil where none is
return function(...)
  for _, name in ipairs { ... } do
    local value = os.getenv(name)
    if value and value ~= "" then
      return value, name
    end
  end
end
