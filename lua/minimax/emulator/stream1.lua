--- One request of HTTP/1.1 and its answer, with the face of lua-http's streams
-- of HTTP/2, so that both are served by the same code.

local cqueues = require "cqueues"
local http1 = require "minimax.common.http1"

local Stream = {}
Stream.__index = Stream

-- For a client that reads slowly.
local WRITE_SECONDS = 3600

local function soon()
  return cqueues.monotime() + WRITE_SECONDS
end

--- Sends the head of the answer.
-- @param headers of lua-http, with `content-length`
function Stream:write_headers(headers)
  local fields = {}
  for name, value in headers:each() do
    if name ~= ":status" then
      fields[#fields + 1] = { name, value }
    end
  end
  local connection = self.head.keep_alive and self.head.version == "1.0" and "keep-alive"
    or not self.head.keep_alive and "close"
  if connection and not headers:has("connection") then
    fields[#fields + 1] = { "connection", connection }
  end
  return self.connection.socket
    and http1.write_head(self.connection.socket, tonumber(headers:get(":status")), fields, soon())
end

--- Sends a piece of the body.
function Stream:write_chunk(piece)
  local socket = self.connection.socket
  return socket and (piece == "" or http1.write(socket, piece, soon()))
end

--- Takes the connection without a word to the client.
-- @return its socket; nil if it was taken before
function Stream:take_socket()
  local socket = self.connection.socket
  self.connection.socket = nil
  return socket
end

local stream1 = {}

--- @param socket that the head was read from
-- @param head of `http1.head`
function stream1.new(socket, head)
  return setmetatable({ connection = { socket = socket, version = 1.1 }, head = head }, Stream)
end

return stream1
