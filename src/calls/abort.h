/* client:abort: ends the calls under way for a task. */
#ifndef MINIMAX_ABORT_H
#define MINIMAX_ABORT_H

#include <lua.h>

/* client:abort(task | task_id) */
int abort_call(lua_State *L);

#endif
