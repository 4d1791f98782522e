--- Downloads from nginx, which nobody here wrote: its ranges, its entity tags,
-- its ends.

local host = require "spec.support.host"
local http = require "socket.http"
local killed_download = require "spec.support.killed_download"
local lfs = require "lfs"
local luasocket = require "socket"
local minimax = require "minimax"
local process = require "spec.support.process"
local temp = require "spec.support.temp"
local video = require "spec.support.video"

local SIZE = 3000000
local AGAIN = 65536 -- bytes that may be fetched a second time after a cut

local CONFIG = [[
%s
error_log stderr;
pid nginx.pid;
worker_processes 1;
daemon off;
events { worker_connections 64; }
http {
  log_format ranges '$uri|$http_range|$status';
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  types { video/mp4 mp4; text/html html; }
  gzip on;
  gzip_types video/mp4 text/html;
  server {
    listen 127.0.0.1:%d;
    root files;
    access_log ranges.log ranges;
    location /slow/ { alias files/; limit_rate 8m; }
    location /whole/ { alias files/; max_ranges 0; limit_rate 8m; }
    location /untagged/ { alias files/; etag off; limit_rate 8m; }
    location /moved { return 302 /a.mp4; }
    location /page { default_type text/html; return 200 "<html>Sign in</html>"; }
    location /forbidden { return 403; }
    location /broken { return 500; }
  }
}
]]

local folder, path, port

local function free_port()
  local socket = assert(luasocket.bind("127.0.0.1", 0))
  local _, number = socket:getsockname()
  socket:close()
  return math.tointeger(tonumber(number))
end

local function listens()
  local socket = luasocket.connect("127.0.0.1", port)
  if socket then
    socket:close()
  end
  return socket ~= nil
end

-- Starts nginx, or starts it anew after its end, on the same port.
local function start()
  local user = io.popen("id -u"):read("l") == "0" and "user root;" or ""
  folder:write("nginx.conf", CONFIG:format(user, port))
  local nginx = process.start { command = { "nginx", "-p", folder.path, "-c", "nginx.conf",
    "-e", "stderr" } }
  local deadline = os.time() + 20
  while not listens() do
    assert(os.time() < deadline, "nginx does not start")
    luasocket.sleep(0.01)
  end
  return nginx
end

local function link(name)
  return ("http://127.0.0.1:%d/%s"):format(port, name)
end

local function new_client(options)
  options = options or {}
  options.base_url, options.api_key = link "", "sk-spec-key"
  return minimax.new(options)
end

local function requests()
  local list = {}
  for uri, range, status in folder:read("ranges.log"):gmatch("([^|\n]*)|([^|\n]*)|(%d+)\n") do
    list[#list + 1] = uri .. " " .. range .. " " .. status
  end
  return list
end

local function assert_file(seed)
  local file <close> = assert(io.open(path, "rb"))
  assert.is_true(file:read("a") == video.make(SIZE, seed), "the bytes differ")
  assert.is_nil(io.open(path .. ".part"))
end

-- Downloads, and calls `between` once a third has come.
local function download_and(client, name, between)
  local done = false
  local thread = coroutine.create(function()
    return client:download(link(name), path, { on_progress = function(received)
      if not done and received > SIZE // 3 then
        done = true
        between()
      end
    end })
  end)
  return host.drive(thread)
end

local is_here = os.execute("command -v nginx >/dev/null 2>&1")

describe("nginx", function()
  local nginx

  before_each(function()
    folder = temp.folder()
    path = folder:file("out.mp4")
    lfs.mkdir(folder:file("files"))
    folder:write("files/a.mp4", video.make(SIZE))
    port = free_port()
    nginx = is_here and start()
  end)

  after_each(function()
    if nginx then
      nginx:signal("TERM")
      nginx:finish()
    end
    folder:close()
  end)

  local function nginx_it(what, fn)
    it(what, function()
      if not is_here then
        return pending("nginx is not installed")
      end
      fn()
    end)
  end

  nginx_it("serves a whole file", function()
    local client <close> = new_client()
    local info = assert(client:download(link "a.mp4", path))
    assert.equal("video/mp4", info.content_type)
    assert.equal(SIZE, info.bytes)
    assert_file()
  end)

  nginx_it("that is killed in the middle and started again is resumed", function()
    local client <close> = new_client()
    assert(download_and(client, "slow/a.mp4", function()
      nginx:signal("TERM")
      nginx:finish()
      nginx = start()
    end))
    assert_file()
    local list = requests()
    assert.matches("bytes=%d+%- 206$", list[#list])
  end)

  nginx_it("that has another file by then makes a clean restart", function()
    local client <close> = new_client()
    assert(download_and(client, "slow/a.mp4", function()
      nginx:signal("TERM")
      nginx:finish()
      os.remove(folder:file("files/a.mp4"))
      -- Of the same length; its time alone tells it from the first one.
      folder:write("files/a.mp4", video.make(SIZE, 2))
      lfs.touch(folder:file("files/a.mp4"), os.time() - 7200)
      nginx = start()
    end))
    assert_file(2)
    local list = requests()
    assert.matches("bytes=%d+%- 200$", list[#list])
  end)

  for _, name in ipairs { "whole", "untagged" } do
    nginx_it("without " .. (name == "whole" and "ranges" or "entity tags")
      .. " makes a clean restart", function()
        local client <close> = new_client()
        assert(download_and(client, name .. "/a.mp4", function()
          nginx:signal("TERM")
              nginx:finish()
          nginx = start()
        end))
        assert_file()
        local list = requests()
        assert.matches(" 200$", list[#list])
      end)
  end

  nginx_it("says with 416 that all is there already", function()
    local client <close> = new_client()
    folder:write("out.mp4.part", video.make(SIZE))
    -- The note of an earlier download of it.
    local _, _, headers = http.request { url = link "a.mp4", method = "HEAD" }
    folder:write("out.mp4.part.etag", headers.etag .. "\n" .. link "a.mp4" .. "\n" .. SIZE .. "\n")
    local info = assert(client:download(link "a.mp4", path))
    assert.equal(SIZE, info.resumed_from)
    local list = requests()
    assert.equal("/a.mp4 bytes=3000000- 416", list[#list])
    assert_file()
  end)

  nginx_it("redirects", function()
    local client <close> = new_client()
    assert(client:download(link "moved", path))
    assert_file()
  end)

  nginx_it("shows pages, which are no videos, and errors", function()
    local client <close> = new_client { retries = 0 }
    for name, kind in pairs { page = "protocol", forbidden = "expired", broken = "server",
      ["none.mp4"] = "expired" } do
      local info, err = client:download(link(name), path)
      assert.is_nil(info)
      assert.equal(kind, err.kind)
      assert.is_nil(io.open(path))
    end
  end)

  nginx_it("serves a program that is killed at 50 instants and started again", function()
    for _, instant in ipairs(killed_download.instants) do
      local download = { url = link "", link = link "a.mp4", path = path }
      local written = killed_download.die_at(instant, download)
      local whole = io.open(path, "rb")
      if whole then
        whole:close()
        assert_file()
        os.remove(path)
      end
      local from = killed_download.go_on(download) or 0
      assert.is_true(whole ~= nil or written - from <= AGAIN, instant)
      assert_file()
      os.remove(path)
    end
  end)
end)
