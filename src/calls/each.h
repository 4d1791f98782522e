/* client:each: many waits at once, in the order in which they end. */
#ifndef MINIMAX_EACH_H
#define MINIMAX_EACH_H

#include <lua.h>

#include "run/job.h"

/* client:each(tasks [, options]) */
int each_call(lua_State *L);

/* For jobs: one of its waits has a status to tell, or has ended. */
void each_child_has_news(struct job *parent, struct job *child);

#endif
