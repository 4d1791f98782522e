/* A growable run of bytes, always NUL-terminated once it holds memory. */
#include "base/buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST 64

/* Doubles, so that many small additions cost little; `needed` wins where it
 * is larger, or where doubling would overflow. */
static size_t next_capacity(size_t capacity, size_t needed) {
  size_t next = capacity < SMALLEST ? SMALLEST : capacity;
  if (next <= SIZE_MAX / 2 && capacity >= SMALLEST)
    next *= 2;
  return next < needed ? needed : next;
}

int buffer_reserve(struct buffer *buffer, size_t more) {
  size_t needed, capacity;
  char *bytes;
  if (more >= SIZE_MAX - buffer->length)
    return -1;
  needed = buffer->length + more + 1; /* the NUL */
  if (needed <= buffer->capacity)
    return 0;
  capacity = next_capacity(buffer->capacity, needed);
  bytes = realloc(buffer->bytes, capacity);
  if (bytes == NULL)
    return -1;
  bytes[buffer->length] = '\0';
  buffer->bytes = bytes;
  buffer->capacity = capacity;
  return 0;
}

int buffer_add(struct buffer *buffer, const void *bytes, size_t length) {
  if (buffer_reserve(buffer, length) != 0)
    return -1;
  if (length > 0)
    memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
  buffer->bytes[buffer->length] = '\0';
  return 0;
}

int buffer_add_text(struct buffer *buffer, const char *text) {
  return buffer_add(buffer, text, strlen(text));
}

void buffer_clear(struct buffer *buffer) {
  buffer->length = 0;
  if (buffer->bytes != NULL)
    buffer->bytes[0] = '\0';
}

void buffer_free(struct buffer *buffer) {
  free(buffer->bytes);
  buffer->bytes = NULL;
  buffer->length = 0;
  buffer->capacity = 0;
}
