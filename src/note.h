/* The note beside a `.part`: of which remote file its bytes are. Without one
 * that is whole, bytes are never gone on with. Floor 2. */
#ifndef MINIMAX_NOTE_H
#define MINIMAX_NOTE_H

#include <stdint.h>

#define NOTE_UNKNOWN UINT64_MAX

struct note {
  char *etag;     /* strong; NULL: unknown */
  char *resource; /* that is what it is an entity tag of */
  uint64_t total; /* size of the remote file; NOTE_UNKNOWN */
};

void note_init(struct note *note);

/* What an earlier download noted; all unknown where there is nothing that this
 * user wrote and that can be used. */
void note_read(struct note *note, const char *path);

/* -1: a later call can't go on. */
int note_write(const char *path, const char *etag, const char *resource,
               uint64_t total);

/* Idempotent. */
void note_free(struct note *note);

#endif
