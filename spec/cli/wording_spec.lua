-- The errors of the module, as the command line says them.

local command = require "spec.support.command"
local wording = require "minimax.cli.wording"

-- Texts that only a mistake in a program brings about: the command line makes none.
local OF_PROGRAMS = {
  "^option '%%s' must be", "^unknown option", "^options have names", "^a table of options",
  "^option '%w+' must hold", "^option 'auth'", "^on_", "^minimax: ", "^a minimax%.error",
  "^this client belongs to the parent", "^a task, a status, a table",
}

-- The texts of a C file; what stands in two pieces is one text.
local function texts_of(path)
  local file = assert(io.open(path))
  local source = file:read("a"):gsub("/%*.-%*/", ""):gsub('\\"', "\1")
  file:close()
  source = source:gsub('"[%s\\]*\n[%s]*"', "")
  local texts = {}
  for text in source:gmatch('"([^"\n]*)"') do
    texts[#texts + 1] = text:find(" ", 1, true) and text:gsub("\1", '"') or nil
  end
  return texts
end

-- The names of the options of all functions.
local function options()
  local names = {}
  for path in io.popen("ls src/*/*.c"):lines() do
    local file = io.open(path)
    for option in file:read("a"):gmatch('{"([%l_]+)", OPTION_') do
      names[option] = true
    end
    file:close()
  end
  return names
end

local function is_of_programs(text)
  for _, pattern in ipairs(OF_PROGRAMS) do
    if text:find(pattern) then
      return true
    end
  end
end

-- What a text says of options in the words of functions, or nil.
local function foreign_word(text, names)
  for word in text:gmatch "%f[%w_-][%w_-]+" do
    if names[word] and word:find("_", 1, true) then
      return word
    end
  end
  for _, form in ipairs { "option", "minimax%.%l", "client:", "err%.", "%l+ = ", "is false",
    "is true" } do
    if text:find(form) then
      return form
    end
  end
end

describe("the wording of the command line", function()
  it("names no option of a function in any text of the module", function()
    local names, changed, wrong = options(), 0, {}
    assert.is_true(names.base_url and names.verify and names.kind)
    for path in io.popen("ls src/*/*.c"):lines() do
      for _, text in ipairs(texts_of(path)) do
        local said = wording.of(text)
        changed = changed + (said ~= text and 1 or 0)
        if not is_of_programs(text) and foreign_word(said, names) then
          wrong[#wrong + 1] = path .. ": " .. said
        end
      end
    end
    assert.same({}, wrong)
    assert.is_true(changed > 12)
  end)

  it("is what a command says", function()
    local env = { MINIMAX_API_KEY = "sk-spec" }
    for _, case in ipairs {
      { { "query", "1", "--base-url", "minimax.io" }, env, 2, "(--base-url, MINIMAX_BASE_URL)" },
      { { "query", "1" }, nil, 3, "--key-file" },
      { { "query", "1" }, { MINIMAX_API_KEY = "Bearer x" }, 2, "it is added by itself" },
      { { "query", "1", "--base-url", "https://no.invalid", "--retries", "0" }, env, 11,
        "check --base-url" },
      { { "video", "--model", "x", "--base-url", "https://no.invalid", "--retries", "0",
        "--json" }, env, 11, "check --base-url" },
    } do
      local result = command.run(case[1], { env = case[2] })
      assert.equal(case[3], result.code, result.err)
      assert.matches(case[4], result.out .. result.err, 1, true)
    end
  end)
end)
