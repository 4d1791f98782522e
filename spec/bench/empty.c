/* A module that does nothing but load, linked with libcurl as ours is. */
#include <lua.h>

LUAMOD_API int luaopen_empty(lua_State *L);

int luaopen_empty(lua_State *L) {
  lua_newtable(L);
  return 1;
}
