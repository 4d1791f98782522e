/* The file a download is written to. */
#include "part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  NOTE_BYTES = 4096,
  PUSH_BYTES = 8 << 20 /* pushed out by then, the last fsync is short */
};

void part_init(struct part *part) {
  memset(part, 0, sizeof *part);
  part->fd = -1;
}

static char *joined(const char *path, const char *suffix) {
  size_t length = strlen(path) + strlen(suffix) + 1;
  char *text = malloc(length);
  if (text)
    snprintf(text, length, "%s%s", path, suffix);
  return text;
}

/* The folder a path stands in; NULL when memory ends. */
static char *folder_of(const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash)
    return strdup(".");
  return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static enum part_result check_folder(const char *path) {
  enum part_result result = PART_OK;
  char *folder = folder_of(path);
  if (!folder)
    return PART_NO_MEMORY;
  if (access(folder, W_OK | X_OK) < 0)
    result = PART_ERRNO;
  free(folder);
  return result;
}

enum part_result part_check(const char *path, int overwrite) {
  struct stat status;
  const char *slash = strrchr(path, '/');
  if (!*path || (slash && !slash[1]))
    return PART_NOT_REGULAR;
  if (stat(path, &status) == 0) {
    if (!S_ISREG(status.st_mode))
      return PART_NOT_REGULAR;
    if (!overwrite)
      return PART_EXISTS;
  } else if (errno != ENOENT) {
    return PART_ERRNO;
  }
  return check_folder(path);
}

/* Whether the name still leads to the file that was locked: a download that
 * just ended may have renamed it. */
static int is_still_named(const struct part *part) {
  struct stat opened, named;
  return fstat(part->fd, &opened) == 0 && lstat(part->part_path, &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

/* The other name may be that of a whole file, where rename_unless_taken was
 * killed midway: it is not to be written to. */
static int has_other_name(const struct part *part) {
  struct stat status;
  return fstat(part->fd, &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_nlink > 1;
}

static enum part_result open_locked(struct part *part) {
  for (;;) {
    part->fd =
        open(part->part_path,
             O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (part->fd < 0)
      return PART_ERRNO;
    if (flock(part->fd, LOCK_EX | LOCK_NB) < 0)
      return errno == EWOULDBLOCK ? PART_LOCKED : PART_ERRNO;
    if (is_still_named(part)) {
      if (!has_other_name(part))
        return PART_OK;
      if (unlink(part->part_path) < 0)
        return PART_ERRNO;
    }
    close(part->fd);
  }
}

/* Takes the two lines of a note apart; one that was cut short counts for
 * nothing. */
static void take_note(struct part *part, const char *text) {
  const char *middle = strchr(text, '\n');
  const char *end = middle ? strchr(middle + 1, '\n') : NULL;
  if (!end || end[1] || middle == text)
    return;
  part->etag = strndup(text, (size_t)(middle - text));
  part->source = strndup(middle + 1, (size_t)(end - middle - 1));
}

/* What the last download noted. */
static void read_note(struct part *part) {
  char text[NOTE_BYTES + 1];
  ssize_t length;
  int fd =
      open(part->note_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0)
    return;
  length = read(fd, text, NOTE_BYTES);
  close(fd);
  if (length <= 0)
    return;
  text[length] = '\0';
  take_note(part, text);
}

static enum part_result open_part(struct part *part) {
  struct stat status;
  enum part_result result = open_locked(part);
  if (result != PART_OK)
    return result;
  if (fstat(part->fd, &status) < 0)
    return PART_ERRNO;
  if (!S_ISREG(status.st_mode))
    return PART_NOT_REGULAR;
  part->held = 1;
  part->size = part->pushed = (uint64_t)status.st_size;
  read_note(part);
  /* Bytes of unknown origin are never spliced, and a note without bytes must
   * not come to speak for others. */
  if ((part->size == 0 || !part->etag || !part->source) &&
      part_restart(part) < 0)
    return PART_ERRNO;
  return PART_OK;
}

enum part_result part_open(struct part *part, const char *path, int overwrite) {
  enum part_result result = part_check(path, overwrite);
  if (result != PART_OK)
    return result;
  part_close(part);
  part->overwrite = overwrite;
  part->path = strdup(path);
  part->part_path = joined(path, ".part");
  part->note_path = joined(path, ".part.etag");
  if (!part->path || !part->part_path || !part->note_path)
    result = PART_NO_MEMORY;
  else
    result = open_part(part);
  if (result != PART_OK) {
    int error = errno;
    part_close(part);
    errno = error;
  }
  return result;
}

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
  while (length > 0) {
    ssize_t count = pwrite(part->fd, bytes, length, (off_t)part->size);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return -1;
    bytes += count;
    length -= (size_t)count;
    part->size += (uint64_t)count;
  }
  push_out(part);
  return 0;
}

static void forget_note(struct part *part) {
  free(part->etag);
  free(part->source);
  part->etag = part->source = NULL;
  unlink(part->note_path);
}

int part_restart(struct part *part) {
  /* First: bytes without a note are never resumed, a note without bytes does
   * no harm. */
  forget_note(part);
  if (ftruncate(part->fd, 0) < 0)
    return -1;
  part->size = part->pushed = 0;
  return 0;
}

int part_note(const struct part *part, const char *etag, const char *source) {
  char text[NOTE_BYTES];
  int length = snprintf(text, sizeof text, "%s\n%s\n", etag, source);
  ssize_t written;
  int fd;
  if (length < 0 || length >= NOTE_BYTES || strchr(source, '\n'))
    return -1;
  fd = open(part->note_path,
            O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0)
    return -1;
  written = write(fd, text, (size_t)length);
  if (close(fd) == 0 && written == length)
    return 0;
  unlink(part->note_path);
  return -1;
}

ptrdiff_t part_read(const struct part *part, uint64_t offset, void *out,
                    size_t length) {
  return pread(part->fd, out, length, (off_t)offset);
}

/* The rename itself must survive a crash, too. */
static void sync_folder(const char *path) {
  char *folder = folder_of(path);
  int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  free(folder);
  if (fd < 0)
    return;
  fsync(fd);
  close(fd);
}

/* Gives it its final name unless that is taken. */
static int rename_unless_taken(const struct part *part) {
  if (link(part->part_path, part->path) == 0) {
    unlink(part->part_path);
    return 0;
  }
  if (errno == EEXIST)
    return -1;
  /* The file system knows no links: there the look and the rename are two. */
  if (access(part->path, F_OK) < 0)
    return rename(part->part_path, part->path);
  errno = EEXIST;
  return -1;
}

static int rename_it(const struct part *part) {
  if (!is_still_named(part)) { /* what has that name now is not ours */
    errno = ENOENT;
    return -1;
  }
  return part->overwrite ? rename(part->part_path, part->path)
                         : rename_unless_taken(part);
}

enum part_result part_finish(struct part *part) {
  if (fsync(part->fd) < 0) {
    int error = errno;
    part_restart(part); /* nobody knows what of it is on the disk */
    errno = error;
    return PART_ERRNO;
  }
  if (rename_it(part) < 0)
    return errno == EEXIST ? PART_EXISTS : PART_ERRNO;
  part->held = 0;
  unlink(part->note_path);
  sync_folder(part->path);
  return PART_OK;
}

void part_close(struct part *part) {
  if (part->held && part->size == 0 && is_still_named(part)) {
    unlink(part->part_path);
    unlink(part->note_path);
  }
  if (part->fd >= 0) {
    flock(part->fd, LOCK_UN); /* a forked child may hold a copy */
    close(part->fd);
  }
  free(part->path);
  free(part->part_path);
  free(part->note_path);
  free(part->etag);
  free(part->source);
  part_init(part);
}
