/* minimax.new: makes a client. */
#ifndef MINIMAX_NEW_H
#define MINIMAX_NEW_H

#include <lua.h>

/* minimax.new([options]): makes a client of the table at index 1. */
int new_client(lua_State *L);

#endif
