/* A ring of bytes between libcurl's write callback and a slow reader. */
#include "base/ring.h"

#include <stdlib.h>
#include <string.h>

int ring_write(struct ring *ring, const char *bytes, size_t length) {
  size_t end, run;
  if (!ring->bytes && !(ring->bytes = malloc(RING_BYTES)))
    return -1;
  if (length > RING_BYTES - ring->used)
    return 1;
  end = (ring->first + ring->used) % RING_BYTES;
  run = RING_BYTES - end < length ? RING_BYTES - end : length;
  memcpy(ring->bytes + end, bytes, run);
  memcpy(ring->bytes, bytes + run, length - run);
  ring->used += length;
  return 0;
}

size_t ring_peek(const struct ring *ring, const char **bytes) {
  size_t run = RING_BYTES - ring->first;
  *bytes = ring->used ? ring->bytes + ring->first : NULL;
  return ring->used < run ? ring->used : run;
}

void ring_drop(struct ring *ring, size_t length) {
  ring->used -= length;
  ring->first = ring->used ? (ring->first + length) % RING_BYTES : 0;
}

void ring_free(struct ring *ring) {
  free(ring->bytes);
  memset(ring, 0, sizeof *ring);
}
