/* minimax.sleep. */
#include "calls/sleep.h"

#include <lauxlib.h>

#include "run/await.h"

static void sleep_advance(lua_State *L, struct job *job, int self) {
  (void)L, (void)self;
  job_sleep(job, POLLER_NEVER); /* until its deadline */
}

static void sleep_expire(lua_State *L, struct job *job, int self) {
  lua_pushboolean(L, 1);
  job_end(L, job, self);
}

static const struct job_type type = {
    JOB_TYPE("sleep", sleep_advance, sleep_expire, job_holds_nothing),
};

/*** Waits for that long, as everything else waits: other transfers and, under
`minimax.run`, other coroutines go on meanwhile.
@function sleep
@tparam number seconds
@treturn boolean true */
int sleep_call(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  struct job *job;
  luaL_argcheck(L, seconds >= 0 && seconds < 1e9, 1,
                "a number of seconds is expected");
  job = job_new_bare(L, sizeof *job, &type);
  job_set_timeout(job, (uint64_t)(seconds * 1000 + 0.5));
  job_start(job);
  return await_job(L);
}
