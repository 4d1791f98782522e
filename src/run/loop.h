/* Our own loop, for programs that have none: a run resumes the coroutines that
 * were spawned. */
#ifndef MINIMAX_LOOP_H
#define MINIMAX_LOOP_H

#include <lua.h>

#include "run/job.h"

/* Once for each Lua state. */
void loop_open(lua_State *L);

/* minimax.spawn(fn, ...) */
int loop_spawn(lua_State *L);

/* Pushes a run of what was spawned and of the function and arguments that the
 * stack holds: a job, to be awaited. */
void loop_push_run(lua_State *L);

/* Of a coroutine of a run; its token is the coroutine. */
extern const struct waker loop_waker;

#endif
