/* Errors of kind "unknown": a request that costs money or changes something may
 * have had its effect, and its answer does not say so. Floor 4. */
#ifndef MINIMAX_DOUBT_H
#define MINIMAX_DOUBT_H

#include <lua.h>

#include "exchange.h"
#include "job.h"

/* Makes the error on top, of a request that failed, one of kind "unknown" where
 * what arrived of the answer names a task, which the job's error will hold; or
 * where `unknown` says so. `advice`: what to do then, or NULL. */
void doubt_cast(lua_State *L, struct job *job, int self,
                const struct exchange *exchange, const struct reply *reply,
                int unknown, const char *advice);

/* Keeps an error of that kind ready in the job, for an answer that there is no
 * memory to read. */
void doubt_provide(lua_State *L, const struct job *job, int self);

#endif
