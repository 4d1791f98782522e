/* One walk over a request: copies its Lua values into what lua-cjson can
 * encode, and refuses what JSON can't carry. Floor 3. */
#ifndef MINIMAX_WALK_H
#define MINIMAX_WALK_H

#include <lua.h>

#include "request.h"

/* The copy holds a placeholder for each value that lua-cjson must not see; the
 * list at `splices` has what it stands for. */
struct walk {
  lua_State *L;
  const struct request *request;
  int splices; /* index of the list; 0 in a preview */
  int count;
  int depth;
  size_t path_length;
  char path[160]; /* "media_inputs[1].value", for messages */
};

/* Pushes a copy of the table; -1 with an error pushed. */
int walk_copy(struct walk *walk, int table);

/* Replaces the value on top by a placeholder that stands for it. */
void walk_hide(struct walk *walk);

/* Pushes an error about the place where the walk is; returns -1. */
int walk_refuse(struct walk *walk, const char *format, const char *detail);

int walk_is_empty(lua_State *L, int table);

#endif
