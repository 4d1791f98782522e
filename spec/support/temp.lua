--- Temporary folders that are removed when they are closed or collected.
--
--     local folder <close> = temp.folder()
--     local path = folder:write("pet.jpg", bytes)

local lfs = require "lfs"

local temp = {}

local Folder = {}
Folder.__index = Folder
Folder.__name = "temp.folder"

local function remove_tree(path)
  if lfs.symlinkattributes(path, "mode") == "directory" then
    for name in lfs.dir(path) do
      if name ~= "." and name ~= ".." then
        remove_tree(path .. "/" .. name)
      end
    end
    lfs.rmdir(path)
  else
    os.remove(path)
  end
end

--- Makes a new empty folder.
-- @return an object with `path`; it removes the folder when it is closed
function temp.folder()
  local file = os.tmpname()
  local path = file .. ".d"
  assert(lfs.mkdir(path))
  os.remove(file)
  return setmetatable({ path = path }, Folder)
end

--- The path of a name in the folder; nothing is created.
function Folder:file(name)
  return self.path .. "/" .. name
end

--- Writes a file into the folder.
-- @return its path
function Folder:write(name, bytes)
  local path = self:file(name)
  local file = assert(io.open(path, "wb"))
  assert(file:write(bytes))
  assert(file:close())
  return path
end

--- The whole content of a file in the folder, or nil and why not.
function Folder:read(name)
  local file, err = io.open(self:file(name), "rb")
  if not file then
    return nil, err
  end
  local bytes = file:read("a")
  file:close()
  return bytes
end

--- The names in the folder, sorted.
function Folder:names()
  local names = {}
  for name in lfs.dir(self.path) do
    if name ~= "." and name ~= ".." then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

--- Removes the folder and all in it; a second call does nothing.
function Folder:close()
  if self.path then
    remove_tree(self.path)
    self.path = nil
  end
end

Folder.__close = Folder.close
Folder.__gc = Folder.close

return temp
