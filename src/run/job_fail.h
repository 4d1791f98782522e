/* Ends jobs with errors, which name their stage and the task they are about. */
#ifndef MINIMAX_JOB_FAIL_H
#define MINIMAX_JOB_FAIL_H

#include <lua.h>

#include "run/job.h"

/* Ends it with the error object on top, which it pops; adds stage, task and
 * task_id. */
void job_fail(lua_State *L, struct job *job, int self);

/* Ends it from outside with kind "cancelled"; one that moves on right now ends
 * after that. */
void job_cancel(lua_State *L, struct job *job, const char *text);

/* Ends it in a forked child, where all that it holds is the parent's. */
void job_orphan(lua_State *L, struct job *job, int self);

/* Ends it because a finalizer runs, where nothing may wait. */
void job_refuse(lua_State *L, struct job *job, int self);

#endif
