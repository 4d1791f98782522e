/* What a finalizer asks for, done later by a job of its own. */
#include "errand.h"

#include <lauxlib.h>

#include "client.h"
#include "job.h"

struct errand {
  struct job job;
  lua_CFunction act;
};

/* JOB_EXTRA and JOB_CALLBACK are the two arguments. */
static void errand_advance(lua_State *L, struct job *job, int self) {
  lua_pushnil(L); /* nothing holds it any longer */
  lua_rawsetp(L, LUA_REGISTRYINDEX, job);
  lua_pushcfunction(L, ((struct errand *)job)->act);
  lua_getiuservalue(L, self, JOB_EXTRA);
  lua_getiuservalue(L, self, JOB_CALLBACK);
  if (lua_pcall(L, 2, 1, 0) != LUA_OK) {
    lua_warning(L, "minimax: error in what a finalizer asked for: ", 1);
    lua_warning(L, luaL_tolstring(L, -1, NULL), 0);
    lua_pop(L, 1);
  }
  job_succeed(L, job, self);
}

static void errand_release(struct job *job) {
  (void)job;
}

static const struct deed deed = {
    .stage = "call",
    .advance = errand_advance,
    .expire = errand_advance,
    .release = errand_release,
};

void errand_send(lua_State *L, lua_CFunction act) {
  int first = lua_gettop(L) - 1;
  struct errand *errand;
  client_push_bare(L);
  errand = (struct errand *)job_new(L, sizeof *errand, &deed, -1);
  errand->act = act;
  errand->job.kind = -1;
  lua_pushvalue(L, first);
  lua_setiuservalue(L, -2, JOB_EXTRA);
  lua_pushvalue(L, first + 1);
  lua_setiuservalue(L, -2, JOB_CALLBACK);
  lua_rawsetp(L, LUA_REGISTRYINDEX, errand);
  lua_settop(L, first - 1);
  job_start(&errand->job);
}
