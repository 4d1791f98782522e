-- One reference: every public function that is there at run time stands in the
-- types for the language server, in the LDoc comments and in the README's table
-- of calls (the emulator's: on its page), and no type names one that is not there.

local lfs = require "lfs"
local batch = require "minimax.batch"
local emulator = require "minimax.emulator"
local error_codes = require "spec.support.error_codes"
local exit_codes = require "minimax.cli.codes"
local minimax = require "minimax"
local receiver = require "minimax.receiver"
local temp = require "spec.support.temp"

local TYPES = "lua/minimax/types.lua"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

-- The paths of the files under a folder that end in `suffix`.
local function files(folder, suffix, found)
  found = found or {}
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    if name:sub(1, 1) ~= "." and lfs.attributes(path, "mode") == "directory" then
      files(path, suffix, found)
    elseif name:sub(-#suffix) == suffix then
      found[#found + 1] = path
    end
  end
  table.sort(found)
  return found
end

local function sorted(set)
  local names = {}
  for name in pairs(set) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function add_functions(set, container)
  for name, value in pairs(container) do
    if type(value) == "function" and not name:find("^_") then
      set[name] = true
    end
  end
end

-- The methods of an object: what its metatable, or the table behind it, holds.
local function methods(object)
  local set = {}
  local metatable = assert(getmetatable(object))
  add_functions(set, metatable)
  if type(metatable.__index) == "table" then
    add_functions(set, metatable.__index)
  end
  return set
end

-- What is public, by the name that its owner has in the types.
local function public_functions()
  local emu <close> = emulator.start { speed = 1000 }
  local client <close> = minimax.new { base_url = emu.base_url, api_key = emu.api_key }
  local task = assert(client:submit { template_id = "393488336655310850",
    media_inputs = { "https://x/y.jpg" } })
  local status = assert(client:wait(task, { interval = 0.05, timeout = 30 }))
  local controller = require "cqueues".new()
  local served <close> = receiver.start { controller = controller, client = client }
  local folder <close> = temp.folder()
  local ledger <close> = assert(batch.open(folder:file "ledger.db"))
  local public = {
    minimax = {},
    Client = methods(client),
    Task = methods(task),
    Status = methods(status),
    File = methods(minimax.file "pet.jpg"),
    emulator = {},
    Emulator = methods(emu),
    receiver = {},
    Receiver = methods(served),
    batch = {},
    Batch = methods(ledger),
  }
  add_functions(public.minimax, minimax)
  add_functions(public.emulator, emulator)
  add_functions(public.receiver, receiver)
  add_functions(public.batch, batch)
  return public
end

-- The functions that the types declare, by the name of their owner.
local function declared_functions()
  local declared = {}
  for owner, name in ("\n" .. read(TYPES)):gmatch("\nfunction (%w+)[.:]([%w_]+)%(") do
    declared[owner] = declared[owner] or {}
    declared[owner][name] = true
  end
  return declared
end

-- The fields of a class of the types, and of those that it inherits from.
local function declared_fields(class, found)
  found = found or {}
  local pattern = "%-%-%-@class minimax%." .. class .. "([^\n]*)(.-)\n\n"
  local parents, fields = read(TYPES):match(pattern)
  for name in fields:gmatch("@field ([%w_]+)") do
    found[name] = true
  end
  for parent in parents:gmatch("minimax%.([%w_]+)") do
    declared_fields(parent, found)
  end
  return found
end

local function add_named(set, text)
  for name in text:gmatch("@function%s+([%w_.:]+)") do
    set[name:match("[%w_]+$")] = true
  end
end

-- Adds the functions that stand right below a comment that begins with `---`.
local function add_commented(set, text)
  local in_comment
  for line in (text .. "\n"):gmatch("([^\n]*)\n") do
    local name = line:match("^function [%w_.:]-([%w_]+)%(")
    if name and in_comment then
      set[name] = true
    end
    in_comment = line:find("^%-%-%-") or in_comment and line:find("^%-%-")
  end
end

-- The names that LDoc comments document, without their owners.
local function documented_functions()
  local documented = {}
  for _, path in ipairs(files("src", ".c")) do
    add_named(documented, read(path))
  end
  for _, path in ipairs(files("lua", ".lua")) do
    if path ~= TYPES then
      add_named(documented, read(path))
      add_commented(documented, read(path))
    end
  end
  return documented
end

-- The calls in code quotes in the first column of the README's tables.
local function tabled_functions()
  local tabled = {}
  for cell in ("\n" .. read("README.md")):gmatch("\n|([^|\n]*)|") do
    for name in cell:gmatch("`[%w_.:]-([%w_]+)%(") do
      tabled[name] = true
    end
  end
  return tabled
end

describe("the reference", function()
  local public

  setup(function()
    public = public_functions()
  end)

  it("finds the functions that it speaks of", function()
    assert.is_true(public.minimax.submit)
    assert.is_true(public.Client.wait)
    assert.is_true(public.Task.download)
    assert.is_true(public.Status.query)
    assert.is_true(public.emulator.start)
    assert.is_true(public.Emulator.requests)
  end)

  it("has a type for every public function", function()
    local declared = declared_functions()
    -- A status has the methods of a task by inheritance.
    declared.Status = declared.Task
    for owner, set in pairs(public) do
      for name in pairs(set) do
        assert.is_true((declared[owner] or {})[name], owner .. " " .. name .. " has no type")
      end
    end
  end)

  it("has no type for a function that is not there", function()
    for owner, set in pairs(declared_functions()) do
      assert.same(sorted(set), sorted(public[owner] or {}), owner)
    end
  end)

  it("has an LDoc comment for every public function", function()
    local documented = documented_functions()
    for owner, set in pairs(public) do
      for name in pairs(set) do
        assert.is_true(documented[name], owner .. " " .. name .. " is not documented")
      end
    end
  end)

  it("has every call in README's tables", function()
    local tabled = tabled_functions()
    for _, owner in ipairs { "minimax", "Client", "Task", "Status", "File" } do
      for name in pairs(public[owner]) do
        assert.is_true(tabled[name], owner .. " " .. name .. " is not in README.md")
      end
    end
  end)

  for page, owners in pairs {
    emulator = { "emulator", "Emulator" }, batch = { "batch", "Batch" },
  } do
    it("has every call of the " .. page .. " on its page", function()
      local text = read("doc/" .. page .. ".md")
      for _, owner in ipairs(owners) do
        for name in pairs(public[owner]) do
          assert.truthy(text:find("[.:]" .. name .. "%f[^%w_]"), name .. " is not on the page")
        end
      end
    end)
  end

  it("has every option of a batch's run, and no other", function()
    local folder <close> = temp.folder()
    local ledger <close> = assert(batch.open(folder:file "ledger.db"))
    local page = read "doc/batch.md"
    local count = 0
    for name in pairs(declared_fields "batch.run_options") do
      local raised, err = pcall(ledger.run, ledger, { [name] = coroutine.create(print) })
      assert.is_false(raised, name)
      assert.is_nil(err:find("unknown option", 1, true), err)
      assert.truthy(page:find("`" .. name .. "`", 1, true), name .. " is not on the page")
      count = count + 1
    end
    assert.is_true(count > 10)
  end)

  it("has no option that its function does not know", function()
    local client <close> = minimax.new { api_key = "sk-api-example" }
    local request = { template_id = "1" }
    local calls = {
      options = minimax.new,
      submit_options = function(options) return client:submit(request, options) end,
      query_options = function(options) return client:query("1", options) end,
      wait_options = function(options) return client:wait("1", options) end,
      download_options = function(options) return client:download("1", print, options) end,
      fetch_options = function(options) return client:download("1", "x", options) end,
      generate_options = function(options) return client:generate(request, print, options) end,
      call_options = function(options) return client:retrieve("1", options) end,
      call_request = function(options) return client:call("GET", "/v1/x", options) end,
      list_filter = function(options) return client:list(options) end,
    }
    local counts = {}
    for class, call in pairs(calls) do
      for name in pairs(declared_fields(class)) do
        local raised, err = pcall(call, { [name] = coroutine.create(print) })
        assert.is_false(raised, class .. " " .. name)
        assert.is_nil(err:find("unknown option", 1, true), class .. ": " .. err)
        counts[class] = (counts[class] or 0) + 1
      end
    end
    assert.equal(#sorted(calls), #sorted(counts))
  end)
end)

-- Pages that name the code: what they name must be there.
local function pages()
  local found = files("doc/inside", ".md")
  local others = { "CONTRIBUTING.md", "spec/README.md", "doc/versions.md" }
  return table.move(others, 1, #others, #found + 1, found)
end

-- The texts in code quotes of a piece of a page.
local function quotes(piece)
  return piece:gmatch "`([^`\n]+)`"
end

-- A path of the repository, as pages write it; one with an asterisk is a form.
local function is_path(quote)
  local folder = quote:match "^([%w.]+)/[%w_./-]+$"
  return folder and lfs.attributes(folder, "mode") == "directory" and folder ~= "build"
end

-- Whether a file defines, declares or assigns a function of that name.
local function defines(text, name)
  text = "\n" .. text
  for _, form in ipairs { "\n[%a_][%w_ *]-%f[%w_]", "\nfunction [%w_.:]-%f[%w_]",
    "\n%s*local function ", "\n" } do
    if text:find(form .. name .. "%(") then
      return true
    end
  end
  return text:find("\n%s*" .. name .. " = function") ~= nil
end

-- Paragraphs and rows of tables: where a function is named, so is its file.
local function pieces(text)
  text = text:gsub("```.-```", ""):gsub("\n|", "\n\n|"):gsub("\n%* ", "\n\n* ")
  return (text .. "\n\n"):gmatch "(.-)\n\n+"
end

describe("the pages about the code", function()
  for _, page in ipairs(pages()) do
    it("name what is there: " .. page, function()
      for piece in pieces(read(page)) do
        local texts, places = {}, {}
        for quote in quotes(piece) do
          if is_path(quote) then
            local mode = lfs.attributes((quote:gsub("/$", "")), "mode")
            assert.truthy(mode, page .. ": there is no " .. quote)
            places[#places + 1] = quote
            texts[#texts + 1] = mode == "file" and read(quote) or ""
          end
        end
        for quote in quotes(piece) do
          local name = quote:match "^[%w_.:]-([%w_]+)%(%)$"
          local is_there = not name
          for _, text in ipairs(texts) do
            is_there = is_there or defines(text, name)
          end
          assert.is_true(is_there, ("%s: %s is not in %s"):format(page, quote,
            places[1] and table.concat(places, ", ") or "a file that is named beside it"))
        end
      end
    end)

    it("lead to what is there: " .. page, function()
      for target in read(page):gmatch "%]%(([^)#]+)[^)]*%)" do
        local path = page:match "^(.-)[^/]*$" .. target
        assert.truthy(target:find "^https:" or lfs.attributes(path, "mode"), target)
      end
    end)
  end

  it("say where the specs of each source file are", function()
    local page = read "spec/README.md"
    for _, path in ipairs(files("src", ".c")) do
      local spec = path:gsub("^src/(.*)%.c$", "spec/%1_spec.lua")
      assert.truthy(lfs.attributes(spec, "mode") or page:find("`" .. path .. "`", 1, true), path)
    end
  end)
end)

describe("the kinds and codes of errors", function()
  local kinds, known

  -- Of each kind that the types list, the codes named beside it.
  local function types_of_errors()
    local found = {}
    local alias = read(TYPES):match("%-%-%-@alias minimax%.error%.kind\n(.-)\n\n")
    for kind, text in alias:gmatch '%-%-%-| "([%l_]+)" *# ([^\n]*)' do
      found[kind] = {}
      for code in text:gmatch "%f[%d]%d%d%d%d%f[%D]" do
        table.insert(found[kind], tonumber(code))
      end
      table.sort(found[kind])
    end
    return found
  end

  setup(function()
    kinds, known = error_codes.kinds(), error_codes.known()
  end)

  it("are found in the module's lists", function()
    assert.equal("auth", kinds[1])
    assert.equal("rate_limit", known[1002])
  end)

  it("are those of the types", function()
    local expected = {}
    for _, kind in ipairs(kinds) do
      expected[kind] = {}
    end
    for _, code in ipairs(error_codes.list()) do
      table.insert(expected[known[code]], code)
    end
    assert.same(expected, types_of_errors())
  end)

  it("have each an exit code, and stand in the README and on the command line's page", function()
    local readme, page = read "README.md", read "doc/cli.md"
    local errors = readme:match("\n## Errors\n(.-)\n## ")
    assert.equal(#kinds, #exit_codes.KINDS)
    for _, kind in ipairs(kinds) do
      local code = exit_codes.of_kind(kind)
      assert.truthy(code, kind)
      assert.matches("\n|[^|]*`" .. kind .. "`[^|]*|", errors, kind)
      assert.matches(("\n| %d | `%s` |"):format(code, kind), page, 1, true)
    end
  end)

  it("are known to the emulator one by one, with words of its own", function()
    local messages = read("lua/minimax/emulator/reply.lua"):match("\nlocal MESSAGES = {(.-)\n}")
    local found = {}
    for code in messages:gmatch "%[(%d%d%d%d)%] = " do
      found[#found + 1] = tonumber(code)
    end
    table.sort(found)
    assert.same(error_codes.list(), found)
  end)
end)
