/* Where the bytes of a download go: into the `.part` file, out to a stream, or
 * into a ring that the owner drains. It checks on the way that they are an MP4.
 */
#ifndef MINIMAX_SINK_H
#define MINIMAX_SINK_H

#include <stddef.h>
#include <stdint.h>

#include "base/mp4.h"
#include "base/ring.h"
#include "net/part.h"

enum sink_result {
  SINK_TAKEN,
  SINK_FULL,      /* the ring has no room now */
  SINK_NOT_VIDEO, /* what came is no MP4 */
  SINK_TOO_LARGE, /* beyond the limit */
  SINK_NO_MEMORY,
  SINK_ERRNO /* `error` says why */
};

/* Writes the bytes without waiting for anybody: 0, or -1 with errno set, 0 for
 * a stream that was closed. */
typedef int sink_outlet(void *stream, const char *bytes, size_t length);

/* Owned by the download; outlives its transfers. */
struct sink {
  int to_file;         /* into `part`, else out or into `ring` */
  sink_outlet *outlet; /* NULL: the owner drains the ring */
  void *stream;        /* for the outlet */
  struct part part;
  struct ring ring;
  struct mp4_walk walk;
  int verify;
  char *asked;       /* the resource that is asked for (resource.h) */
  char *resource;    /* the one whose bytes are here; NULL: unknown */
  char *etag;        /* its entity tag, if strong; NULL: unknown */
  uint64_t total;    /* its size; UINT64_MAX: unknown */
  uint64_t received; /* bytes of the remote file that are safe here */
  uint64_t kept;     /* of them, what an earlier call left behind */
  uint64_t handed;   /* bytes that went out: they can't be taken back */
  uint64_t limit;
  int error; /* errno of SINK_ERRNO; 0: the stream was closed */
};

void sink_init(struct sink *sink, int verify, uint64_t limit);

/* Its bytes go to `part`, which is open: walks what that already holds. -1:
 * errno says why. */
int sink_use_part(struct sink *sink);

/* Before each attempt: the resource that is asked for. Stores where the request
 * may begin: behind the bytes that are here, if they are of that very
 * resource, else at 0. -1: no memory. */
int sink_ask(struct sink *sink, const char *resource, uint64_t *from);

/* At the first byte of a whole file: what the server says of it. An empty
 * sink; `etag` NULL where there is no strong one. */
enum sink_result sink_begin(struct sink *sink, const char *etag,
                            uint64_t total);

enum sink_result sink_write(struct sink *sink, const char *bytes,
                            size_t length);

/* Begins again at byte 0; -1 if bytes were handed over already, or for what
 * `error` says. */
int sink_restart(struct sink *sink);

/* Bytes that the owner may take from the ring now: none before the first box
 * was seen to be right. */
size_t sink_peek(const struct sink *sink, const char **bytes);
void sink_drop(struct sink *sink, size_t length);

/* Whether a write that was refused with SINK_FULL may be tried again. */
int sink_has_room(const struct sink *sink);

/* Whether all that was announced is here, and is a whole video (or need not be
 * one). */
int sink_is_whole(const struct sink *sink);

/* Idempotent; a `.part` with bytes in it stays. */
void sink_close(struct sink *sink);

#endif
