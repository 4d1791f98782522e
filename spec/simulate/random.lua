--- Numbers that look random and follow from a seed alone, whatever the version of
-- Lua and whatever else draws numbers: a night can be played again.

local random = {}
random.__index = random

--- @param seed an integer
function random.new(seed)
  local self = setmetatable({ state = seed }, random)
  self.state = self:bits() -- seeds in a row would draw the same numbers, one later
  return self
end

-- SplitMix64.
function random:bits()
  self.state = self.state + 0x9E3779B97F4A7C15
  local z = self.state
  z = (z ~ (z >> 30)) * 0xBF58476D1CE4E5B9
  z = (z ~ (z >> 27)) * 0x94D049BB133111EB
  return z ~ (z >> 31)
end

--- A number from 0 to 1, or between two.
function random:real(least, most)
  local share = (self:bits() >> 11) / 2 ^ 53
  return least and least + share * (most - least) or share
end

--- An integer from 1 to `most`.
function random:index(most)
  return (self:bits() >> 1) % most + 1
end

--- Whether something happens that happens that often (0 to 1).
function random:chance(share)
  return share > 0 and self:real() < share
end

--- One of a list.
function random:of(list)
  return list[self:index(#list)]
end

return random
