/* Waiting inside cqueues: one coroutine for each controller polls the engine,
 * and each waiter sleeps on a condition of its own. (Did all of them poll the
 * one descriptor, each event would wake them all.) */
#ifndef MINIMAX_CQUEUES_H
#define MINIMAX_CQUEUES_H

#include <lua.h>

#include "run/job.h"

enum cqueues_place {
  CQUEUES_NOWHERE, /* no controller runs */
  CQUEUES_HERE,    /* one resumed this very coroutine */
  CQUEUES_ABOVE    /* one runs, and a plain coroutine inside it */
};

enum cqueues_place cqueues_running(lua_State *L);

/* On an empty stack: pushes what a waiter yields, cqueues._POLL and a new
 * condition, and the token by which it is woken; sees to it that the controller
 * has its pump. */
void cqueues_push_yield(lua_State *L);

extern const struct waker cqueues_waker;

#endif
