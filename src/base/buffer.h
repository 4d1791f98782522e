/* A growable run of bytes. */
#ifndef MINIMAX_BUFFER_H
#define MINIMAX_BUFFER_H

#include <stddef.h>

/* Owned by whoever declares it; all zero is a valid empty buffer. */
struct buffer {
  char *bytes; /* NULL until something was added; NUL-terminated after */
  size_t length;
  size_t capacity;
};

/* All return 0, or -1 when memory ends (the buffer is then unchanged). */
int buffer_reserve(struct buffer *buffer, size_t more);
int buffer_add(struct buffer *buffer, const void *bytes, size_t length);
int buffer_add_text(struct buffer *buffer, const char *text);

/* Forgets the content, keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* Releases the memory; the buffer is empty and usable after it. */
void buffer_free(struct buffer *buffer);

#endif
