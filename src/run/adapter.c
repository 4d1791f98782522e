/* How loops of the program's own wait in our stead. */
#include "run/adapter.h"

#include <lauxlib.h>

#include "run/deferred.h"

/* The registry key of the adapter. */
static const char adapter_key = 0;

/*** Says how coroutines wait in a loop of the program's own. `token()` names
the running coroutine, `park(token)` yields it to its loop, and `wake(token)`
has the loop resume it; the loop drives `minimax.step`. nil takes it away.
@function adapter
@tparam table|nil adapter the functions `token`, `park` and `wake` */
int adapter_set(lua_State *L) {
  static const char *const needed[] = {"token", "park", "wake"};
  if (!lua_isnil(L, 1)) {
    luaL_checktype(L, 1, LUA_TTABLE);
    for (int i = 0; i < 3; i++) {
      luaL_argcheck(L, lua_getfield(L, 1, needed[i]) == LUA_TFUNCTION, 1,
                    "an adapter has the functions token, park and wake");
      lua_pop(L, 1);
    }
  }
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &adapter_key);
  return 0;
}

static int push_adapter(lua_State *L) {
  return lua_rawgetp(L, LUA_REGISTRYINDEX, &adapter_key) == LUA_TTABLE;
}

int adapter_is_set(lua_State *L) {
  int is_set = push_adapter(L);
  lua_pop(L, 1);
  return is_set;
}

void adapter_push_park(lua_State *L, int job) {
  push_adapter(L);
  lua_getfield(L, -1, "park");
  lua_getfield(L, -2, "token");
  lua_remove(L, -3);
  lua_pushvalue(L, job);
  lua_call(L, 1, 1);
}

/* Its arguments: the token, and whether the waiter is gone. */
static int call_wake(lua_State *L) {
  if (!push_adapter(L))
    return 0;
  lua_getfield(L, 3, "wake");
  lua_insert(L, 1);
  lua_settop(L, 3);
  lua_call(L, 2, 0);
  return 0;
}

static int adapter_wake(lua_State *L, enum wake_reason reason) {
  lua_pushboolean(L, reason != WAKE_NEWS);
  return deferred_wake(L, call_wake);
}

const struct waker adapter_waker = {adapter_wake};
