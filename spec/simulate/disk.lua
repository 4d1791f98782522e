--- A disk of names and contents, and what the batch's code calls to reach it.

local disk = {}
disk.__index = disk

local File = { __name = "FILE*" }
File.__index = File

local ENOENT, EEXIST, ENOSPC = 2, 17, 28
local WORDS = { [ENOENT] = "No such file or directory", [EEXIST] = "File exists",
  [ENOSPC] = "No space left on device" }

local function refuse(path, errno)
  return nil, path .. ": " .. WORDS[errno], errno
end

--- @param random a source of bytes for /dev/urandom
function disk.new(random)
  local self = setmetatable({ files = {}, random = random, full = false }, disk)
  self.folders = { [""] = "1:1", ["out/"] = "1:2", ["link/"] = "1:2" }
  return self
end

-- Where a path leads: the folder and the name; nil where there is no such folder.
local function split(self, path)
  local folder, name = path:match "^(.-)([^/]*)$"
  folder = folder:gsub("^%./", "")
  return self.folders[folder], name
end

--- As `minimax._place`.
function disk:place(path)
  local folder, name = split(self, path)
  if not folder then
    return refuse(path, ENOENT)
  end
  local there = self.files[folder .. "/" .. name] ~= nil
  return folder, there, there
end

-- The name under which a path is kept.
local function inode(self, path)
  local folder, name = split(self, path)
  return folder and folder .. "/" .. name
end

--- What is in a file; nil where there is none.
function disk:read(path)
  local name = inode(self, path)
  return name and self.files[name]
end

--- Writes a whole file.
-- @return true; or nil, why, errno
function disk:write(path, content)
  local name = inode(self, path)
  if not name then
    return refuse(path, ENOENT)
  elseif self.full then
    return refuse(path, ENOSPC)
  end
  self.files[name] = content
  return true
end

--- Gives a file its name, which nothing may have.
function disk:rename(from, to)
  local name = inode(self, to)
  if self.files[name] then
    return refuse(to, EEXIST)
  end
  self.files[name], self.files[inode(self, from)] = self:read(from), nil
  return true
end

-- As `io` and `os` -----------------------------------------------------------------

function disk:open(path, mode)
  if path == "/dev/urandom" then
    return setmetatable({ content = ("i8"):pack(self.random:bits()), at = 0 }, File)
  end
  local name = inode(self, path)
  if not name or not self.files[name] and mode ~= "wb" then
    return refuse(path, ENOENT)
  end
  if mode == "wb" then
    self.files[name] = ""
  end
  return setmetatable({ disk = self, name = name, content = self.files[name], at = 0 }, File)
end

function disk:remove(path)
  local name = inode(self, path)
  if not name or not self.files[name] then
    return refuse(path, ENOENT)
  end
  self.files[name] = nil
  return true
end

--- "file" or "closed file" for one of its files; nil for anything else.
function disk.type(value)
  return getmetatable(value) == File and (value.closed and "closed file" or "file") or nil
end

function File:write(text)
  if self.disk.full then
    return refuse(self.name, ENOSPC)
  end
  self.content = self.content .. text
  if self.disk.files[self.name] then
    self.disk.files[self.name] = self.content
  end
  return self
end

function File:flush()
  return self
end

function File:read(count)
  local piece = self.content:sub(self.at + 1, self.at + count)
  self.at = self.at + #piece
  return piece ~= "" and piece or nil
end

function File:lines(count)
  return function() return self:read(count) end
end

function File:seek(whence)
  self.at = whence == "end" and #self.content or 0
  return self.at
end

function File:close()
  self.closed = true
  return true
end

File.__close = File.close

return disk
