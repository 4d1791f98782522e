/* Where a path leads, as the file system sees it. Floor 3. */
#ifndef MINIMAX_PLACE_H
#define MINIMAX_PLACE_H

#include <lua.h>

/* minimax._place(path) */
int place_call(lua_State *L);

#endif
