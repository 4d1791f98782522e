/* Waits for a job wherever Lua runs: it blocks, or yields in the way of the
 * loop that runs the coroutine. The rules that this file keeps are those of
 * Lua's yields across C, each of them once a crash. */
#ifndef MINIMAX_AWAIT_H
#define MINIMAX_AWAIT_H

#include <lua.h>

#include "run/job.h"

/* `return await_job(L)` at the end of a C function: waits for the job on top of
 * the stack and returns its results. The job is closed with the coroutine. */
int await_job(lua_State *L);

/* The same, and the job stays open: it is awaited again (each). */
int await_again(lua_State *L);

#endif
