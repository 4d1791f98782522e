/* Walks the top-level boxes of an MP4 as its bytes arrive. It looks at box
 * headers only: what stands inside a box is the player's concern. */
#include "base/mp4.h"

#include <string.h>

#define SHORT_HEADER 8
#define LONG_HEADER  16

/* `ftyp` holds a brand and a version; `uuid` a type of 16 bytes. */
#define FTYP_PAYLOAD 8
#define UUID_PAYLOAD 16

static uint64_t big(const unsigned char *bytes, unsigned length) {
  uint64_t value = 0;
  unsigned i;
  for (i = 0; i < length; i++)
    value = value << 8 | bytes[i];
  return value;
}

static unsigned header_length(const struct mp4_walk *walk) {
  if (walk->collected >= SHORT_HEADER && big(walk->header, 4) == 1)
    return LONG_HEADER;
  return SHORT_HEADER;
}

/* Printable ASCII, or the copyright sign of Apple's types. */
static int is_type(const unsigned char *type) {
  unsigned i;
  for (i = 0; i < 4; i++)
    if ((type[i] < 0x20 || type[i] > 0x7E) && type[i] != 0xA9)
      return 0;
  return 1;
}

static uint64_t least_payload(const unsigned char *type) {
  if (memcmp(type, "ftyp", 4) == 0)
    return FTYP_PAYLOAD;
  return memcmp(type, "uuid", 4) == 0 ? UUID_PAYLOAD : 0;
}

/* Takes a whole header; 0, or -1 if it is not sound. */
static int open_box(struct mp4_walk *walk) {
  const unsigned char *type = walk->header + 4;
  unsigned own = walk->collected;
  uint64_t size = big(walk->header, 4);
  if (size == 1)
    size = big(walk->header + SHORT_HEADER, 8);
  else if (size == 0 && walk->boxes > 0)
    walk->to_end = 1;
  if (!is_type(type))
    return -1;
  if (walk->boxes == 0 && memcmp(type, "ftyp", 4) != 0)
    return -1;
  if (!walk->to_end && (size < own || size - own < least_payload(type)))
    return -1;
  if (memcmp(type, "moov", 4) == 0 || memcmp(type, "moof", 4) == 0)
    walk->index = 1;
  if (memcmp(type, "mdat", 4) == 0)
    walk->media = 1;
  walk->left = walk->to_end ? 0 : size - own;
  walk->collected = 0;
  walk->boxes++;
  return 0;
}

/* Collects header bytes; returns how many it took. */
static size_t collect(struct mp4_walk *walk, const unsigned char *bytes,
                      size_t length) {
  size_t wanted = header_length(walk) - walk->collected;
  if (wanted > length)
    wanted = length;
  memcpy(walk->header + walk->collected, bytes, wanted);
  walk->collected += (unsigned)wanted;
  return wanted;
}

void mp4_begin(struct mp4_walk *walk) {
  memset(walk, 0, sizeof(*walk));
}

int mp4_feed(struct mp4_walk *walk, const void *bytes, size_t length) {
  const unsigned char *next = bytes;
  while (length > 0 && !walk->bad && !walk->to_end) {
    size_t taken;
    if (walk->left > 0) {
      taken = walk->left < length ? (size_t)walk->left : length;
      walk->left -= taken;
    } else {
      taken = collect(walk, next, length);
      if (walk->collected >= SHORT_HEADER &&
          walk->collected == header_length(walk) && open_box(walk) != 0)
        walk->bad = 1;
    }
    next += taken;
    length -= taken;
  }
  return walk->bad ? -1 : 0;
}

uint64_t mp4_skippable(const struct mp4_walk *walk) {
  return walk->to_end ? UINT64_MAX : walk->left;
}

void mp4_skip(struct mp4_walk *walk, uint64_t length) {
  if (length > mp4_skippable(walk))
    walk->bad = 1;
  else if (!walk->to_end)
    walk->left -= length;
}

int mp4_begun(const struct mp4_walk *walk) {
  return walk->boxes > 0;
}

int mp4_ended(const struct mp4_walk *walk) {
  return !walk->bad && walk->index && walk->media && walk->collected == 0 &&
         walk->left == 0;
}

int mp4_is_open(const struct mp4_walk *walk) {
  return walk->to_end;
}
