/* The way of a download to its link: from a task, from a file, and again once
 * it has expired. Floor 4. */
#ifndef MINIMAX_LINK_H
#define MINIMAX_LINK_H

#include "download.h"

/* Steps of a download that end in fetch_bytes. */
void link_of_file(lua_State *L, struct download *download, int self);
void link_of_task(lua_State *L, struct download *download, int self);

/* The link redirects to `url`, which it takes over; or it begins once more with
 * the one that redirected first. */
void link_follow(struct download *download, char *url);
void link_go_back(struct download *download);

/* Makes `url` the link, upgraded to https where it must be. -1: no memory. */
int link_set(struct download *download, const char *url);

/* Pushes what the bytes are of, in a form that another process can compare:
 * the task, else the file, else the link without its secrets. */
const char *link_push_source(lua_State *L, const struct download *download,
                             int self);

#endif
