/* Waiting inside cqueues: one coroutine for each controller polls the engine,
 * and each waiter sleeps on a condition of its own. (Did all of them poll the
 * one descriptor, each event would wake them all.) Floor 4. */
#ifndef MINIMAX_PUMP_H
#define MINIMAX_PUMP_H

#include <lua.h>

enum pump_place {
  PUMP_NOWHERE, /* no controller runs */
  PUMP_HERE,    /* one resumed this very coroutine */
  PUMP_ABOVE    /* one runs, and a plain coroutine inside it */
};

enum pump_place pump_running(lua_State *L);

/* Pushes what a waiter yields: cqueues._POLL and a new condition; sees to it
 * that the controller has its pump. `job` is the index of the job. */
void pump_push_yield(lua_State *L, int job);

/* Wakes the waiter of the job at `job`, whose condition is at `condition`. */
void pump_signal(lua_State *L, int job, int condition);

#endif
