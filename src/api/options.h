/* Reads option tables: each option is a row of data, an unknown one raises and
 * names the nearest. */
#ifndef MINIMAX_OPTIONS_H
#define MINIMAX_OPTIONS_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_NEVER UINT64_MAX /* `false` where a time may be turned off */

enum option_type {
  OPTION_BOOLEAN,  /* int */
  OPTION_SECONDS,  /* uint64_t, milliseconds */
  OPTION_DEADLINE, /* the same, or false: OPTIONS_NEVER */
  OPTION_COUNT,    /* unsigned, 0 and more */
  OPTION_POSITIVE, /* unsigned, 1 and more */
  OPTION_BYTES,    /* uint64_t */
  OPTION_TEXT,     /* const char *, lives as long as the table */
  OPTION_RATE,     /* struct option_rate, from { count, seconds } */
  OPTION_FUNCTION, /* only checked: the reader fetches it */
  OPTION_TABLE,    /* the same */
  OPTION_ANY       /* the same */
};

struct option_rate {
  unsigned count;
  uint64_t window; /* milliseconds */
};

struct option {
  const char *name; /* the last row's is NULL */
  enum option_type type;
  size_t offset; /* of the field that takes the value */
};

/* Reads the table at `index` (nil and none are an empty one) into `out`; what
 * is not there leaves its field as it is. Raises on a wrong type or an unknown
 * option, as an error of argument `index`. */
void options_read(lua_State *L, int index, const struct option *known,
                  void *out);

/* luaL_argerror with the number that the caller sees: functions with an
 * upvalue put a client before their arguments. */
_Noreturn void options_argerror(lua_State *L, int index, const char *text);

/* The string or number at `index` as text, as lua_tolstring, but with a point
 * in the number whatever the host's locale has. NULL: it is neither. */
const char *options_text(lua_State *L, int index, size_t *length);

/* Whether the table at `index` has that option; pushes it if so. */
int options_get(lua_State *L, int index, const char *name);

/* `minimax._nearest`: the word of a list that a misspelt one may mean. */
int options_nearest(lua_State *L);

#endif
