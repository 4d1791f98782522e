-- Requests as the ledger keeps them.

local json = require "minimax.common.json"
local minimax = require "minimax"
local request = require "minimax.batch.request"
local temp = require "spec.support.temp"

describe("a request in the ledger", function()
  local folder, pet, other

  before_each(function()
    folder = temp.folder()
    pet, other = folder:write("pet.jpg", "the pet"), folder:write("other.jpg", "the other")
  end)
  after_each(function() folder:close() end)

  local function body(first, second)
    return { template_id = "1", text_inputs = { "Lion" },
      media_inputs = { first, { value = second } } }
  end

  it("comes back as it was, its files in their places", function()
    local text, files = request.serialize(body(minimax.file(pet), minimax.file(other)))
    local back = request.deserialize(text, files)
    assert.equal("minimax.file: " .. pet, tostring(back.media_inputs[1]))
    assert.equal("minimax.file: " .. other, tostring(back.media_inputs[2].value))
    assert.equal("userdata", type(back.media_inputs[1]))
    assert.equal("Lion", back.text_inputs[1])
  end)

  it("never takes a string for a file", function()
    local text, files = request.serialize(body("minimax.file: " .. pet, "@" .. pet))
    assert.is_nil(files)
    local back = request.deserialize(text, files)
    assert.equal("minimax.file: " .. pet, back.media_inputs[1])
    assert.equal("@" .. pet, back.media_inputs[2].value)
  end)

  it("is left as it is by being kept", function()
    local given = body(minimax.file(pet), "https://example.com/x.jpg")
    request.serialize(given)
    assert.equal("userdata", type(given.media_inputs[1]))
    assert.is_nil(getmetatable(given))
  end)

  it("is the same where the files hold the same, wherever they lie", function()
    local copy = folder:write("copy.jpg", "the pet")
    local text, files = request.serialize(body(minimax.file(pet), minimax.file(other)))
    local second, its_files = request.serialize(body(minimax.file(copy), minimax.file(other)))
    assert.is_true(request.same(text, files, second, its_files))
  end)

  it("is another where a file holds something else, or stands elsewhere", function()
    local text, files = request.serialize(body(minimax.file(pet), minimax.file(other)))
    for _, given in ipairs {
      body(minimax.file(other), minimax.file(pet)), body(minimax.file(pet), minimax.file(pet)),
      body(minimax.file(pet), "x"),
    } do
      local second, its_files = request.serialize(given)
      assert.is_false(request.same(text, files, second, its_files))
    end
    folder:write("other.jpg", "something else")
    local second, its_files = request.serialize(body(minimax.file(pet), minimax.file(other)))
    assert.is_false(request.same(text, files, second, its_files))
  end)

  it("takes an integer for a template's id, digit for digit", function()
    assert.equal('{"template_id":"393769180141805569"}',
      (request.serialize { template_id = 393769180141805569 }))
  end)

  it("is refused where JSON can't hold it, or a file is missing", function()
    assert.same({ nil, "the request can't be kept: a function at extra.f", "invalid" },
      { request.serialize { extra = { f = print } } })
    local _, why = request.serialize { first_frame_image = minimax.file(folder:file "none") }
    assert.matches("none: No such file", why, 1, true)
    local loop = {}
    loop.again = loop
    assert.matches("nested too deep", select(2, request.serialize(loop)), 1, true)
  end)

  it("reads each file once for many jobs", function()
    local digests = {}
    request.serialize(body(minimax.file(pet), minimax.file(other)), digests)
    os.remove(pet)
    assert.truthy(request.serialize(body(minimax.file(pet), "x"), digests))
  end)

  it("is the same whatever the order of its members, and as older ledgers wrote it", function()
    local old = '{"media_inputs":["https://x/y",null],"none":{},"template_id":"1"}'
    local files = '[{"at":["media_inputs",2],"bytes":7,"path":"x","sha256":"aa"}]'
    local new = '{"template_id":"1","none":[],"media_inputs":["https:\\/\\/x\\/y",null]}'
    local its_files = '[{"sha256":"aa","path":"z\\/y","bytes":7,"at":["media_inputs",2]}]'
    assert.is_true(request.same(old, files, new, its_files))
    assert.is_false(request.same(old, files, (new:gsub("x", "z")), its_files))
    assert.is_false(request.same(old, files, new, (its_files:gsub("aa", "ab"))))
    assert.is_false(request.same(old, files, (new:gsub("}$", ',"more":1}')), its_files))
    local back = request.deserialize(old, files)
    assert.same({ "https://x/y", "minimax.file: x" },
      { back.media_inputs[1], tostring(back.media_inputs[2]) })
  end)

  it("keeps integers of 64 bits, null, and an empty list beside an empty object", function()
    local given = json.decode '{"seed":9223372036854775807,"a":null,"b":[],"c":{}}'
    local back = request.deserialize(request.serialize(given))
    assert.equal(math.maxinteger, back.seed)
    assert.equal(json.null, back.a)
    assert.same({ true, false }, { json.is_empty_list(back.b), json.is_empty_list(back.c) })
  end)

  it("is refused where the name of a file is no text: it would be lost", function()
    local path = folder:write("p\xE4t.jpg", "the pet")
    assert.same({ nil, "the request can't be kept: text that is not valid UTF-8 at [1].path",
      "invalid" }, { request.serialize(body(minimax.file(path), "x")) })
  end)

  it("says which input holds something else, of the same size", function()
    local _, files = request.serialize(body(minimax.file(pet), minimax.file(other)))
    assert.is_true(request.unchanged(files, {}))
    assert.is_true(request.unchanged(nil, {}))
    folder:write("pet.jpg", "the cat")
    assert.is_true(request.present(files))
    assert.matches("pet.jpg has changed since it was added: its SHA-256 is another",
      select(2, request.unchanged(files, {})), 1, true)
    os.remove(pet)
    assert.matches("pet.jpg: No such file", select(2, request.unchanged(files, {})), 1, true)
  end)

  it("says which input is missing, or has changed in size", function()
    local _, files = request.serialize(body(minimax.file(pet), minimax.file(other)))
    assert.is_true(request.present(files))
    assert.is_true(request.present(nil))
    folder:write("other.jpg", "something longer")
    assert.matches("other.jpg has changed since it was added: 9 bytes then, 16 now",
      select(2, request.present(files)), 1, true)
    os.remove(pet)
    assert.matches("pet.jpg: No such file", select(2, request.present(files)), 1, true)
  end)
end)
