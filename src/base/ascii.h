/* Letters without regard to case, the same whatever locale the host has set: in
 * a Turkish one strcasecmp tells "FINISHED" from "finished". */
#ifndef MINIMAX_ASCII_H
#define MINIMAX_ASCII_H

#include <stddef.h>

/* Whether two texts are equal. */
int ascii_equal(const char *one, const char *other);

/* Whether they are in their first `length` bytes, or up to their end. */
int ascii_equal_up_to(const char *one, const char *other, size_t length);

#endif
