/* The file a download is written to. */
#include "net/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "net/file.h"
#include "net/rename.h"

enum {
  LONGEST_NAME = 255,
  PUSH_BYTES = 8 << 20 /* pushed out by then, the last fsync is short */
};

#define PART_SUFFIX ".part"
#define NOTE_SUFFIX ".part.etag"

void part_init(struct part *part) {
  memset(part, 0, sizeof *part);
  part->fd = -1;
  part_note_init(&part->note);
}

/* ---- its names ---- */

/* How long the name of a file beside `path` may be. */
static size_t longest_name(const char *path) {
  char *folder = rename_folder(path);
  long most = folder ? pathconf(folder, _PC_NAME_MAX) : -1;
  free(folder);
  return most > 0 ? (size_t)most : LONGEST_NAME;
}

/* How much of a path stays where a hash stands for its end: whole characters
 * of UTF-8. */
static size_t kept_length(const char *path, size_t length) {
  while (length > 0 && (path[length] & 0xC0) == 0x80)
    length--;
  return length;
}

/* What the names begin with: the path itself, if the longest fits. */
static char *stem_of(const char *path) {
  const char *slash = strrchr(path, '/');
  size_t folder = slash ? (size_t)(slash + 1 - path) : 0;
  size_t name = strlen(path + folder);
  size_t most = longest_name(path);
  size_t tail = strlen(NOTE_SUFFIX);
  char hash[24];
  char *stem;
  if (name > most || name + tail <= most)
    return strdup(path);
  tail += (size_t)snprintf(
      hash, sizeof hash, "~%016llx",
      (unsigned long long)hash_add(HASH_EMPTY, path + folder, name));
  folder = kept_length(path, folder + (most > tail ? most - tail : 0));
  stem = malloc(folder + sizeof hash);
  if (stem)
    snprintf(stem, folder + sizeof hash, "%.*s%s", (int)folder, path, hash);
  return stem;
}

static char *joined(const char *stem, const char *suffix) {
  size_t length = strlen(stem) + strlen(suffix) + 1;
  char *text = malloc(length);
  if (text)
    snprintf(text, length, "%s%s", stem, suffix);
  return text;
}

/* -1: no memory. */
static int set_names(struct part *part, const char *path) {
  char *stem = stem_of(path);
  part->path = strdup(path);
  part->part_path = stem ? joined(stem, PART_SUFFIX) : NULL;
  part->note_path = stem ? joined(stem, NOTE_SUFFIX) : NULL;
  free(stem);
  return part->path && part->part_path && part->note_path ? 0 : -1;
}

/* ---- letting go of it ---- */

/* Whether the name still leads to the file that was locked: a download that
 * just ended may have renamed it. */
static int is_still_named(const struct part *part) {
  struct stat opened, named;
  return fstat(part->fd, &opened) == 0 && lstat(part->part_path, &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/* Whether a later call could go on with it. */
static int is_worth_keeping(const struct part *part) {
  return part->size > 0 && file_is_ours(part->fd);
}

static void let_go(struct part *part) {
  if (part->held && !is_worth_keeping(part) && is_still_named(part)) {
    unlink(part->part_path);
    unlink(part->note_path);
  }
  part->held = 0;
  if (part->fd < 0)
    return;
  flock(part->fd, LOCK_UN); /* a forked child may hold a copy */
  close(part->fd);
  part->fd = -1;
}

/* ---- its beginning ---- */

/* The other name may be that of a whole file, where a rename that replaces
 * nothing was killed midway: it is not to be written to. */
static int has_other_name(const struct part *part) {
  struct stat status;
  return fstat(part->fd, &status) == 0 && status.st_nlink > 1;
}

/* Opens what has the name already. */
static enum part_result open_old(struct part *part) {
  struct stat status;
  if (lstat(part->part_path, &status) < 0)
    return PART_ERRNO;
  if (!S_ISREG(status.st_mode) || status.st_uid != geteuid())
    return PART_FOREIGN;
  part->fd = file_open(part->part_path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  if (part->fd < 0)
    return PART_ERRNO;
  return file_is_ours(part->fd) ? PART_OK : PART_FOREIGN;
}

/* One that was made just now is ours, whatever owner the file system names. */
static enum part_result open_any(struct part *part, int *made) {
  enum part_result result;
  do {
    part->fd =
        file_open(part->part_path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
    *made = part->fd >= 0;
    if (*made)
      return PART_OK;
    if (errno != EEXIST)
      return PART_ERRNO;
    result = open_old(part);
  } while (result == PART_ERRNO && errno == ENOENT); /* it is gone by now */
  return result;
}

/* Whether it may be written to; *again: only another one may. */
static enum part_result lock(struct part *part, int made, int *again) {
  enum file_lock state = file_lock(part->fd);
  if (state == FILE_TAKEN)
    return PART_LOCKED;
  if (state == FILE_ERRNO) {
    part->held = made;
    return PART_ERRNO;
  }
  *again = !is_still_named(part);
  if (*again)
    return PART_OK;
  /* Without locks nobody knows who writes to an old one. */
  *again = has_other_name(part) || (state == FILE_NO_LOCKS && !made);
  return *again && unlink(part->part_path) < 0 ? PART_ERRNO : PART_OK;
}

static enum part_result open_locked(struct part *part) {
  for (;;) {
    int made = 0, again = 0;
    enum part_result result = open_any(part, &made);
    if (result == PART_OK)
      result = lock(part, made, &again);
    if (result != PART_OK || !again)
      return result;
    close(part->fd);
    part->fd = -1;
  }
}

/* Bytes of unknown origin are never spliced, and a note without bytes must not
 * come to speak for others. */
static int is_of_use(const struct part *part) {
  const struct part_note *note = &part->note;
  return part->size > 0 && note->etag && note->resource &&
         part->size <= note->total;
}

static enum part_result open_part(struct part *part) {
  struct stat status;
  enum part_result result = open_locked(part);
  if (result != PART_OK)
    return result;
  part->held = 1;
  if (fstat(part->fd, &status) < 0)
    return PART_ERRNO;
  part->size = part->pushed = (uint64_t)status.st_size;
  part_note_read(&part->note, part->note_path);
  return is_of_use(part) || part_restart(part) == 0 ? PART_OK : PART_ERRNO;
}

static enum part_result result_of(enum rename_result result) {
  switch (result) {
  case RENAME_OK:
    return PART_OK;
  case RENAME_NO_MEMORY:
    return PART_NO_MEMORY;
  case RENAME_NOT_REGULAR:
    return PART_NOT_REGULAR;
  case RENAME_EXISTS:
    return PART_EXISTS;
  case RENAME_PINNED:
    return PART_PINNED;
  case RENAME_ERRNO:
    return PART_ERRNO;
  }
  return PART_ERRNO;
}

enum part_result part_open(struct part *part, const char *path, int overwrite) {
  enum part_result result;
  part_close(part);
  part->overwrite = overwrite;
  if (set_names(part, path) < 0)
    return PART_NO_MEMORY;
  result = result_of(rename_check(path, overwrite));
  if (result == PART_OK)
    result = open_part(part);
  if (result != PART_OK) {
    int error = errno;
    let_go(part);
    errno = error;
  }
  return result;
}

/* ---- its bytes ---- */

static void push_out(struct part *part) {
#ifdef __linux__
  if (part->size - part->pushed < PUSH_BYTES)
    return;
  sync_file_range(part->fd, (off_t)part->pushed,
                  (off_t)(part->size - part->pushed), SYNC_FILE_RANGE_WRITE);
  part->pushed = part->size;
#else
  (void)part;
#endif
}

int part_write(struct part *part, const char *bytes, size_t length) {
  if (file_write(part->fd, part->size, bytes, length) < 0)
    return -1;
  part->size += length;
  push_out(part);
  return 0;
}

int part_restart(struct part *part) {
  /* First: bytes without a note are never resumed, a note without bytes does
   * no harm. */
  part_note_free(&part->note);
  unlink(part->note_path);
  if (file_truncate(part->fd) < 0)
    return -1;
  part->size = part->pushed = 0;
  return 0;
}

void part_note(const struct part *part, const char *etag, const char *resource,
               uint64_t total) {
  part_note_write(part->note_path, etag, resource, total);
}

ptrdiff_t part_read(const struct part *part, uint64_t offset, void *out,
                    size_t length) {
  return file_read(part->fd, offset, out, length);
}

int part_hash(const struct part *part, uint64_t *hash) {
  char bytes[16384];
  uint64_t at = 0;
  *hash = HASH_EMPTY;
  while (at < part->size) {
    ptrdiff_t count = part_read(part, at, bytes, sizeof bytes);
    if (count == 0)
      errno = EIO; /* somebody made it shorter */
    if (count <= 0)
      return -1;
    *hash = hash_add(*hash, bytes, (size_t)count);
    at += (uint64_t)count;
  }
  return 0;
}

/* ---- its end ---- */

enum part_result part_finish(struct part *part) {
  enum part_result result;
  if (file_sync(part->fd) < 0) {
    int error = errno;
    part_restart(part); /* nobody knows what of it is on the disk */
    errno = error;
    return PART_ERRNO;
  }
  if (!is_still_named(part)) { /* what has that name now is not ours */
    errno = ENOENT;
    return PART_ERRNO;
  }
  result = result_of(rename_to(part->part_path, part->path, part->overwrite));
  if (result == PART_OK) {
    part->held = 0;
    unlink(part->note_path);
  }
  return result;
}

void part_close(struct part *part) {
  let_go(part);
  free(part->path);
  free(part->part_path);
  free(part->note_path);
  part_note_free(&part->note);
  part_init(part);
}
