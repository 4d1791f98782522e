/* Where a path leads, as the file system sees it. */
#ifndef MINIMAX_FILE_IDENTITY_H
#define MINIMAX_FILE_IDENTITY_H

#include <lua.h>

/* minimax._place(path) */
int file_identity_call(lua_State *L);

#endif
