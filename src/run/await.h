/* Waits for a job wherever Lua runs: it blocks, or yields in the way of the
 * loop that runs the coroutine. The rules that this file keeps are those of
 * Lua's yields across C, each of them once a crash. */
#ifndef MINIMAX_AWAIT_H
#define MINIMAX_AWAIT_H

#include <lua.h>

#include "net/engine.h"
#include "run/job.h"

/*
 * `return await_job(L)` at the end of a C function: waits for the job on top
 * of the stack and returns its results. The job is closed when the coroutine
 * is. `keep` leaves it open: it is awaited again (each).
 */
int await_job(lua_State *L);
int await_again(lua_State *L);

/* The same with a continuation: `after` is called with the results above the
 * job, whose stack index is its context. */
int await_then(lua_State *L, lua_KFunction after);

enum await_reason {
  AWAIT_NEWS,     /* its owner has something to look at */
  AWAIT_CLOSED,   /* its owner was closed: no more than that is to be told */
  AWAIT_COLLECTED /* its owner is gone, and so may be what it slept on */
};

/* A parked job is one no longer; `self` is the stack index of its userdata. */
void await_unpark(lua_State *L, struct job *job, int self,
                  enum await_reason reason);

/* Steps the engine for at most `budget` ms; returns how many jobs ended. */
int await_step(lua_State *L, struct engine *engine, int budget);

/* How other loops wait in our stead: a table with the functions `token(job)`,
 * `park(token, job)`, which yields, and `wake(token, gone)`, which is called
 * once for each park. minimax.adapter(t) */
int await_set_adapter(lua_State *L);

/* Push what event loops ask for. */
int await_push_pollfd(lua_State *L, const struct engine *engine);
int await_push_timeout(lua_State *L, const struct engine *engine);

/* Whether a call that would wait can't: a finalizer runs. */
int await_is_finalizing(lua_State *L);

/* Whether this version of Lua lets that be known. */
int await_knows_finalizers(void);

#endif
