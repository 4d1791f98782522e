/* The file a download is written to: `<path>.part` beside the final name,
 * locked while it is written, renamed once it is whole. Under the final name
 * there is never anything but a whole file. */
#ifndef MINIMAX_PART_H
#define MINIMAX_PART_H

#include <stddef.h>
#include <stdint.h>

#include "net/part_note.h"

/* All zero but fd = -1 is a closed part (part_init). */
struct part {
  int fd;
  char *path;      /* the final name */
  char *part_path; /* `<path>.part`; shorter where that is too long a name */
  char *note_path; /* and `.etag` after it */
  struct part_note note; /* what an earlier call noted of the bytes in it */
  uint64_t size;         /* bytes written */
  uint64_t pushed;       /* bytes handed to the disk already */
  int overwrite;         /* a file of the final name */
  int held;              /* locked, and its name is ours */
};

enum part_result {
  PART_OK,
  PART_NO_MEMORY,
  PART_NOT_REGULAR, /* the final name is a folder, device, pipe, … */
  PART_EXISTS,      /* and overwriting was not allowed */
  PART_PINNED,      /* the final name can't be taken from what has it */
  PART_LOCKED,      /* another download writes it */
  PART_FOREIGN,     /* the .part is no regular file of this user */
  PART_ERRNO        /* errno says why */
};

void part_init(struct part *part);

/* Opens or creates the .part, and makes it this process's own; `size` and
 * `note` tell what it already holds. Where it fails only the names are left:
 * part_close. */
enum part_result part_open(struct part *part, const char *path, int overwrite);

/* -1: errno says why (the disk is full, …). */
int part_write(struct part *part, const char *bytes, size_t length);

/* Empties it and forgets its origin. */
int part_restart(struct part *part);

/* Remembers which remote file the bytes come from: its strong ETag, what that
 * is an ETag of, and its size (or PART_NOTE_UNKNOWN). */
void part_note(const struct part *part, const char *etag, const char *resource,
               uint64_t total);

/* Reads at an offset; returns bytes, 0 at the end, -1. */
ptrdiff_t part_read(const struct part *part, uint64_t offset, void *out,
                    size_t length);

/* A hash of all that is in it, against chance. -1: errno says why. */
int part_hash(const struct part *part, uint64_t *hash);

/* Syncs it and gives it its final name: PART_OK, PART_EXISTS, PART_ERRNO. */
enum part_result part_finish(struct part *part);

/* Closes it; what was written stays for the next call, an empty one does
 * not. Idempotent. */
void part_close(struct part *part);

#endif
