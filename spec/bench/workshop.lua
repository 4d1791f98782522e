--- What the benchmark needs before it can measure: its programs compiled, its
-- servers running, its files made, and to know which peers are installed.

local headers = require "spec.support.headers"
local shell = require "spec.support.shell"

local workshop = {}

workshop.source = "spec/bench"
workshop.folder = "build/bench"
workshop.lua = shell.interpreter()

local FLAGS = "-std=c11 -D_GNU_SOURCE -O2 -g"

--- Runs a command in the shell; returns what it printed, or nil.
function workshop.output(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read("a")
  return pipe:close() and text or nil
end

local function run(command)
  assert(os.execute(command), command)
end

local function path(name)
  return workshop.folder .. "/" .. name
end
workshop.path = path

local function write(name, text)
  local file = assert(io.open(path(name), "wb"))
  assert(file:write(text))
  assert(file:close())
  return path(name)
end

--- Compiles the programs; CC, LUA_PC and so on mean what they mean to make.
function workshop.compile()
  local compiler = shell.join { os.getenv("CC") or "cc" } .. " " .. FLAGS .. " " .. headers.flags()
  local sources = workshop.source .. "/"
  run("mkdir -p " .. workshop.folder)
  for _, name in ipairs { "server", "measure" } do
    run(("%s -o %s %s.c"):format(compiler, path(name), sources .. name))
  end
  run(("%s -o %s %sbare*.c %s"):format(compiler, path("bare"), sources, headers.flags "--libs"))
  run(("%s -shared -fPIC -o %s %sempty.c -Wl,--no-as-needed $(pkg-config --libs libcurl)")
    :format(compiler, path("empty.so"), sources))
end

--- The first and the last core that we may use: the client's and the server's.
function workshop.cores()
  local file = assert(io.open("/proc/self/status"))
  local list = file:read("a"):match("Cpus_allowed_list:%s*(%S+)")
  file:close()
  return list:match("^%d+"), list:match("%d+$")
end

-- Starts a command on the server's core; it ends when the pipe is closed, and so
-- with us in any case.
local function serve(words, output)
  local _, core = workshop.cores()
  local script = [["$@" & child=$!; cat >/dev/null; kill $child; wait $child]]
  return assert(io.popen(shell.join { "sh", "-c", script, "sh", "taskset", "-c", core,
    table.unpack(words) } .. " >" .. output, "w"))
end

-- The server's input is the pipe itself, so it needs no shell to end it.
local function start_server()
  local _, core = workshop.cores()
  os.remove(path("port"))
  local pipe = assert(io.popen(shell.join { "taskset", "-c", core, path("server") } .. " >"
    .. path("port"), "w"))
  run(("until [ -s %s ]; do sleep 0.01; done"):format(path("port")))
  return pipe, workshop.output("cat " .. path("port")):match("%d+")
end

local NGINX = [[
daemon off; master_process off; pid nginx.pid; error_log nginx.log;
events { worker_connections 8192; }
http {
  access_log off; default_type application/json; keepalive_requests 1000000000;
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
  uwsgi_temp_path tmp; scgi_temp_path tmp;
  upstream late { server 127.0.0.1:%s; keepalive 1024; }
  server {
    listen 127.0.0.1:%s ssl http2; http2_max_concurrent_streams 1024;
    ssl_certificate certificate.pem; ssl_certificate_key key.pem;
    location /late/ {
      proxy_pass http://late; proxy_http_version 1.1; proxy_set_header Connection "";
    }
    location / { return 200 '%s'; }
  }
}
]]

local REPLY = '{"task_id":"$arg_task_id","status":"Processing","video_url":"",'
  .. '"base_resp":{"status_code":0,"status_msg":"success"}}'

-- nginx for TLS and HTTP/2; nil where it is not installed.
local function start_nginx(plain_port)
  if not workshop.output("command -v nginx openssl") then
    return nil
  end
  local lent, port = start_server() -- a free port
  lent:close()
  write("nginx.conf", NGINX:format(plain_port, port, REPLY))
  run(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
    .. "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s 2>/dev/null")
    :format(path("key.pem"), path("certificate.pem")))
  local folder = workshop.output("cd " .. workshop.folder .. " && pwd"):match("[^\n]+")
  local pipe = serve({ "nginx", "-p", folder, "-c", folder .. "/nginx.conf", "-e",
    folder .. "/nginx.log" }, "/dev/null")
  local url = "https://127.0.0.1:" .. port
  run(("curl -sko /dev/null --retry 50 --retry-delay 0 --retry-connrefused %s/"):format(url))
  return pipe, url
end

--- Starts the servers; sets `plain`, and `secure` and `ca_file` where there is TLS.
function workshop.start()
  local server, port = start_server()
  workshop.plain = "http://127.0.0.1:" .. port
  local nginx, secure = start_nginx(port)
  workshop.secure, workshop.ca_file = secure, path("certificate.pem")
  workshop.servers = { server, nginx }
end

function workshop.stop()
  for _, pipe in pairs(workshop.servers) do
    pipe:close()
  end
end

--- Makes a JPEG of 20 MB (all but its head is filling) and the JSON body with it.
function workshop.make_files()
  local head = "\xff\xd8\xff\xc0\0\17\8\3\0\3\0\3\1\x22\0\2\x11\1\3\x11\1"
  workshop.image = write("image.jpg", head .. ("x"):rep(20000000 - #head))
  workshop.body = write("body.json",
    '{"template_id":"393769180141805569","media_inputs":[{"value":"data:image/jpeg;base64,')
  run(("base64 -w0 %s >>%s && printf '\"}]}' >>%s"):format(workshop.image, workshop.body,
    workshop.body))
end

-- Whether a command succeeds; each is asked once.
local succeeded = {}
local function succeeds(command)
  if succeeded[command] == nil then
    succeeded[command] = os.execute(command .. " >/dev/null 2>&1") or false
  end
  return succeeded[command]
end

--- The Python that knows a module, or nil.
function workshop.python(module)
  for _, name in ipairs { "python3", "/usr/bin/python3" } do
    if succeeds(("%s -c 'import %s'"):format(name, module)) then
      return name
    end
  end
end

--- Whether this Lua finds a module.
function workshop.has_module(name)
  return succeeds(("%s -e 'require %q'"):format(shell.quote(workshop.lua), name))
end

return workshop
