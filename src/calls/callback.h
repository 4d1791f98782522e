/* client:callback: what to answer to a POST to your callback_url. */
#ifndef MINIMAX_CALLBACK_H
#define MINIMAX_CALLBACK_H

#include <lua.h>

/* client:callback(body) */
int callback_call(lua_State *L);

#endif
