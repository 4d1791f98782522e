/* The words in which an answer says why: of a refusal and of a task that ended
 * otherwise than well, in one list of places. */
#ifndef MINIMAX_REASON_H
#define MINIMAX_REASON_H

#include <lua.h>

/* Whether a text says something: it is not empty, no number, and no word for
 * success. */
int reason_is_told(const char *text);

/* Pushes the first text of the table at `index` that says why; 0 and nothing
 * where there is none. */
int reason_find(lua_State *L, int index);

/* The same; else an excerpt of what the table says besides; else, that it gives
 * no reason. `secret`, the key, is cut out. */
void reason_push(lua_State *L, int index, const char *secret);

#endif
