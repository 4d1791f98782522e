/* Fuzzes the MP4 walk: whole, byte by byte and with all that may be passed
 * over passed over, it must come to the same end. */
#include <stdlib.h>
#include <string.h>

#include "base/mp4.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void feed_bytewise(struct mp4_walk *walk, const uint8_t *bytes,
                          size_t length) {
  size_t at;
  mp4_begin(walk);
  for (at = 0; at < length; at++)
    mp4_feed(walk, bytes + at, 1);
}

static void feed_headers(struct mp4_walk *walk, const uint8_t *bytes,
                         size_t length) {
  size_t at = 0;
  mp4_begin(walk);
  while (at < length) {
    uint64_t skippable = mp4_skippable(walk);
    if (skippable > length - at)
      skippable = length - at;
    mp4_skip(walk, skippable);
    at += (size_t)skippable;
    if (at < length)
      mp4_feed(walk, bytes + at++, 1);
  }
}

static void compare(const struct mp4_walk *walk, const struct mp4_walk *other) {
  if (walk->bad != other->bad || mp4_begun(walk) != mp4_begun(other) ||
      mp4_ended(walk) != mp4_ended(other) || walk->boxes != other->boxes)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  struct mp4_walk whole, bytewise, headers;
  mp4_begin(&whole);
  if ((mp4_feed(&whole, bytes, length) != 0) != (whole.bad != 0))
    abort();
  feed_bytewise(&bytewise, bytes, length);
  feed_headers(&headers, bytes, length);
  compare(&whole, &bytewise);
  compare(&whole, &headers);
  if (mp4_begun(&whole) && memcmp(bytes + 4, "ftyp", 4) != 0)
    abort();
  return 0;
}
