/* Where the bytes of a download go. */
#include "sink.h"

#include <errno.h>
#include <string.h>

enum { LARGEST_WRITE = 16384 }; /* CURL_MAX_WRITE_SIZE */

void sink_init(struct sink *sink, int verify, uint64_t limit) {
  memset(sink, 0, sizeof *sink);
  part_init(&sink->part);
  mp4_begin(&sink->walk);
  sink->verify = verify;
  sink->limit = limit;
}

/* Brings the box walk to the end of what an earlier call left behind; it reads
 * the box headers only. -1: it is no MP4. */
static int walk_file(struct sink *sink) {
  uint64_t at = 0;
  while (at < sink->part.size) {
    char bytes[16];
    uint64_t left = sink->part.size - at;
    uint64_t skip = mp4_skippable(&sink->walk);
    ptrdiff_t count;
    if (skip > 0) {
      skip = skip < left ? skip : left;
      mp4_skip(&sink->walk, skip);
      at += skip;
      continue;
    }
    count = part_read(&sink->part, at, bytes, 1);
    if (count <= 0 || mp4_feed(&sink->walk, bytes, (size_t)count) < 0)
      return -1;
    at += (uint64_t)count;
  }
  return 0;
}

enum part_result sink_open_file(struct sink *sink, const char *path,
                                int overwrite) {
  enum part_result result = part_open(&sink->part, path, overwrite);
  if (result != PART_OK)
    return result;
  sink->to_file = 1;
  sink->received = sink->part.size;
  if (sink->verify && walk_file(sink) < 0 && sink_restart(sink) < 0)
    return PART_ERRNO;
  return PART_OK;
}

static enum sink_result write_ring(struct sink *sink, const char *bytes,
                                   size_t length) {
  int result = ring_write(&sink->ring, bytes, length);
  if (result == 0)
    return SINK_TAKEN;
  return result > 0 ? SINK_FULL : SINK_NO_MEMORY;
}

static enum sink_result write_file(struct sink *sink, const char *bytes,
                                   size_t length) {
  if (part_write(&sink->part, bytes, length) == 0)
    return SINK_TAKEN;
  sink->error = errno;
  return SINK_ERRNO;
}

enum sink_result sink_write(struct sink *sink, const char *bytes,
                            size_t length) {
  enum sink_result result;
  struct mp4_walk walk = sink->walk;
  if (length > sink->limit - sink->received)
    return SINK_TOO_LARGE;
  if (sink->verify && mp4_feed(&walk, bytes, length) < 0)
    return SINK_NOT_VIDEO;
  result = sink->to_file ? write_file(sink, bytes, length)
                         : write_ring(sink, bytes, length);
  if (result == SINK_TAKEN) {
    sink->walk = walk;
    sink->received += length;
  }
  return result;
}

int sink_restart(struct sink *sink) {
  if (sink->handed > 0)
    return -1;
  if (sink->to_file && part_restart(&sink->part) < 0)
    return -1;
  ring_drop(&sink->ring, sink->ring.used);
  mp4_begin(&sink->walk);
  sink->received = 0;
  return 0;
}

size_t sink_peek(const struct sink *sink, const char **bytes) {
  *bytes = NULL;
  if (sink->to_file || (sink->verify && !mp4_begun(&sink->walk)))
    return 0;
  return ring_peek(&sink->ring, bytes);
}

void sink_drop(struct sink *sink, size_t length) {
  ring_drop(&sink->ring, length);
  sink->handed += length;
}

int sink_has_room(const struct sink *sink) {
  return RING_BYTES - sink->ring.used >= RING_BYTES / 2 &&
         RING_BYTES - sink->ring.used >= LARGEST_WRITE;
}

int sink_is_whole(const struct sink *sink) {
  return !sink->verify || mp4_ended(&sink->walk);
}

void sink_close(struct sink *sink) {
  part_close(&sink->part);
  ring_free(&sink->ring);
}
