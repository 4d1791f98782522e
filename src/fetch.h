/* The way of a download to its bytes: the link, its renewal, redirects,
 * attempts and resumption. Floor 4. */
#ifndef MINIMAX_FETCH_H
#define MINIMAX_FETCH_H

#include "download.h"

/* The first step of each way to the link. */
void fetch_bytes(lua_State *L, struct download *download, int self);
void fetch_link_of_file(lua_State *L, struct download *download, int self);
void fetch_link_of_task(lua_State *L, struct download *download, int self);

/* Makes `url` the link, upgraded to https where it must be. -1: no memory. */
int fetch_set_link(struct download *download, const char *url);

#endif
