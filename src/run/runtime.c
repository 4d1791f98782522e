/* What the module keeps for each Lua state. */
#include "run/runtime.h"

#include <errno.h>
#include <lauxlib.h>
#include <string.h>

#include "net/driver.h"

#define NAME "minimax.runtime"

enum { LOOK = 10 /* ms: between two looks where no descriptor tells */ };

/* The Lua values that belong to it. */
enum { RUNTIME_PARENT = 1, RUNTIME_WORKER, RUNTIME_VALUES = RUNTIME_WORKER };

/* The registry key of the present one. */
static const char runtime_key = 0;

static int runtime_collect(lua_State *L) {
  struct runtime *runtime = luaL_checkudata(L, 1, NAME);
  driver_close(&runtime->engine);
  return 0;
}

static void make_worker(lua_State *L, struct runtime *runtime, int self) {
  runtime->worker = lua_newthread(L);
  lua_sethook(runtime->worker, NULL, 0, 0); /* it inherits the hook */
  lua_setiuservalue(L, self, RUNTIME_WORKER);
}

void runtime_push_weak(lua_State *L, const char *mode) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushstring(L, mode);
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
}

/* The one before it, a parent process's, is kept: clients point at it. */
static void create(lua_State *L) {
  struct runtime *runtime =
      lua_newuserdatauv(L, sizeof *runtime, RUNTIME_VALUES);
  int self = lua_gettop(L);
  memset(runtime, 0, sizeof *runtime);
  if (luaL_newmetatable(L, NAME)) {
    lua_pushcfunction(L, runtime_collect);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, self);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &runtime_key);
  runtime->parent = lua_touserdata(L, -1);
  lua_setiuservalue(L, self, RUNTIME_PARENT);
  make_worker(L, runtime, self);
  runtime_push_weak(L, "v");
  runtime->jobs = luaL_ref(L, LUA_REGISTRYINDEX);
  runtime->owner.engine = &runtime->engine;
  if (driver_open(&runtime->engine) < 0)
    luaL_error(L, "minimax can't start its engine: %s", strerror(errno));
  lua_rawsetp(L, LUA_REGISTRYINDEX, &runtime_key);
}

void runtime_open(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &runtime_key) == LUA_TNIL)
    create(L);
  lua_pop(L, 1);
}

void runtime_ensure(lua_State *L) {
  if (engine_state(&runtime_of(L)->engine) == ENGINE_FORKED)
    create(L); /* the parent's is not ours to touch */
}

struct runtime *runtime_of(lua_State *L) {
  struct runtime *runtime;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &runtime_key);
  runtime = lua_touserdata(L, -1);
  lua_pop(L, 1);
  return runtime;
}

struct runtime *runtime_of_engine(struct engine *engine) {
  return (struct runtime *)engine;
}

struct run *runtime_run(const struct runtime *runtime) {
  while (runtime && !runtime->resumed)
    runtime = runtime->parent;
  return runtime ? runtime->run : NULL;
}

int runtime_has_resumed(struct engine *engine, const lua_State *L) {
  return runtime_of_engine(engine)->resumed == L;
}

/* ---- what event loops ask for ---- */

int runtime_push_pollfd(lua_State *L, const struct engine *engine) {
  if (engine->poller.fd < 0)
    lua_pushnil(L);
  else
    lua_pushinteger(L, engine->poller.fd);
  return 1;
}

int runtime_push_timeout(lua_State *L, const struct engine *engine) {
  uint64_t due = engine_due(engine);
  uint64_t now = poller_clock();
  /* With no descriptor to watch, sockets are looked at every so often. */
  if (engine->poller.fd < 0 && engine->transfers && due > now + LOOK)
    due = now + LOOK;
  if (!engine_is_awaited(engine))
    lua_pushnil(L);
  else
    lua_pushnumber(L, due > now ? (lua_Number)(due - now) / 1000 : 0);
  return 1;
}

/* ---- finalizers ---- */

/* While a finalizer runs the collector does nothing that it is asked for, and
 * says so; Lua before 5.4.4 does not. */
int runtime_is_finalizing(lua_State *L) {
  return lua_gc(L, LUA_GCCOUNT) == -1;
}

static int note_finalizing(lua_State *L) {
  *(int *)lua_touserdata(L, lua_upvalueindex(1)) = runtime_is_finalizing(L);
  return 0;
}

static int make_finalizer(lua_State *L) {
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, note_finalizing, 1);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  return 1;
}

/* A state of its own: closing it runs the finalizer, whatever the host's
 * collector does. */
int runtime_knows_finalizers(void) {
  int known = 1; /* without memory this is not the place to say so */
  lua_State *L = luaL_newstate();
  if (!L)
    return known;
  lua_pushcfunction(L, make_finalizer);
  lua_pushlightuserdata(L, &known);
  lua_pcall(L, 1, 1, 0);
  lua_close(L);
  return known;
}
