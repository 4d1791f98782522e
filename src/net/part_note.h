/* The note beside a `.part`: of which remote file its bytes are. Without one
 * that is whole, bytes are never gone on with. */
#ifndef MINIMAX_PART_NOTE_H
#define MINIMAX_PART_NOTE_H

#include <stdint.h>

#define PART_NOTE_UNKNOWN UINT64_MAX

struct part_note {
  char *etag;     /* strong; NULL: unknown */
  char *resource; /* that is what it is an entity tag of */
  uint64_t total; /* size of the remote file; PART_NOTE_UNKNOWN */
};

void part_note_init(struct part_note *note);

/* What an earlier download noted; all unknown where there is nothing that this
 * user wrote and that can be used. */
void part_note_read(struct part_note *note, const char *path);

/* -1: a later call can't go on. */
int part_note_write(const char *path, const char *etag, const char *resource,
                    uint64_t total);

/* Idempotent. */
void part_note_free(struct part_note *note);

#endif
