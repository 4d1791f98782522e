/* Deadlines in the order in which they fall due. */
#ifndef MINIMAX_HEAP_H
#define MINIMAX_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* Embedded in whatever waits; all zero means: in no heap. */
struct deadline {
  uint64_t due; /* milliseconds on the monotonic clock */
  size_t slot;  /* its place in the heap, from 1; 0 outside */
};

/* All zero is a valid empty heap. It owns its array, not the deadlines. */
struct heap {
  struct deadline **slots; /* slots[1] is due first */
  size_t count, capacity;
};

/* Puts the deadline in, or moves it; 0, or -1 when memory ends (a deadline
 * that was already in never fails). */
int heap_put(struct heap *heap, struct deadline *deadline, uint64_t due);

/* Takes it out; nothing happens if it is in no heap. */
void heap_remove(struct heap *heap, struct deadline *deadline);

/* The one due first, or NULL. */
struct deadline *heap_first(const struct heap *heap);

void heap_free(struct heap *heap);

#endif
