rockspec_format = "3.0"
package = "minimax"
version = "scm-1"
source = {
  url = "git+https://github.com/minimax-lua/minimax.git",
  branch = "main",
}
description = {
  summary = "MiniMax's video API: submit, wait, download",
  detailed = [[
Renders videos from Lua through MiniMax's HTTP API: template, text and image to
video. Submits once and never pays twice, waits without blocking where the host
can yield (plain coroutines, cqueues, luv, copas) and downloads whole files only.
Comes with an emulator of the API to test one's scripts without paying.
]],
  homepage = "https://github.com/minimax-lua/minimax",
  issues_url = "https://github.com/minimax-lua/minimax/issues",
  license = "MIT",
  labels = { "http", "video", "minimax", "async", "curl" },
}
supported_platforms = { "unix" }
dependencies = {
  "lua >= 5.4, < 5.5",
  "lua-cjson >= 2.1.0",
  "argparse >= 0.7.0",
}
external_dependencies = {
  CURL = { library = "curl" },
}
build = {
  type = "builtin",
  modules = {
    minimax = {
      sources = {
        "src/address.c", "src/await.c", "src/base64.c", "src/body.c",
        "src/buffer.c", "src/call.c", "src/callback.c", "src/cancel.c",
        "src/client.c", "src/download.c", "src/each.c", "src/endpoint.c",
        "src/engine.c", "src/event.c", "src/exchange.c", "src/fault.c",
        "src/fetch.c", "src/files.c", "src/gate.c", "src/generate.c",
        "src/guard.c", "src/handle.c", "src/header.c", "src/heap.c",
        "src/image.c", "src/job.c", "src/json.c", "src/jsontext.c", "src/link.c",
        "src/loop.c", "src/loss.c", "src/media.c", "src/minimax.c",
        "src/mp4.c", "src/nearest.c", "src/options.c", "src/origin.c",
        "src/pace.c",
        "src/part.c", "src/poller.c", "src/profile.c", "src/pump.c",
        "src/query.c", "src/redact.c", "src/reply.c", "src/request.c",
        "src/retry.c", "src/ring.c", "src/settings.c", "src/sink.c", "src/sniff.c",
        "src/status.c", "src/submit.c", "src/task.c", "src/transfer.c",
        "src/url.c", "src/wait.c",
      },
      defines = { "_GNU_SOURCE" },
      incdirs = { "src", "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
      libraries = { "curl", "pthread" },
    },
    ["minimax.types"] = "lua/minimax/types.lua",
  },
  platforms = {
    -- Before glibc 2.34 dlopen and the threads had libraries of their own.
    linux = {
      modules = { minimax = { libraries = { "curl", "pthread", "dl" } } },
    },
  },
}
test = {
  type = "command",
  command = "make test",
}
