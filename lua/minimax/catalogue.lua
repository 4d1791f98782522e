--- The Video Agent templates that MiniMax's own pages list. No API lists them:
-- this is data of November 2026, and an id that is missing here may work.
-- https://platform.minimax.io/docs/faq/video-agent-templates.md
-- @module minimax.catalogue

local catalogue = {}

-- In whose list it stands: minimax.io's or minimaxi.com's.
local BOTH = "both"
local WORLD = "international"
local CHINA = "china"

-- id, name, list, inputs ("media", "text"), what they show, US dollars
local ROWS = {
  { "392747428568649728", "Diving", WORLD, "media", "a subject", 0.40 },
  { "393769180141805569", "Run for Life", BOTH, "media text",
    "a pet; the beast that chases it, such as Lion", 0.45 },
  { "397087679467597833", "Transformers", WORLD, "media", "a car", 0.45 },
  { "393881433990066176", "Still rings routine", BOTH, "media",
    "a person (in the Chinese list: a pet)", 0.45 },
  { "393498001241890824", "Weightlifting", WORLD, "media", "a pet", 0.45 },
  { "393488336655310850", "Climbing", WORLD, "media", "a subject", 0.40 },
  { "394514820878671878", "Anime Life Sim", WORLD, "text", "a scene", 1.50 },
  { "393879757702918151", "McDonald's Delivery Pet", BOTH, "media", "a pet", 1.10 },
  { "397017167949312007", "Pet Pilot", WORLD, "media", "a pet", 2.00 },
  { "394176968202485769", "Miniature Set Ad", WORLD, "media", "a product", 1.40 },
  { "393876118804459526", "Male Model Try-On Ad", BOTH, "media", "a garment", 1.00 },
  { "393866076583718914", "Female Model Try-On Ad", BOTH, "media", "a garment", 1.00 },
  { "394875727173492739", "Art Fonts", WORLD, "text", "a word and an element", 0.35 },
  { "394220989629177861", "Drinkfall", WORLD, "media", "a beverage", 0.70 },
  { "393853165953970178", "E-commerce Display Ad", WORLD, "text", "a product", 0.86 },
  { "401431836934868999", "3D character product presentation", WORLD, "media text",
    "a product; what to say", 1.08 },
  { "392753057216684038", "跳水", CHINA, "media", "a subject (diving)" },
  { "394246956137422856", "万物皆可labubu", CHINA, "media", "a person or a pet" },
  { "393766210733957121", "藏族风写真", CHINA, "media", "a face" },
  { "394125185182695432", "生无可恋", CHINA, "text", "who suffers doing what" },
  { "393857704283172864", "情书写真", CHINA, "media", "a face, in winter" },
  { "398574688191234048", "四季写真", CHINA, "media", "a face, in four seasons" },
}

-- "Run for Life" as a word that no shell takes apart.
local function slug_of(name)
  return (name:lower():gsub("'", ""):gsub("[%s%p]+", "-"))
end

--- All templates: a list of tables `template_id`, `name`, `slug` (the name as the
-- command line takes it), `list` ("international", "china" or "both"), `media` and
-- `text` (whether it wants such inputs), `wants` (what they show) and `price` (US
-- dollars, where known).
catalogue.templates = {}

local by_id = {}

for index, row in ipairs(ROWS) do
  local template = {
    template_id = row[1], name = row[2], slug = slug_of(row[2]), list = row[3],
    media = row[4]:find("media", 1, true) ~= nil, text = row[4]:find("text", 1, true) ~= nil,
    wants = row[5], price = row[6],
  }
  catalogue.templates[index] = template
  by_id[template.template_id] = template
end

--- A template by its id, or nil.
function catalogue.by_id(template_id)
  return by_id[template_id]
end

-- Letters alone, so that "run-for-life" finds "Run for Life".
local function plain(name)
  return (name:lower():gsub("[%s%p]", ""))
end

--- A template by its name, however that is spelled, or nil.
function catalogue.by_name(name)
  for _, template in ipairs(catalogue.templates) do
    if plain(template.name) == plain(name) then
      return template
    end
  end
end

--- The members of a request that a template may want.
catalogue.INPUTS = { "media_inputs", "text_inputs" }

local MEMBERS = { media_inputs = "media", text_inputs = "text" }

--- Whether a template wants an input.
-- @param template one of `catalogue.templates`
-- @param name one of `INPUTS`
function catalogue.wants(template, name)
  return template[MEMBERS[name]]
end

--- Whether a request has that input.
function catalogue.is_given(body, name)
  return type(body[name]) == "table" and #body[name] > 0
end

return catalogue
