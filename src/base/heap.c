/* A binary heap of deadlines; each knows its slot, so that moving or removing
 * one costs O(log n) without a search. */
#include "base/heap.h"

#include <stdlib.h>

#define SMALLEST 32

static void place(struct heap *heap, struct deadline *deadline, size_t slot) {
  heap->slots[slot] = deadline;
  deadline->slot = slot;
}

static void rise(struct heap *heap, struct deadline *deadline, size_t slot) {
  while (slot > 1 && heap->slots[slot / 2]->due > deadline->due) {
    place(heap, heap->slots[slot / 2], slot);
    slot /= 2;
  }
  place(heap, deadline, slot);
}

static void sink(struct heap *heap, struct deadline *deadline, size_t slot) {
  size_t child;
  while ((child = slot * 2) <= heap->count) {
    if (child < heap->count &&
        heap->slots[child + 1]->due < heap->slots[child]->due)
      child++;
    if (heap->slots[child]->due >= deadline->due)
      break;
    place(heap, heap->slots[child], slot);
    slot = child;
  }
  place(heap, deadline, slot);
}

static void settle(struct heap *heap, struct deadline *deadline, size_t slot) {
  if (slot > 1 && heap->slots[slot / 2]->due > deadline->due)
    rise(heap, deadline, slot);
  else
    sink(heap, deadline, slot);
}

static int grow(struct heap *heap) {
  size_t capacity = heap->capacity == 0 ? SMALLEST : heap->capacity * 2;
  struct deadline **slots;
  if (capacity > SIZE_MAX / sizeof(*slots) - 1)
    return -1;
  slots = realloc(heap->slots, (capacity + 1) * sizeof(*slots));
  if (slots == NULL)
    return -1;
  heap->slots = slots;
  heap->capacity = capacity;
  return 0;
}

int heap_put(struct heap *heap, struct deadline *deadline, uint64_t due) {
  if (deadline->slot != 0) {
    deadline->due = due;
    settle(heap, deadline, deadline->slot);
    return 0;
  }
  if (heap->count == heap->capacity && grow(heap) != 0)
    return -1;
  deadline->due = due;
  rise(heap, deadline, ++heap->count);
  return 0;
}

void heap_remove(struct heap *heap, struct deadline *deadline) {
  size_t slot = deadline->slot;
  struct deadline *last;
  if (slot == 0)
    return;
  last = heap->slots[heap->count--];
  if (last != deadline)
    settle(heap, last, slot);
  deadline->slot = 0;
}

struct deadline *heap_first(const struct heap *heap) {
  return heap->count == 0 ? NULL : heap->slots[1];
}

void heap_free(struct heap *heap) {
  free(heap->slots);
  heap->slots = NULL;
  heap->count = 0;
  heap->capacity = 0;
}
