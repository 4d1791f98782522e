/* What is not Lua's own, held by Lua: what a C function allocates or opens
 * while Lua may raise an error hangs on a userdata first, and so is given back
 * whatever happens. */
#ifndef MINIMAX_BOX_H
#define MINIMAX_BOX_H

#include <lua.h>

#include "base/buffer.h"

/* Creates the metatable; once for each Lua state. */
void box_open(lua_State *L);

/* Pushes a box with `size` bytes of zero; `release` is called with them once,
 * by the collector at the latest, and must take zeros. */
void *box_push(lua_State *L, size_t size, void (*release)(void *));

/* Gives back at once what the box on top holds, and pops it. */
void box_pop(lua_State *L);

/* Pushes a box that holds an empty buffer. */
struct buffer *box_push_buffer(lua_State *L);

/* Puts the text of that buffer in the place of its box on top; `failed`: raises
 * that there is no memory instead. */
const char *box_to_string(lua_State *L, int failed);

/* Raises "not enough memory". */
_Noreturn void box_no_memory(lua_State *L);

#endif
