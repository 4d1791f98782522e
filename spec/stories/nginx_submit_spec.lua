--- A submit to nginx over HTTP/2, which answers before it has read the body, and
-- then ends the stream: the answer counts, and nothing is sent twice.

local batch = require "minimax.batch"
local certificates = require "spec.support.certificates"
local luasocket = require "socket"
local minimax = require "minimax"
local process = require "spec.support.process"
local temp = require "spec.support.temp"

local CONFIG = [[
%s
error_log stderr;
pid nginx.pid;
worker_processes 1;
daemon off;
events { worker_connections 64; }
http {
  log_format requests '$request_method $uri $server_protocol $status';
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 100m;
  server {
    listen 127.0.0.1:%d ssl http2;
    ssl_certificate certificate.pem;
    ssl_certificate_key key.pem;
    access_log requests.log requests;
    location / {
      return 200 '{"task_id":"777","base_resp":{"status_code":0}}';
    }
    location /v1/query/ {
      return 200 '{"task_id":"777","status":"Fail","base_resp":{"status_code":0}}';
    }
    location /limited/ {
      return 429 '{"task_id":"777","base_resp":{"status_code":1002}}';
    }
    location /refused/ {
      return 413;
    }
  }
}
]]

local function free_port()
  local socket = assert(luasocket.bind("127.0.0.1", 0))
  local _, number = socket:getsockname()
  socket:close()
  return math.tointeger(tonumber(number))
end

local function await_listening(port)
  local deadline = os.time() + 20
  local socket
  repeat
    assert(os.time() < deadline, "nginx does not start")
    luasocket.sleep(0.01)
    socket = luasocket.connect("127.0.0.1", port)
  until socket
  socket:close()
end

local is_here = os.execute("command -v nginx >/dev/null 2>&1")

describe("nginx over HTTP/2", function()
  local folder, image, port, nginx

  local function start()
    local user = io.popen("id -u"):read("l") == "0" and "user root;" or ""
    local authority = certificates.authority()
    local certificate, key = certificates.make(authority, "good")
    folder:write("ca.pem", authority.pem)
    folder:write("certificate.pem", certificate:toPEM())
    folder:write("key.pem", key:toPEM "private")
    port = free_port()
    folder:write("nginx.conf", CONFIG:format(user, port))
    nginx = process.start { command = { "nginx", "-p", folder.path, "-c", "nginx.conf", "-e",
      "stderr" } }
    await_listening(port)
  end

  local function stop()
    if nginx then
      nginx:signal("TERM")
      nginx:finish()
      nginx = nil
    end
  end

  before_each(function()
    folder = temp.folder()
    local file <close> = assert(io.open("doc/examples/pet.jpg", "rb"))
    image = folder:write("pet.jpg", file:read "a" .. ("\0"):rep(5 << 20))
    if is_here then
      start()
    end
  end)

  after_each(function()
    stop()
    folder:close()
  end)

  local function new_client(path)
    return minimax.new { base_url = ("https://127.0.0.1:%d%s"):format(port, path or ""),
      api_key = "sk-spec", ca_file = folder:file "ca.pem" }
  end

  local function request()
    return { template_id = "1", media_inputs = { minimax.file(image) } }
  end

  -- The requests that nginx has logged by its end.
  local function posts()
    stop()
    local list = {}
    for line in folder:read("requests.log"):gmatch("[^\n]+") do
      list[#list + 1] = line:match "^POST .*"
    end
    return list
  end

  local function nginx_it(what, fn)
    it(what, function()
      if not is_here then
        return pending("nginx is not installed")
      end
      fn()
    end)
  end

  nginx_it("accepts a submit of 5 MB: three of three, with one POST each", function()
    for _ = 1, 3 do
      local client <close> = new_client()
      assert.equal("777", assert(client:submit(request())).task_id)
    end
    local list = posts()
    assert.equal(3, #list)
    assert.equal("POST /v1/video_template_generation HTTP/2.0 200", list[1])
  end)

  nginx_it("accepts the job of a batch: it is paid for once", function()
    local client <close> = new_client()
    local b <close> = assert(batch.open(folder:file "ledger.db", client))
    assert(b:add { key = "a", request = request(), output = folder:file "a.mp4" })
    assert.equal(1, b:run({ poll_interval = 0.05 }).failed)
    for job in b:jobs() do
      assert.equal("777", job.task_id)
    end
    assert.equal(1, #posts())
  end)

  nginx_it("names a task beside a rate limit: unknown with the id, and one POST", function()
    local client <close> = new_client "/limited"
    local _, err = client:submit(request())
    assert.same({ "unknown", "777", 429, 1 }, { err.kind, err.task_id, err.http_status,
      err.attempts })
    assert.equal(1, #posts())
  end)

  nginx_it("finds it too large: a refusal, and one POST", function()
    local client <close> = new_client "/refused"
    local _, err = client:submit(request())
    assert.same({ "invalid", 413, false }, { err.kind, err.http_status, err.retryable },
      tostring(err))
    assert.equal(1, #posts())
  end)
end)
