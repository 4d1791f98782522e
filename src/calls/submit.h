/* client:submit: three outcomes, because it costs money. */
#ifndef MINIMAX_SUBMIT_H
#define MINIMAX_SUBMIT_H

#include <lua.h>

/* client:submit(request [, options]) */
int submit_call(lua_State *L);

#endif
