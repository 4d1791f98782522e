/* client:generate: submit, wait and download in one call. */
#ifndef MINIMAX_GENERATE_H
#define MINIMAX_GENERATE_H

#include <lua.h>

/* client:generate(request, destination [, options]) */
int generate_call(lua_State *L);

#endif
