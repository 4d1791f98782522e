/* The way of a download from its link to its bytes: attempts, redirects,
 * resumption. */
#ifndef MINIMAX_DOWNLOAD_FETCH_H
#define MINIMAX_DOWNLOAD_FETCH_H

#include "calls/download_job.h"

/* `allow_private`: private addresses are let through. */
void download_fetch_init(struct download *download, int allow_private);

/* Idempotent. */
void download_fetch_release(struct download *download);

/* The step of a download whose link is known. */
void download_fetch(lua_State *L, struct download *download, int self);

#endif
