/* Errors of kind "unknown": a request that costs money or changes something may
 * have had its effect, and its answer does not say so. */
#ifndef MINIMAX_UNKNOWN_H
#define MINIMAX_UNKNOWN_H

#include <lua.h>

#include "api/reply.h"
#include "run/job.h"

/* Makes the error on top, of a request that failed, one of kind "unknown" where
 * what arrived of the answer names a task, which the job's error will hold; or
 * where `unknown` says so. `post` is its attempt; NULL where there was none, or
 * it was no POST. `advice`: what to do then, or NULL. */
void unknown_cast(lua_State *L, struct job *job, int self,
                  const struct transfer *post, const struct reply *reply,
                  int unknown, const char *advice);

/* Keeps an error of that kind ready in the job, for an answer that there is no
 * memory to read. */
void unknown_provide(lua_State *L, const struct job *job, int self);

#endif
