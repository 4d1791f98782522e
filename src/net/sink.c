/* Where the bytes of a download go. */
#include "net/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_WRITE = 16384 }; /* CURL_MAX_WRITE_SIZE */

void sink_init(struct sink *sink, int verify, uint64_t limit) {
  memset(sink, 0, sizeof *sink);
  part_init(&sink->part);
  mp4_begin(&sink->walk);
  sink->verify = verify;
  sink->limit = limit;
  sink->total = UINT64_MAX;
}

/* Brings the box walk to the end of what an earlier call left behind; it reads
 * about the box headers only. -1: it is no MP4. */
static int walk_file(struct sink *sink) {
  uint64_t at = 0;
  while (at < sink->part.size) {
    char bytes[4096];
    uint64_t left = sink->part.size - at;
    uint64_t skip = mp4_skippable(&sink->walk);
    ptrdiff_t count;
    if (skip > 0) {
      skip = skip < left ? skip : left;
      mp4_skip(&sink->walk, skip);
      at += skip;
      continue;
    }
    count = part_read(&sink->part, at, bytes, sizeof bytes);
    if (count <= 0 || mp4_feed(&sink->walk, bytes, (size_t)count) < 0)
      return -1;
    at += (uint64_t)count;
  }
  return 0;
}

int sink_use_part(struct sink *sink) {
  struct part_note *note = &sink->part.note;
  sink->to_file = 1;
  sink->received = sink->kept = sink->part.size;
  sink->etag = note->etag;
  sink->resource = note->resource;
  sink->total = note->total;
  part_note_init(note);
  if (sink->verify && walk_file(sink) < 0)
    return sink_restart(sink);
  return 0;
}

/* Replaces a text by a copy; -1: no memory. */
static int set_text(char **field, const char *text) {
  char *copy = text ? strdup(text) : NULL;
  if (text && !copy)
    return -1;
  free(*field);
  *field = copy;
  return 0;
}

int sink_ask(struct sink *sink, const char *resource, uint64_t *from) {
  int is_known = sink->etag && sink->resource;
  *from =
      is_known && strcmp(sink->resource, resource) == 0 ? sink->received : 0;
  return set_text(&sink->asked, resource);
}

enum sink_result sink_begin(struct sink *sink, const char *etag,
                            uint64_t total) {
  sink->total = total;
  if (set_text(&sink->etag, etag) < 0 ||
      set_text(&sink->resource, sink->asked) < 0)
    return SINK_NO_MEMORY;
  if (total != UINT64_MAX && total > sink->limit)
    return SINK_TOO_LARGE;
  if (sink->to_file && etag)
    part_note(&sink->part, etag, sink->resource, total);
  return SINK_TAKEN;
}

static enum sink_result write_ring(struct sink *sink, const char *bytes,
                                   size_t length) {
  int result = ring_write(&sink->ring, bytes, length);
  if (result == 0)
    return SINK_TAKEN;
  return result > 0 ? SINK_FULL : SINK_NO_MEMORY;
}

static enum sink_result result_of(struct sink *sink, int written) {
  if (written == 0)
    return SINK_TAKEN;
  sink->error = errno;
  return SINK_ERRNO;
}

static int let_out(struct sink *sink, const char *bytes, size_t length) {
  if (sink->outlet(sink->stream, bytes, length) < 0)
    return -1;
  sink->handed += length;
  return 0;
}

/* The ring held back what came before the first box was seen to be right. */
static int write_out(struct sink *sink, const char *bytes, size_t length) {
  const char *held;
  size_t count;
  while ((count = ring_peek(&sink->ring, &held)) > 0) {
    if (let_out(sink, held, count) < 0)
      return -1;
    ring_drop(&sink->ring, count);
  }
  return let_out(sink, bytes, length);
}

enum sink_result sink_write(struct sink *sink, const char *bytes,
                            size_t length) {
  enum sink_result result;
  struct mp4_walk walk = sink->walk;
  if (length > sink->limit - sink->received)
    return SINK_TOO_LARGE;
  if (sink->verify && mp4_feed(&walk, bytes, length) < 0)
    return SINK_NOT_VIDEO;
  if (sink->to_file)
    result = result_of(sink, part_write(&sink->part, bytes, length));
  else if (sink->outlet && (!sink->verify || mp4_begun(&walk)))
    result = result_of(sink, write_out(sink, bytes, length));
  else
    result = write_ring(sink, bytes, length);
  if (result == SINK_TAKEN) {
    sink->walk = walk;
    sink->received += length;
  }
  return result;
}

int sink_restart(struct sink *sink) {
  if (sink->handed > 0)
    return -1;
  if (sink->to_file && part_restart(&sink->part) < 0) {
    sink->error = errno;
    return -1;
  }
  ring_drop(&sink->ring, sink->ring.used);
  mp4_begin(&sink->walk);
  free(sink->etag);
  free(sink->resource);
  sink->etag = sink->resource = NULL;
  sink->total = UINT64_MAX;
  sink->received = sink->kept = 0;
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
  int is_announced = sink->total != UINT64_MAX;
  if (is_announced && sink->received != sink->total)
    return 0;
  if (!sink->verify)
    return 1;
  return mp4_ended(&sink->walk) && (is_announced || !mp4_is_open(&sink->walk));
}

void sink_close(struct sink *sink) {
  part_close(&sink->part);
  ring_free(&sink->ring);
  free(sink->asked);
  free(sink->resource);
  free(sink->etag);
  sink->asked = sink->resource = sink->etag = NULL;
}
