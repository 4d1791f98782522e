/* The way of a download to its link: from a task, from a file, and again once
 * it has expired. */
#ifndef MINIMAX_DOWNLOAD_LINK_H
#define MINIMAX_DOWNLOAD_LINK_H

#include "calls/download_job.h"

/* Begins with what is known: the link, a file (each NULL: not), a task. Sets
 * the first step. -1: no memory. */
int download_link_init(struct download *download, const char *url,
                       const char *file_id, int has_task);

/* Idempotent. */
void download_link_release(struct download *download);

/* Steps of a download that lead to DOWNLOAD_BYTES. */
void download_link_of_file(lua_State *L, struct download *download, int self);
void download_link_of_task(lua_State *L, struct download *download, int self);

/* The link redirects to `url`, which it takes over; or it begins once more with
 * the one that redirected first. */
void download_link_follow(struct download *download, char *url);
void download_link_go_back(struct download *download);

/* How long the link says that it will serve, in ms; 0: unknown, or over. */
uint64_t download_link_life(const struct download *download);

#endif
