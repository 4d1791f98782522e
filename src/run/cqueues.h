/* Waiting inside cqueues: one coroutine for each controller polls the engine,
 * and each waiter sleeps on a condition of its own. (Did all of them poll the
 * one descriptor, each event would wake them all.) */
#ifndef MINIMAX_CQUEUES_H
#define MINIMAX_CQUEUES_H

#include <lua.h>

enum cqueues_place {
  CQUEUES_NOWHERE, /* no controller runs */
  CQUEUES_HERE,    /* one resumed this very coroutine */
  CQUEUES_ABOVE    /* one runs, and a plain coroutine inside it */
};

enum cqueues_place cqueues_running(lua_State *L);

/* Pushes what a waiter yields: cqueues._POLL and a new condition; sees to it
 * that the controller has its pump. `job` is the index of the job. */
void cqueues_push_yield(lua_State *L, int job);

/* Wakes the waiter of the job at `job`, whose condition is at `condition`. */
void cqueues_signal(lua_State *L, int job, int condition);

#endif
