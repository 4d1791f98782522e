/* The body of a response as it arrives. Floor 2. */
#ifndef MINIMAX_ANSWER_H
#define MINIMAX_ANSWER_H

#include <stddef.h>

/* libcurl's write callback; `user` is the transfer. */
size_t answer_write(char *bytes, size_t size, size_t count, void *user);

#endif
