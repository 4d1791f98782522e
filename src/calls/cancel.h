/* client:cancel. */
#ifndef MINIMAX_CANCEL_H
#define MINIMAX_CANCEL_H

#include <lua.h>

/* client:cancel(task | task_id [, options]) */
int cancel_call(lua_State *L);

#endif
