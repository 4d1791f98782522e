--- src/base/heap.c: deadlines in the order in which they fall due.

local pure = require "pure"

-- Takes out all that is in and returns the numbers in that order.
local function drain(heap)
  local order = {}
  while heap:first() do
    local number = heap:first()
    heap:remove(number)
    order[#order + 1] = number
  end
  return order
end

-- A list of `dues` by number against a heap: the first is the least.
local function assert_same(dues, heap)
  local least, count = nil, 0
  for _, due in pairs(dues) do
    least = math.min(least or due, due)
    count = count + 1
  end
  local number, due = heap:first()
  assert.equal(least, due)
  if number then
    assert.equal(least, dues[number])
  end
  assert.equal(count, heap:count())
end

describe("heap", function()
  it("is empty when all zero", function()
    local heap = pure.heap(1)
    assert.is_nil(heap:first())
    heap:remove(1)
    assert.equal(0, heap:count())
  end)

  it("gives deadlines in order, whatever the order they came in", function()
    for _, order in ipairs { { 1, 2, 3, 4, 5 }, { 5, 4, 3, 2, 1 }, { 3, 1, 5, 2, 4 } } do
      local heap = pure.heap(5)
      for _, number in ipairs(order) do
        assert.is_true(heap:put(number, number * 10))
      end
      assert.same({ 1, 2, 3, 4, 5 }, drain(heap))
    end
  end)

  it("moves a deadline that is in, to earlier and to later", function()
    local heap = pure.heap(3)
    for number = 1, 3 do
      heap:put(number, number * 10)
    end
    heap:put(3, 5)
    assert.equal(3, (heap:first()))
    heap:put(3, 15)
    assert.equal(3, heap:count())
    assert.same({ 1, 3, 2 }, drain(heap))
  end)

  it("removes from any place, and twice without harm", function()
    local heap = pure.heap(7)
    for number = 1, 7 do
      heap:put(number, number)
    end
    heap:remove(1)
    heap:remove(4)
    heap:remove(4)
    heap:remove(7)
    assert.equal(0, heap:slot(4))
    assert.same({ 2, 3, 5, 6 }, drain(heap))
  end)

  it("orders instants that fill 63 bits", function()
    local heap = pure.heap(3)
    heap:put(1, math.maxinteger)
    heap:put(2, 0)
    heap:put(3, math.maxinteger - 1)
    assert.same({ 2, 3, 1 }, drain(heap))
  end)

  it("lets another in where one was taken out", function()
    local heap = pure.heap(2)
    for round = 1, 1000 do
      heap:put(1, round)
      heap:put(2, round + 1)
      assert.same({ 1, 2 }, drain(heap))
    end
  end)

  it("agrees with a plain list over 20,000 random steps", function()
    local size, dues, state = 200, {}, 42
    local heap = pure.heap(size)
    local function random(most)
      local value
      value, state = pure.retry_random(state)
      return (value >> 1) % most
    end
    for step = 1, 20000 do
      local number = random(size) + 1
      if random(3) == 0 then
        heap:remove(number)
        dues[number] = nil
      else
        local due = random(500)
        assert.is_true(heap:put(number, due))
        dues[number] = due
      end
      if step % 20 == 0 then
        assert_same(dues, heap)
      end
    end
    local last = -1
    for _, number in ipairs(drain(heap)) do
      assert.is_true(dues[number] >= last)
      last, dues[number] = dues[number], nil
    end
    assert.is_nil(next(dues))
  end)
end)
