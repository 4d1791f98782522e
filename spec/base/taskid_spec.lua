--- src/base/taskid.c: the id of the task that an answer names, however much of the
-- answer there is.

local pure = require "pure"

local ID = "401047179385389059"

describe("the task that an answer names is found", function()
  it("by the most specific name, inside wrappings, too", function()
    for text, expected in pairs {
      ['{"task_id":"17"}'] = "17",
      ['{"id":"17"}'] = "17",
      ['{"task":{"id":"17"}}'] = "17",
      ['{"data":{"task":{"id":17}}}'] = "17",
      ['{"data":{"data":{"task_id":17}}}'] = "17",
      ['{"id":"req_99","data":{"task_id":"17"}}'] = "17",
      ['{"data":{"task_id":"17"},"id":"req_99"}'] = "17",
      ['{"data":{"id":"req_99","task":{"id":"17"}}}'] = "17",
      ['{"id":"req_99","data":{"id":"17"}}'] = "17",
      ['{"id":"req_99","task":{"id":"17"},"data":{"id":"18"}}'] = "17",
      ['{"task_id":"17","data":{"task_id":"18","id":"19"}}'] = "17",
      ['{"data":{"task_id":"18"},"task_id":"17"}'] = "17",
      ['{"request":{"task_id":"18"},"data":{"task_id":"17"}}'] = "17",
      ['{"request":{"id":"18"},"id":"17"}'] = "17",
      ['{"error":{"message":"twice","task_id":"17"}}'] = "17",
      ['[{"task_id":"17"},{"task_id":"18"}]'] = "17",
      ['{"task_id":"","data":{"task_id":"17"}}'] = "17",
      ['{"task_id":null,"id":"17"}'] = "17",
      ['{"task_id":{"id":"18"},"id":"17"}'] = "17",
      ['{"task_id":0,"task":{"id":"17"}}'] = "17",
    } do
      assert.equal(expected, (pure.task_id(text)), text)
    end
  end)

  it("vaguely where only the answer itself has an id", function()
    for text, naming in pairs {
      ['{"id":"17"}'] = "vague", ['{"data":{"id":"17"}}'] = "clear",
      ['{"task":{"id":"17"}}'] = "clear", ['{"task_id":"17"}'] = "clear",
      ['{"x":{"task_id":"17"}}'] = "clear",
    } do
      assert.equal(naming, select(2, pure.task_id(text)), text)
    end
  end)

  it("in an answer that is cut anywhere behind it, and not before", function()
    for _, value in ipairs { '"' .. ID .. '"', ID } do
      local text = '{"base_resp":{"status_code":0},"data":{"task_id":' .. value .. ' , "x":"y"}}'
      local enough = text:find(value, 1, true) + #value - 1
      if value == ID then
        enough = text:find(",", enough, true) -- more digits might have followed
      end
      for length = 0, #text do
        assert.equal(length >= enough and ID or nil, (pure.task_id(text:sub(1, length))), length)
      end
    end
  end)

  it("nowhere else where its own value is cut off", function()
    for _, value in ipairs { '"' .. ID .. '"', ID } do
      for _, before in ipairs { '{"id":"other","task_id":', '{"id":"other","task":{"id":',
        '{"id":"other","data":{"task_id":', '{"data":{"id":"other","task_id":' } do
        for length = 0, #value - 1 do
          local text = before .. value:sub(1, length)
          assert.is_nil(pure.task_id(text), text)
        end
        assert.equal(ID, (pure.task_id(before .. value .. ",")))
      end
    end
  end)

  it("in what is no JSON as a whole", function()
    local answer = '{"task_id":"' .. ID .. '"}'
    for _, text in ipairs {
      answer .. answer, answer .. "\0", "\xef\xbb\xbf" .. answer, ")]}'\n" .. answer,
      'Warning: "x.php" line 17\n' .. answer, 'a "stray quote\n' .. answer, "callback(" .. answer,
      [[{"a":NaN,"b":\ud83e,]] .. answer:sub(2), "<html>" .. answer .. "</html>",
      '{"task_id":"' .. ID .. '":"x"}', [[{"id\":"req_99","data":]] .. answer .. "}",
      '{"id":"req_99","data":":' .. answer .. "}",
      '{"id":"req_99","x":"a" b","data":' .. answer .. "}",
      '{"prompt":"\\ud83e", "x":"\xff",' .. answer:sub(2), '{"a":[}]},' .. answer,
    } do
      assert.equal(ID, (pure.task_id(text)), text)
    end
  end)

  it("without its escapes", function()
    assert.equal("a/b-c", (pure.task_id [[{"task\u005fid":"a\/b\u002dc"}]]))
    assert.equal("é", (pure.task_id [[{"task_id":"\u00e9"}]]))
    assert.equal("video_01J8", (pure.task_id [[{"\u0074ask_id":"video\u005F01J8"}]]))
  end)

  it("and not in a string, whatever it holds", function()
    for _, text in ipairs {
      [[{"prompt":"{\"task_id\":\"17\"}"}]], [[{"prompt":"\\\"task_id\\\":\\\"17\\\""}]],
      [[["task_id","17"] ]], [[{"a":"task_id","b":"17"}]], [[{"xtask_id":"17","task_idx":"18"}]],
      [[{"TASK_ID":"17"}]], [[{"trace_id":"17","request_id":"18"}]], "", "17", '"17"', "null",
    } do
      assert.is_nil(pure.task_id(text), text)
    end
  end)

  it("where it can be an id, only", function()
    for _, value in ipairs {
      "0", '"0"', '"000"', "-1", '"-1"', '"."', '".."', '"..."', '""', "null", "true", "{}", "[]",
      [["1\u00002"]], '"1\0002"', [["1\n2"]], '"1\n2"', '"1 2"', '" 17"', [["17\t"]], '"\127"',
      '"1\u{a0}2"', '"1\u{85}"', '"\u{200b}17"', '"17\u{feff}"', '"\xff"', [["\ud83e"]], '"17',
      [["\u12"]], "17.5", "1e-3", "0.0", "-0",
      '"-0"', '"-"', "1e999999999999", "1e256", ".5", "017", "-", "1e", "1e+",
      "1.5e", '"' .. ("9"):rep(256) .. '"', ("9"):rep(256),
    } do
      assert.is_nil(pure.task_id('{"task_id":' .. value .. "}"), value)
    end
    for _, id in ipairs { "17", "video_01J8", "a/b?c#d%20", "é", "00a", ".a", "-17",
      ("9"):rep(255) } do
      assert.equal(id, (pure.task_id('{"task_id":"' .. id .. '"}')), id)
    end
  end)

  it("with exactly its digits where it is a number", function()
    for written, digits in pairs {
      ["4.01047179385389059E+17"] = ID, ["4.01047179385389059e17"] = ID, [ID .. ".0"] = ID,
      [ID .. ".000e0"] = ID, ["40104717938538905900e-2"] = ID, ["-" .. ID] = "-" .. ID,
      ["1e3"] = "1000", ["0.17e2"] = "17", ["9007199254740993.0"] = "9007199254740993",
      ["1e20"] = "1" .. ("0"):rep(20), ["18446744073709551616"] = "18446744073709551616",
    } do
      assert.equal(digits, (pure.task_id('{"task_id":' .. written .. "}")), written)
    end
    for _, written in ipairs { "4.0104717938538905951E+17", "401047179385389059.5", "1.5" } do
      assert.is_nil(pure.task_id('{"task_id":' .. written .. "}"), written)
    end
  end)

  it("however deep it is wrapped", function()
    local deep = ('{"data":'):rep(5000) .. '{"task_id":"17"}' .. ("}"):rep(5000)
    assert.equal("17", (pure.task_id(deep)))
    assert.equal("17", (pure.task_id(("["):rep(100000) .. '{"task_id":"17"}')))
  end)
end)

describe("a JSON text", function()
  it("is closed where nothing can follow that changes it", function()
    for _, text in ipairs { "{}", " {} \r\n", "[]", '{"a":"}","b":[{}]}', [[{"a":"\"}"}]] } do
      assert.is_true(pure.is_closed(text), text)
    end
    for _, text in ipairs { "", " ", "17", '"{}"', "{", '{"a":"}', "{}{}", "{} x", "}", "[[]",
      [[{"a":"\]], '{"a":1', "null" } do
      assert.is_false(pure.is_closed(text), text)
    end
  end)
end)
