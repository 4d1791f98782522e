/* The way of a download from its link to its bytes: attempts, redirects,
 * resumption. Floor 4. */
#ifndef MINIMAX_FETCH_H
#define MINIMAX_FETCH_H

#include "download.h"

/* The step of a download whose link is known. */
void fetch_bytes(lua_State *L, struct download *download, int self);

#endif
