--- Texts from elsewhere, made fit to be shown: servers, callbacks, ledgers and
-- files may hold what steers a terminal, begins a new line or turns text around.

local printable = {}

-- UTF-8 of what is not ASCII: C1; the marks, embeddings, overrides and isolates of
-- bidirectional text; the separators of lines and paragraphs. DEL is like them.
local UNSEEN = { "\xC2[\x80-\x9F]", "\xD8\x9C", "\xE2\x80[\x8E\x8F\xA8-\xAE]",
  "\xE2\x81[\xA6-\xAF]", "\x7F" }

-- A byte that is part of no character may be C1 to a terminal of 8 bits.
local function without_stray_bytes(text)
  if utf8.len(text) then
    return text
  end
  local parts, at = {}, 1
  while at <= #text do
    local good, bad = utf8.len(text, at)
    local stop = good and #text + 1 or bad
    parts[#parts + 1] = text:sub(at, stop - 1)
    parts[#parts + 1] = stop <= #text and "?" or nil
    at = stop + 1
  end
  return table.concat(parts)
end

local function replaced(text, control)
  text = without_stray_bytes(tostring(text)):gsub(control, "?")
  for _, pattern in ipairs(UNSEEN) do
    text = text:gsub(pattern, "?")
  end
  return text
end

--- A value as one line; each character of those above is a question mark in it.
function printable.line(value)
  return replaced(value, "[\0-\31]")
end

--- A value as text that keeps its lines and tabs.
function printable.text(value)
  return replaced(value, "[\0-\8\11\12\14-\31]")
end

local function escaped(character)
  return string.format("\\u%04x", utf8.codepoint(character))
end

--- JSON with the same meaning, in which those characters are escaped.
function printable.json(text)
  for _, pattern in ipairs(UNSEEN) do
    text = text:gsub(pattern, escaped)
  end
  return text
end

return printable
