--- Rows of texts as columns.

local printable = require "minimax.common.printable"

local columns = {}

-- A wider cell pushes the rest of its row aside, and of no other.
local WIDEST = 64

local function width_of(text)
  return utf8.len(text) or #text
end

--- Lines with the cells of all rows below each other; the last cell of a row is
-- not padded.
-- @param rows a list of lists of values
function columns.lines(rows)
  local widths, cells = {}, {}
  for number, row in ipairs(rows) do
    cells[number] = {}
    for index, value in ipairs(row) do
      local text = printable.line(value)
      cells[number][index] = text
      local width = width_of(text)
      widths[index] = math.max(widths[index] or 0, width <= WIDEST and width or 0)
    end
  end
  for number, row in ipairs(cells) do
    for index = 1, #row - 1 do
      row[index] = row[index] .. (" "):rep(widths[index] - width_of(row[index]))
    end
    while row[1] and not row[#row]:find "[^ ]" do
      row[#row] = nil
    end
    cells[number] = table.concat(row, "  ")
  end
  return cells
end

--- A table's fields as rows of a name and a value, sorted by name; tables inside
-- are left out.
function columns.fields(object)
  local rows = {}
  for name, value in pairs(object) do
    if type(value) ~= "table" then
      rows[#rows + 1] = { tostring(name), value }
    end
  end
  table.sort(rows, function(one, other) return one[1] < other[1] end)
  return rows
end

return columns
