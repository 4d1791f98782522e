/* Fuzzes what reads a callback's body, through the module itself: an answer
 * and an event, or an error of kind "protocol"; never a raised error. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "run/client.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);
int luaopen_minimax(lua_State *L);

static lua_State *state;

/* A wait for task 17 stays under way, and task 18 counts as submitted: so a
 * callback finds their kinds. The function checks what comes out. */
static const char script[] =
    "local minimax, decode = require 'minimax', require 'cjson'.decode\n"
    "local client = minimax.new { api_key = 'sk-fuzz-5ecret',\n"
    "  base_url = 'http://127.0.0.1:9' }\n"
    "waiting = coroutine.create(client.wait)\n"
    "assert(coroutine.resume(waiting, client, '17'))\n"
    "held = { task_id = '18', kind = 'video' }\n"
    "debug.getuservalue(client, (...))[held] = true\n"
    "local kinds = { template = true, video = true, video2 = true }\n"
    "return function(body)\n"
    "  local reply, event = client:callback(body)\n"
    "  if not reply then\n"
    "    assert(event.kind == 'protocol')\n"
    "    assert(not tostring(event):find('5ecret', 1, true))\n"
    "    return\n"
    "  end\n"
    "  assert(type(decode(reply)) == 'table')\n"
    "  if event then\n"
    "    assert(type(event.task_id) == 'string' and #event.task_id > 0)\n"
    "    assert(type(event.state) == 'string')\n"
    "    assert(event.kind == nil or kinds[event.kind])\n"
    "    assert(event.url == nil or type(event.url) == 'string')\n"
    "  end\n"
    "end\n";

static void must(int status) {
  if (status == LUA_OK)
    return;
  fprintf(stderr, "%s\n", lua_tostring(state, -1));
  abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  state = luaL_newstate();
  luaL_openlibs(state);
  luaL_requiref(state, "minimax", luaopen_minimax, 0);
  lua_settop(state, 0);
  must(luaL_loadstring(state, script));
  lua_pushinteger(state, CLIENT_SUBMITTED);
  must(lua_pcall(state, 1, 1, 0));
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  lua_pushvalue(state, 1);
  lua_pushlstring(state, (const char *)bytes, length);
  must(lua_pcall(state, 1, 0, 0));
  return 0;
}
