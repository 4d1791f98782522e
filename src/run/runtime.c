/* What the module keeps for each Lua state. */
#include "run/runtime.h"
#include "net/driver.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#define NAME "minimax.runtime"

/* The Lua values that belong to it. */
enum { HOME_PARENT = 1, HOME_WORKER, HOME_VALUES = HOME_WORKER };

/* The registry key of the present one. */
static const char home_key = 0;

static int runtime_collect(lua_State *L) {
  struct runtime *runtime = luaL_checkudata(L, 1, NAME);
  driver_close(&runtime->engine);
  return 0;
}

static void make_worker(lua_State *L, struct runtime *runtime, int self) {
  runtime->worker = lua_newthread(L);
  lua_sethook(runtime->worker, NULL, 0, 0); /* it inherits the hook */
  lua_setiuservalue(L, self, HOME_WORKER);
}

static void make_list_of_jobs(lua_State *L, struct runtime *runtime) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  runtime->jobs = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* The one before it, a parent process's, is kept: clients point at it. */
static void create(lua_State *L) {
  struct runtime *runtime = lua_newuserdatauv(L, sizeof *runtime, HOME_VALUES);
  int self = lua_gettop(L);
  memset(runtime, 0, sizeof *runtime);
  if (luaL_newmetatable(L, NAME)) {
    lua_pushcfunction(L, runtime_collect);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, self);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &home_key);
  runtime->parent = lua_touserdata(L, -1);
  lua_setiuservalue(L, self, HOME_PARENT);
  make_worker(L, runtime, self);
  make_list_of_jobs(L, runtime);
  if (driver_open(&runtime->engine) < 0)
    luaL_error(L, "minimax can't start its engine: %s", strerror(errno));
  lua_rawsetp(L, LUA_REGISTRYINDEX, &home_key);
}

void runtime_open(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &home_key) == LUA_TNIL)
    create(L);
  lua_pop(L, 1);
}

void runtime_ensure(lua_State *L) {
  if (engine_state(&runtime_of(L)->engine) == ENGINE_FORKED)
    create(L); /* the parent's is not ours to touch */
}

struct runtime *runtime_of(lua_State *L) {
  struct runtime *runtime;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &home_key);
  runtime = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return runtime;
}

struct runtime *runtime_of_engine(struct engine *engine) {
  return (struct runtime *)engine;
}
