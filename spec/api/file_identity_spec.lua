-- src/api/file_identity.c: where a path leads, as the file system sees it.

local lfs = require "lfs"
local minimax = require "minimax"
local temp = require "spec.support.temp"

describe("the place of a path", function()
  local folder
  before_each(function() folder = temp.folder() end)
  after_each(function() folder:close() end)

  it("is its folder, by whatever way, and whether the name is taken", function()
    lfs.mkdir(folder:file "out")
    lfs.link("out", folder:file "link", true)
    local place, taken = minimax._place(folder:file "out/x.mp4")
    local found = lfs.attributes(folder:file "out")
    assert.same({ found.dev .. ":" .. found.ino, false }, { place, taken })
    assert.equal(place, (minimax._place(folder:file "link/x.mp4")))
    assert.equal(place, (minimax._place(folder:file "out/../out/./x.mp4")))
    assert.are_not.equal(place, (minimax._place(folder:file "x.mp4")))
    assert.equal((minimax._place "./x.mp4"), (minimax._place "x.mp4"))
    folder:write("out/x.mp4", "x")
    assert.is_true(select(2, minimax._place(folder:file "link/x.mp4")))
  end)

  it("is taken by a link that leads nowhere", function()
    lfs.link("none", folder:file "x.mp4", true)
    assert.is_true(select(2, minimax._place(folder:file "x.mp4")))
  end)

  it("is none without a folder", function()
    local place, why, errno = minimax._place(folder:file "none/x.mp4")
    assert.same({ nil, "No such file or directory", 2 }, { place, why, errno })
    folder:write("file", "x")
    assert.equal("Not a directory", (select(2, minimax._place(folder:file "file/x.mp4"))))
  end)
end)
