/* A host whose Lua is as it was before 5.4.4: the collector counts on while a
 * finalizer runs. It runs the script that its first argument names. Not part of
 * the module. */
#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>

/* The module finds this one, and not the library's. */
int lua_gc(lua_State *L, int what, ...) {
  static int (*next)(lua_State *, int, ...);
  int result;
  if (!next)
    *(void **)&next = dlsym(RTLD_NEXT, "lua_gc");
  result = next(L, what, 0, 0, 0);
  return what == LUA_GCCOUNT && result < 0 ? 0 : result;
}

int main(int count, char **words) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  if (count != 2 || luaL_dofile(L, words[1]) != LUA_OK)
    printf("%s\n", lua_tostring(L, -1));
  lua_close(L);
  return 0;
}
