/* A host with a loop of its own: poll(2) in C, minimax compiled into it.
 *
 *   cc -o host -D_GNU_SOURCE -Isrc $(pkg-config --cflags lua5.4 libcurl) \
 *     doc/examples/host.c $(find src -name '*.c') $(pkg-config --libs lua5.4 libcurl)
 *   ./host doc/examples/main.lua
 *
 * or, where minimax is installed,
 *
 *   cc -o host host.c $(pkg-config --cflags --libs minimax lua5.4)
 *
 * It runs the script as a coroutine, and resumes it whenever the module's one
 * descriptor is readable. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <poll.h>
#include <stdio.h>

int luaopen_minimax(lua_State *L);

/* minimax[name]() as an integer. */
static int ask(lua_State *L, const char *name) {
  int answer;
  luaL_requiref(L, "minimax", luaopen_minimax, 0);
  lua_getfield(L, -1, name);
  lua_call(L, 0, 1);
  answer = (int)lua_tointeger(L, -1);
  lua_pop(L, 2);
  return answer;
}

/* Resumes the script until it has ended; returns the last status. */
static int drive(lua_State *L, lua_State *script) {
  struct pollfd watched = {ask(L, "pollfd"), POLLIN, 0};
  int turns = 0, results;
  int status = lua_resume(script, L, 0, &results);
  while (status == LUA_YIELD) {
    lua_pop(script, results);
    poll(&watched, 1, -1);
    turns++;
    status = lua_resume(script, L, 0, &results);
  }
  fprintf(stderr, "host: %d turns of poll\n", turns);
  return status;
}

int main(int count, char **words) {
  lua_State *L = luaL_newstate();
  lua_State *script;
  int status;
  luaL_openlibs(L);
  luaL_requiref(L, "minimax", luaopen_minimax, 0);
  script = lua_newthread(L);
  status = luaL_loadfile(script, count > 1 ? words[1] : NULL);
  if (status == LUA_OK)
    status = drive(L, script);
  if (status != LUA_OK)
    fprintf(stderr, "host: %s\n", luaL_tolstring(script, -1, NULL));
  lua_close(L);
  return status != LUA_OK;
}
