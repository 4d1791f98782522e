/* Local files as media: the handle that `minimax.file` makes, and the rules
 * that the API sets for what may be sent. */
#ifndef MINIMAX_MEDIA_H
#define MINIMAX_MEDIA_H

#include <lua.h>
#include <stdint.h>

#include "api/endpoint.h"

#define MEDIA_NO_KIND (-1) /* a call that is not a submit: no rules */

/* Creates the handle's metatable; once for each Lua state. */
void media_open(lua_State *L);

/* minimax.file(path) */
int media_file(lua_State *L);

/* The path of the handle at `index`, or NULL if it is none. */
const char *media_path(lua_State *L, int index);

/* Whether a string may stand in that field of a submit: where it holds media, a
 * link or what a link stands for. */
int media_may_be(const char *text, const char *field);

/*
 * Checks the file against the rules of `kind` (or MEDIA_NO_KIND); `field` is
 * the name of the field that holds it ("image_url"). Returns its media type,
 * or NULL with a readable reason pushed.
 */
const char *media_check(lua_State *L, const char *path, int kind,
                        const char *field);

#endif
