--- Texts that a hostile server may send, each of any size: what a pass over them
-- must not take too long for.
--
--     for name, make in pairs(hostile_texts) do
--       local text = make(100000) -- bytes, about
--     end

local texts = {}

-- A text of `size` bytes, of one piece again and again, in a frame.
local function add(name, piece, head, tail)
  texts[name] = function(size)
    return (head or "") .. piece:rep(size // #piece) .. (tail or "")
  end
end

-- In a string that is shown or searched.
for name, piece in pairs {
  ["escapes"] = [[\\]],
  ["escaped quotes"] = [[\"]],
  ["escaped slashes"] = [[\/]],
  ["characters in escapes"] = [[\u00e9]],
  ["halves of characters"] = [[\ud83e]],
  ["marks"] = "\127",
  ["escaped marks"] = [[\u007f]],
  ["links"] = "https://",
  ["links with users"] = "http://a@",
  ["one long user"] = "@",
  ["queries"] = "http://a/?b ",
  ["question marks"] = "?",
  ["apostrophes"] = "'",
  ["the beginning of the key"] = "sk-hostil",
  ["blanks"] = " ",
  ["brackets"] = "(",
  ["codes"] = "(2013) ",
  ["percents"] = "%s",
  ["halves of bytes"] = "\195",
  ["dots"] = "../",
  ["the id"] = "task_12345",
  ["the beginning of the id"] = "task_1234567",
} do
  local link = name == "one long user" and "http://" or ""
  add("a status of " .. name, piece, '{"task_id":"1","status":"' .. link,
    '","base_resp":{"status_code":0}}')
  add("a refusal of " .. name, piece, '{"base_resp":{"status_code":1004,"status_msg":"' .. link,
    '"}}')
  add("an id of " .. name, piece, '{"status":"Processing","task_id":"' .. link, '"}')
  add("a link of " .. name, piece, '{"task_id":"1","status":"Success","video_url":"' .. link, '"}')
  add("a failure of " .. name, piece, '{"task_id":"1","status":"Fail","error":{"message":"' .. link,
    '"}}')
  add("a field of " .. name, piece, '{"task_id":"1","status":"Processing","' .. link, '":1}')
end

-- As the whole text.
for name, piece in pairs {
  ["empty lists"] = "[],",
  ["empty objects"] = "{},",
  ["open lists"] = "[",
  ["open objects"] = '{"a":',
  ["numbers"] = "1,",
  ["digits"] = "1",
  ["numbers that are none"] = "-",
  ["exponents"] = "1e9,",
  ["blanks"] = " ",
  ["numbers and blanks"] = "1            ",
  ["open lists and blanks"] = "[              ",
  ["open strings"] = '"',
  ["strings"] = '"a",',
  ["marked strings"] = '"\127",',
  ["backslashes"] = "\\",
  ["words"] = "a",
  ["less-than signs"] = "<",
  ["tags"] = "<html>",
} do
  add("a list of " .. name, piece, '{"task_id":"1","status":"Processing","a":[', "]}")
  add("nothing but " .. name, piece)
end
add("an open string of escapes", [[\"]], '"')
add("a string of escapes and a quote far off", [[\\]], '{"a":"', '","b":"c"}')

return texts
