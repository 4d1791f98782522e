--- Turns the words of `minimax template`, `video` and `video2` into requests.

local catalogue = require "minimax.catalogue"
local fault = require "minimax.cli.fault"
local json = require "minimax.common.json"
local media = require "minimax.common.media"

local requests = {}

local function read_all(path)
  if path == "-" then
    return io.stdin:read("a")
  end
  local file, why = io.open(path, "rb")
  local text
  if file then
    text, why = file:read("a")
    file:close()
  end
  return text or fault.misuse("the request can't be read: %s", why)
end

-- The body that --request names, which the other options go into.
local function base(path)
  if not path then
    return {}
  end
  local body, why = json.decode(read_all(path))
  if type(body) ~= "table" then
    fault.misuse("%s holds no request: %s", path, why or "a JSON object is expected")
  end
  body, why = media.resolve(body)
  return body or fault.misuse("%s: %s", path, why)
end

local function read_media(text)
  local value, why = media.read(text)
  return value or fault.misuse("%s", why)
end

local function read_medias(texts)
  local values = {}
  for index, text in ipairs(texts) do
    values[index] = read_media(text)
  end
  return values
end

-- Fields whose options have the same name and whose values go as they are.
local PLAIN = { "model", "prompt", "prompt_optimizer", "fast_pretreatment", "duration",
  "resolution", "ratio", "callback_url", "aigc_watermark" }

local function copy_plain(body, arguments)
  for _, name in ipairs(PLAIN) do
    if arguments[name] ~= nil then
      body[name] = arguments[name]
    end
  end
  return body
end

-- An id, or a name of the catalogue.
local function template_id(word)
  if word:find("^%d+$") then
    return word
  end
  local template = catalogue.by_name(word)
  if not template then
    fault.misuse("'%s' is neither a template's id nor a name that is known here; see "
      .. "'minimax templates'", word)
  end
  return template.template_id
end

--- A "template" request.
function requests.template(arguments)
  local body = copy_plain(base(arguments.request), arguments)
  if arguments.template then
    body.template_id = template_id(arguments.template)
  elseif not body.template_id then
    fault.misuse("which template? Give its id or its name; see 'minimax templates'")
  end
  if arguments.media[1] then
    body.media_inputs = read_medias(arguments.media)
  end
  if arguments.text[1] then
    body.text_inputs = arguments.text
  end
  return body
end

--- A "video" request.
function requests.video(arguments)
  local body = copy_plain(base(arguments.request), arguments)
  if not body.model then
    fault.misuse("which model? For example --model MiniMax-Hailuo-2.3")
  end
  if arguments.first_frame then
    body.first_frame_image = read_media(arguments.first_frame)
  end
  if arguments.last_frame then
    body.last_frame_image = read_media(arguments.last_frame)
  end
  if arguments.subject then
    body.subject_reference = { { type = "character", image = { read_media(arguments.subject) } } }
  end
  return body
end

-- option, type, role; in the order in which they go into `content`
local CONTENT = {
  { "first_frame", "image_url", "first_frame" },
  { "last_frame", "image_url", "last_frame" },
  { "reference_image", "image_url", "reference_image" },
  { "reference_video", "video_url", "reference_video" },
  { "reference_audio", "audio_url", "reference_audio" },
}

local function add_content(content, arguments)
  for _, kind in ipairs(CONTENT) do
    local given = arguments[kind[1]]
    for _, text in ipairs(type(given) == "table" and given or { given }) do
      content[#content + 1] =
        { type = kind[2], role = kind[3], [kind[2]] = { url = read_media(text) } }
    end
  end
  return content
end

--- A "video2" request.
function requests.video2(arguments)
  local body = copy_plain(base(arguments.request), arguments)
  local content = body.content or {}
  if body.prompt then
    content[#content + 1] = { type = "text", text = body.prompt }
    body.prompt = nil
  end
  body.content = add_content(content, arguments)
  if not body.model then
    fault.misuse("which model? For example --model MiniMax-H3")
  elseif not body.content[1] then
    fault.misuse("what is to be seen? Give a --prompt")
  end
  return body
end

return requests
