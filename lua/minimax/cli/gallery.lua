--- The page of `minimax batch export`: all videos of a ledger in one file of
-- HTML, without scripts. All that comes from elsewhere is escaped.

local catalogue = require "minimax.catalogue"
local printable = require "minimax.common.printable"
local shell = require "minimax.common.shell"

local gallery = {}

local HEAD = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="script-src 'none'; object-src 'none'">
<title>%s</title>
<style>
body { margin: 2rem; font: 16px/1.4 system-ui, sans-serif; color: #222; background: #f4f4f2 }
main { display: grid; gap: 1.5rem; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)) }
article { background: #fff; border-radius: 6px; overflow: hidden; box-shadow: 0 1px 3px #0003 }
video, .none { display: block; width: 100%%; aspect-ratio: 16 / 9; background: #000 }
.none { display: grid; place-items: center; background: #ddd; color: #555 }
.text { padding: .8rem 1rem 1rem }
h2 { margin: 0 0 .3rem; font-size: 1rem; overflow-wrap: anywhere }
p { margin: .3rem 0; white-space: pre-wrap; overflow-wrap: anywhere }
.state { display: inline-block; padding: 0 .5em; border-radius: 1em; font-size: .8rem;
  background: #ddd }
.downloaded { background: #bfe3c0 }
.failed, .unknown { background: #f3c1bb }
.error { color: #a02318 }
dl { margin: .5rem 0 0; display: grid; grid-template-columns: auto 1fr; gap: 0 .7em;
  font-size: .8rem; color: #666 }
dd { margin: 0; overflow-wrap: anywhere }
</style>
</head>
<body>
<h1>%s</h1>
<main>
]]

local FOOT = [[
</main>
</body>
</html>
]]

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;",
  ["'"] = "&#39;" }

--- A text as HTML, also inside quotes, in which nothing is hidden.
function gallery.escape(text)
  return (printable.text(text):gsub("[&<>\"']", ENTITIES))
end

local escape = gallery.escape

local function percent(byte)
  return string.format("%%%02X", byte:byte())
end

--- A path as the URL of a page.
-- @param path of the video
-- @param folder of the page, which the path does not know of: "" or with a slash
--   at its end
-- @param here the folder that both are relative to, absolute
function gallery.link(path, folder, here)
  if path:sub(1, 1) ~= "/" and folder ~= "" then
    path = here .. "/" .. path
  end
  local link = path:gsub("[^%w/._~-]", percent)
  -- A colon in the first segment would be a scheme: it is escaped above. A path
  -- that begins with two slashes would be a host.
  return (link:gsub("^//+", "/"))
end

local function texts_of(inputs)
  local texts = {}
  for _, input in ipairs(type(inputs) == "table" and inputs or {}) do
    texts[#texts + 1] = type(input) == "table" and input.value or input
  end
  return texts
end

local function content_texts(content)
  local texts = {}
  for _, item in ipairs(type(content) == "table" and content or {}) do
    texts[#texts + 1] = type(item) == "table" and item.type == "text" and item.text or nil
  end
  return texts
end

--- What a request asks for, in words.
function gallery.prompt(request)
  local template = request.template_id and catalogue.by_id(tostring(request.template_id))
  local parts = { template and template.name or request.template_id, request.prompt }
  local words = {}
  for _, list in ipairs { { parts[1] }, { parts[2] }, texts_of(request.text_inputs),
    content_texts(request.content) } do
    for _, text in ipairs(list) do
      words[#words + 1] = tostring(text)
    end
  end
  return table.concat(words, "\n")
end

local function time_row(name, seconds)
  local whole = math.tointeger(seconds and math.floor(seconds))
  local known, text = pcall(os.date, "%Y-%m-%d %H:%M:%S", whole or "")
  return known and whole and string.format("<dt>%s</dt><dd>%s</dd>\n", name, text) or ""
end

local function picture(job, folder, here)
  if job.state ~= "downloaded" then
    return '<div class="none">no video</div>\n'
  end
  return string.format('<video controls preload="metadata" src="%s"></video>\n',
    escape(gallery.link(job.output, folder, here)))
end

local function article(job, folder, here)
  local parts = { "<article>\n", picture(job, folder, here), '<div class="text">\n',
    "<h2>", escape(job.key), "</h2>\n",
    string.format('<span class="state %s">%s</span>\n', escape(job.state), escape(job.state)),
    "<p>", escape(gallery.prompt(job.request)), "</p>\n" }
  if job.err then
    parts[#parts + 1] = '<p class="error">' .. escape(job.err.message) .. "</p>\n"
  end
  parts[#parts + 1] = "<dl>\n"
  if job.task_id then
    parts[#parts + 1] = "<dt>task</dt><dd>" .. escape(job.task_id) .. "</dd>\n"
  end
  parts[#parts + 1] = time_row("submitted", job.submitted_at)
  parts[#parts + 1] = time_row("ended", job.ended_at)
  parts[#parts + 1] = "</dl>\n</div>\n</article>\n"
  return table.concat(parts)
end

local function write_all(file, ledger, title, folder)
  local here = shell.folder()
  title = escape(title)
  local ok, why = file:write(HEAD:format(title, title))
  local count = 0
  for job in ledger:jobs() do
    count = count + 1
    ok, why = file:write(article(job, folder, here))
    if not ok then
      break
    end
  end
  if ok then
    ok, why = file:write(FOOT)
  end
  return ok and count, why
end

--- Writes the page; under its name there is never half a one.
-- @param ledger of `minimax.batch`
-- @param path of the page
-- @param title of the page
-- @return the number of jobs; or nil and why not. It raises what the ledger raises.
function gallery.write(ledger, path, title)
  local temporary = path .. ".part"
  local file, why = io.open(temporary, "wb")
  if not file then
    return nil, why
  end
  local ran, count, problem = pcall(write_all, file, ledger, title, path:match("^.*/") or "")
  local closed, close_why = file:close()
  if ran and count and closed and os.rename(temporary, path) then
    return count
  end
  os.remove(temporary)
  if not ran then
    error(count, 0)
  end
  return nil, problem or close_why or path .. " can't be replaced"
end

return gallery
