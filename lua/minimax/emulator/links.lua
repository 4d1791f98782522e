--- Signed links to the storage host, of the shape that Aliyun's have. Signing
-- keeps mistakes out, nobody else: whoever runs the emulator may see its files.

local links = {}
links.__index = links

local KEY_ID = "LTAI5tEmulatorKey"

--- @param now a function: Unix seconds
-- @param options `link_life` seconds, or false for 9 h (template) and 1 h
function links.new(now, options)
  return setmetatable({ now = now, life = options.link_life, secret = math.random(0) }, links)
end

-- FNV-1a over 64 bits, written as base64 would be.
local function digest(secret, text)
  local hash = 0xcbf29ce484222325 ~ secret
  for index = 1, #text do
    hash = (hash ~ text:byte(index)) * 0x100000001b3
  end
  return string.format("%016xEmulator%%3D", hash)
end

local function signature(self, path, expires)
  return digest(self.secret, path .. "\n" .. expires)
end

--- A new link to what a task has made.
-- @param task with `file_id`, `kind` and `created_at`
function links:make(task)
  local life = self.life or (task.kind == "template" and 9 or 1) * 3600
  local expires = math.floor(self.now() + life)
  local path = string.format("/inference_output%%2Fvideo%%2F%s%%2F%s%%2Foutput_aigc.mp4",
    os.date("!%Y-%m-%d", task.created_at), task.file_id)
  return string.format("%s%s?Expires=%d&OSSAccessKeyId=%s&Signature=%s", self.base, path, expires,
    KEY_ID, signature(self, path, expires))
end

--- Whether a link still serves.
-- @param request with the raw `path` and `raw_query`
-- @return the file's id; or nil, Aliyun's code and message
function links:check(request)
  local file_id = request.path:match("^/inference_output%%2Fvideo%%2F[%d-]+%%2F(%w+)%%2F")
  if not file_id then
    return nil, "NoSuchKey", "The specified key does not exist."
  end
  local pattern = "^Expires=(%d+)&OSSAccessKeyId=%w+&Signature=(.+)$"
  local expires, signed = request.raw_query:match(pattern)
  if signed ~= signature(self, request.path, expires or "") then
    return nil, "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided."
  elseif tonumber(expires) <= self.now() then
    return nil, "AccessDenied", "Request has expired."
  end
  return file_id
end

return links
