/* minimax.sleep. */
#ifndef MINIMAX_SLEEP_H
#define MINIMAX_SLEEP_H

#include <lua.h>

/* minimax.sleep(seconds) */
int sleep_call(lua_State *L);

#endif
