/* A response as it arrives. */
#ifndef MINIMAX_RESPONSE_H
#define MINIMAX_RESPONSE_H

#include <stddef.h>

struct transfer;

/* libcurl's write callback; `user` is the transfer. */
size_t response_write(char *bytes, size_t size, size_t count, void *user);

/* Before its handle serves again: an old libcurl must not append a line of the
 * next response to a header of this one. */
void response_watch_head(struct transfer *transfer);

/* libcurl's header callback: bounds what is said in heads and trailers. For a
 * request that may cost money it notes what the head says, so that it is known
 * whatever becomes of the connection. */
size_t response_take_head(char *line, size_t size, size_t count, void *user);

#endif
