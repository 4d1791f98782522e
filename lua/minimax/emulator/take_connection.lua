--- Takes a connection from a stream, in whatever state it is.

local connection_common = require "http.connection_common"
local socket = require "cqueues.socket"

-- A socket whose other end is closed already.
local function dead_socket()
  local here, there = socket.pair()
  there:close()
  here:onerror(connection_common.onerror)
  return here
end

--- Takes a stream's connection without a word to the peer.
-- @return its socket, nil if it was taken before; who calls closes it
return function(stream)
  local connection = stream.connection
  if connection.version == 2 then
    -- Its other streams go on to read; they are to find an end.
    local taken = connection.socket
    connection.socket = dead_socket()
    return taken
  end
  return stream:take_socket()
end
