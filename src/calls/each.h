/* client:each: many waits at once, in the order in which they end. */
#ifndef MINIMAX_EACH_H
#define MINIMAX_EACH_H

#include <lua.h>

/* client:each(tasks [, options]) */
int each_call(lua_State *L);

#endif
