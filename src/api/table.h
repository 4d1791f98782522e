/* Small things about Lua tables as they are, past their metatables. */
#ifndef MINIMAX_TABLE_H
#define MINIMAX_TABLE_H

#include <lua.h>

/* Whether the table at `index` holds nothing. */
int table_is_empty(lua_State *L, int index);

/* Pushes a table with the same fields as the one at `index`. */
void table_push_copy(lua_State *L, int index);

#endif
