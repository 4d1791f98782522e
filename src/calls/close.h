/* client:close, and the end of clients that nobody closes. */
#ifndef MINIMAX_CLOSE_H
#define MINIMAX_CLOSE_H

#include <lua.h>

struct client;

/* Cancels its jobs and closes it; while jobs move on, which hold pointers into
 * its settings, it is only marked. Idempotent. */
void close_client(lua_State *L, struct client *client);

/* client:close() */
int close_call(lua_State *L);

/* The __gc of clients. */
int close_collect(lua_State *L);

#endif
