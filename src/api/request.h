/* Makes a request body of a Lua table: MiniMax's own JSON, with local files
 * streamed into it, every id exact, and nothing that JSON can't carry. */
#ifndef MINIMAX_REQUEST_H
#define MINIMAX_REQUEST_H

#include <lua.h>

#include "api/encode.h"
#include "net/body.h"

/* Pushes the request's own field, as all of it is sent: a metatable's code has
 * no say in it. Returns its type. */
int request_get(lua_State *L, int index, const char *name);

/*
 * Fills `body` from the table at `index`. 0, or -1 with an error object
 * pushed. Raises only where the program is wrong (a float as an id).
 * What body holds then is the caller's to free, also when it fails.
 */
int request_build(lua_State *L, int index, const struct request *request,
                  struct body *body);

/* Pushes the same as a table with media shortened, for a dry run. */
int request_preview(lua_State *L, int index, const struct request *request);

/* The kind that the table's fields tell, or -1 with an error pushed. */
int request_kind(lua_State *L, int index, const char *secret);

/* Pushes the value at `index` as an id: a string as it is, an integer in
 * digits; raises for anything else, as argument `argument`. */
const char *request_push_id(lua_State *L, int index, int argument);

#endif
