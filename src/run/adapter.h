/* How loops of the program's own (luv, copas and others) wait in our stead: a
 * table with the functions `token(job)`, `park(token, job)`, which yields, and
 * `wake(token, gone)`, which is called once for each park. */
#ifndef MINIMAX_ADAPTER_H
#define MINIMAX_ADAPTER_H

#include <lua.h>

#include "run/job.h"

/* minimax.adapter(t) */
int adapter_set(lua_State *L);

int adapter_is_set(lua_State *L);

/* Pushes the function park and a new token for the job at `job`. */
void adapter_push_park(lua_State *L, int job);

extern const struct waker adapter_waker;

#endif
