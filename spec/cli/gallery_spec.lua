-- The page of `minimax batch export`.

local gallery = require "minimax.cli.gallery"
local temp = require "spec.support.temp"

-- A ledger as the page needs it.
local function ledger_of(jobs)
  return { jobs = function()
    local index = 0
    return function()
      index = index + 1
      return jobs[index]
    end
  end }
end

local function page_of(jobs, title, path)
  local folder <close> = temp.folder()
  assert(gallery.write(ledger_of(jobs), folder:file(path or "g.html"), title or "Videos"))
  return folder:read(path or "g.html")
end

local EVIL = [["><script>alert('x')</script>&amp;]]

describe("the gallery", function()
  it("has the videos with their prompts, states and times", function()
    local page = page_of { {
      key = "rex", state = "downloaded", output = "/v/rex.mp4", task_id = "401047179385389059",
      request = { template_id = "393769180141805569", text_inputs = { "Lion", { value = "!" } } },
      submitted_at = os.time { year = 2026, month = 11, day = 22, hour = 3, min = 4, sec = 5 },
      ended_at = os.time { year = 2026, month = 11, day = 22, hour = 3, min = 9, sec = 6 } + 0.5,
    } }
    assert.matches('<video controls preload="metadata" src="/v/rex.mp4"></video>', page, 1, true)
    assert.matches("<p>Run for Life\nLion\n!</p>", page, 1, true)
    assert.matches('<span class="state downloaded">downloaded</span>', page, 1, true)
    assert.matches("<dt>task</dt><dd>401047179385389059</dd>", page, 1, true)
    assert.matches("<dt>submitted</dt><dd>2026-11-22 03:04:05</dd>", page, 1, true)
    assert.matches("<dt>ended</dt><dd>2026-11-22 03:09:06</dd>", page, 1, true)
  end)

  it("tells the prompt of each kind of request", function()
    assert.equal("A cat", gallery.prompt { model = "m", prompt = "A cat" })
    assert.equal("A dog\nruns", gallery.prompt { model = "m", content = {
      { type = "text", text = "A dog" }, { type = "image_url", image_url = { url = "u" } },
      { type = "text", text = "runs" } } })
    assert.equal("123", gallery.prompt { template_id = 123 })
    assert.equal("", gallery.prompt { content = "x", text_inputs = 7 })
  end)

  it("shows why a job has no video", function()
    local page = page_of { { key = "k", state = "failed", output = "k.mp4", request = {},
      err = { kind = "content", message = "refused" } } }
    assert.is_nil(page:find("<video", 1, true))
    assert.matches('<div class="none">no video</div>', page, 1, true)
    assert.matches('<p class="error">refused</p>', page, 1, true)
  end)

  it("lets nothing out of its place, and holds no script", function()
    local page = page_of({ { key = EVIL, state = "downloaded", output = EVIL, task_id = EVIL,
      request = { prompt = EVIL, template_id = EVIL, text_inputs = { EVIL } },
      err = { message = EVIL } } }, EVIL)
    assert.is_nil(page:lower():find("<script", 1, true))
    assert.is_nil(page:find("alert('", 1, true))
    assert.matches("script-src 'none'", page, 1, true)
    local tags = {}
    for tag in page:gmatch "<(%a[%w]*)" do
      tags[tag] = true
    end
    assert.same({ html = true, head = true, meta = true, title = true, style = true, body = true,
      h1 = true, main = true, article = true, video = true, div = true, h2 = true, span = true,
      p = true, dl = true, dt = true, dd = true }, tags)
  end)

  it("points to nothing outside of this machine", function()
    local page = page_of { { key = "k", state = "downloaded", output = "http://evil/x.mp4",
      request = {} } }
    assert.is_nil(page:find("http:", 1, true))
  end)

  it("survives bytes that are no text", function()
    assert.equal("a??b", gallery.escape "a\xFF\xFEb")
    assert.equal("?\t\n?é", gallery.escape "\0\t\n\27é")
  end)

  for what, case in pairs {
    ["beside the page by its name"] = { "a.mp4", "", "/here", "a.mp4" },
    ["of odd letters escaped"] = { 'a b%"?#.mp4', "", "/here", "a%20b%25%22%3F%23.mp4" },
    ["of a colon as no scheme"] = { "javascript:x", "", "/here", "javascript%3Ax" },
    ["of another folder than the page's in full"] =
      { "out/a.mp4", "/www/", "/he re", "/he%20re/out/a.mp4" },
    ["absolute as it is, and to no host"] = { "//evil/a.mp4", "", "/here", "/evil/a.mp4" },
  } do
    it("links to a path " .. what, function()
      assert.equal(case[4], gallery.link(case[1], case[2], case[3]))
    end)
  end

  it("is written whole or not at all", function()
    local folder <close> = temp.folder()
    folder:write("g.html", "old")
    local broken = { jobs = function() return function() error "the ledger fails" end end }
    assert.is_false((pcall(gallery.write, broken, folder:file "g.html", "t")))
    assert.equal("old", folder:read "g.html")
    assert.same({ "g.html" }, folder:names())
    assert.is_nil((gallery.write(ledger_of {}, folder:file "none/g.html", "t")))
    local count, why = gallery.write(ledger_of {}, "/dev/full/g.html", "t")
    assert.is_nil(count)
    assert.is_string(why)
  end)
end)
