/* What a finalizer asks for, done later by a job of its own. */
#include "run/deferred.h"

#include <lauxlib.h>

#include "run/job.h"

struct deferred {
  struct job job;
  lua_CFunction act;
};

/* JOB_EXTRA and JOB_CALLBACK are the two arguments. */
static void deferred_advance(lua_State *L, struct job *job, int self) {
  lua_pushnil(L); /* nothing holds it any longer */
  lua_rawsetp(L, LUA_REGISTRYINDEX, job);
  lua_pushcfunction(L, ((struct deferred *)job)->act);
  lua_getiuservalue(L, self, JOB_EXTRA);
  lua_getiuservalue(L, self, JOB_CALLBACK);
  if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
    lua_warning(L, "minimax: error in what a finalizer asked for: ", 1);
    lua_warning(L, luaL_tolstring(L, -1, NULL), 0);
    lua_pop(L, 1);
  }
  job_end(L, job, self);
}

static const struct job_type type = {
    JOB_TYPE("call", deferred_advance, deferred_advance, job_holds_nothing),
};

void deferred_send(lua_State *L, lua_CFunction act) {
  int first = lua_gettop(L) - 1;
  struct deferred *deferred;
  deferred = (struct deferred *)job_new_bare(L, sizeof *deferred, &type);
  deferred->act = act;
  lua_pushvalue(L, first);
  lua_setiuservalue(L, -2, JOB_EXTRA);
  lua_pushvalue(L, first + 1);
  lua_setiuservalue(L, -2, JOB_CALLBACK);
  lua_rawsetp(L, LUA_REGISTRYINDEX, deferred);
  lua_settop(L, first - 1);
  job_start(&deferred->job);
}

int deferred_wake_now(lua_State *L, lua_CFunction act) {
  int result;
  lua_pushcfunction(L, act);
  lua_insert(L, -3);
  result = lua_pcall(L, 2, 0, 0);
  if (result == LUA_OK)
    return 0;
  if (result == LUA_ERRMEM) {
    lua_pop(L, 1);
    return -1;
  }
  lua_warning(L, "minimax: error in waking a coroutine: ", 1);
  lua_warning(L, luaL_tolstring(L, -1, NULL), 0);
  lua_pop(L, 2);
  return 0;
}

int deferred_wake(lua_State *L, lua_CFunction act) {
  if (!runtime_is_finalizing(L))
    return deferred_wake_now(L, act);
  deferred_send(L, act);
  return 0;
}
