/* The bridge to lua-cjson: a private instance, so that neither its settings
 * nor the host's disturb the other; ids and whole numbers stay exact with any
 * version of it. */
#ifndef MINIMAX_JSON_H
#define MINIMAX_JSON_H

#include <lua.h>
#include <stddef.h>

#include "base/buffer.h"

/* The most values of a text from outside, with the names of fields: each may
 * cost Lua a hundred bytes where the text has two. */
#define JSON_MOST ((size_t)250000)

enum json_result { JSON_OK, JSON_BAD = -1, JSON_TOO_MANY = -2 };

/* Finds lua-cjson; raises where it is missing, naming the remedies. */
void json_open(lua_State *L);

/* Pushes what the text holds, of which jsontext_mark mends what it can: no
 * string holds a NUL byte or invalid UTF-8, null is nil, a field named `id` or
 * ending in `_id` or `_ids` holds strings, any other whole number is an
 * integer, an empty list has a metatable whose `__jsontype` is "array".
 * Of more than `most` values it reads none. Unless it is JSON_OK, a short
 * reason is pushed instead. */
enum json_result json_decode(lua_State *L, const char *text, size_t length,
                             size_t most);

/* Pushes the JSON text of the value on top (which it pops), made of strings,
 * numbers, booleans and tables only. -1: a short reason is pushed instead. */
int json_encode(lua_State *L);

/* Appends the text as a JSON string with its quotes. -1: no memory. */
int json_add_string(struct buffer *out, const char *text, size_t length);

#endif
