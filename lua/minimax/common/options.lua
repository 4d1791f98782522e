--- The options of a function: their names, their checks and their defaults. Each
-- table of known ones holds lists of a check, the words for it, and a default.

local options = {}

--- A check for a type.
function options.is(kind)
  return function(value) return type(value) == kind end
end

--- Numbers above 0 that have an end.
function options.positive(value)
  return type(value) == "number" and value > 0 and value < math.huge
end

--- `{ count, seconds }`.
function options.rate(value)
  return type(value) == "table" and options.positive(value[1]) and options.positive(value[2])
end

--- A check that lets false through as well.
function options.or_false(check)
  return function(value) return value == false or check(value) end
end

--- A check for one of some values.
function options.one_of(...)
  local values = {}
  for _, value in ipairs { ... } do
    values[value] = true
  end
  return function(value) return values[value] ~= nil end
end

--- Says that a name is unknown, and which of the known ones it may mean.
-- @param known a table by name
-- @param noun what one is called, such as "option"
function options.unknown(known, name, noun)
  local names = {}
  for other in pairs(known) do
    names[#names + 1] = other
  end
  local text = string.format("unknown %s '%s'", noun, tostring(name))
  table.sort(names) -- or which of two is named would be chance
  -- Loaded only now: the emulator's face does without the module in C.
  local nearest = type(name) == "string" and require "minimax"._nearest(name, names)
  return nearest and text .. " (did you mean '" .. nearest .. "'?)" or text
end

--- What is wrong with what was given, or nil.
-- @param noun what one is called: "option" or "field"
function options.problem(known, given, noun)
  for name, value in pairs(given) do
    local check = known[name]
    if not check then
      return options.unknown(known, name, noun)
    elseif not check[1](value) then
      return string.format("%s '%s' must be %s", noun, name, check[2])
    end
  end
end

--- What was given, with the defaults of the rest.
function options.complete(known, given)
  local result = {}
  for name, check in pairs(known) do
    result[name] = check[3]
  end
  for name, value in pairs(given) do
    result[name] = value
  end
  return result
end

--- Checks and completes the options of a call, and raises where they are wrong.
-- @param prefix of what is raised, such as "minimax.batch: run: "
-- @param given a table, or nil for none
-- @param level of the function that is to blame, as for `error`
function options.read(known, prefix, given, level)
  local problem = given ~= nil and type(given) ~= "table" and "a table is expected"
    or options.problem(known, given or {}, "option")
  if problem then
    error(prefix .. problem, level > 0 and level + 1 or 0)
  end
  return options.complete(known, given or {})
end

return options
