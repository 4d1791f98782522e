/* A ring of bytes between libcurl's write callback and a slow reader. */
#ifndef MINIMAX_RING_H
#define MINIMAX_RING_H

#include <stddef.h>

enum { RING_BYTES = 262144 };

/* All zero is an empty ring without memory. */
struct ring {
  char *bytes;
  size_t first; /* where the oldest byte stands */
  size_t used;
};

/* All or nothing: 0, 1 when it does not fit now, -1 when memory ends. */
int ring_write(struct ring *ring, const char *bytes, size_t length);

/* The oldest bytes that stand in one run; returns how many. */
size_t ring_peek(const struct ring *ring, const char **bytes);

/* They were read. */
void ring_drop(struct ring *ring, size_t length);

void ring_free(struct ring *ring);

#endif
