/* A request body as a list of pieces. */
#include "net/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"

enum { STEP = 12288 }; /* bytes of a file read at once: a multiple of 3 */

static struct body_piece *add_piece(struct body *body, enum body_kind kind) {
  struct body_piece *piece;
  if (body->count == body->capacity) {
    size_t capacity = body->capacity * 2 + 4;
    struct body_piece *grown =
        realloc(body->pieces, capacity * sizeof *body->pieces);
    if (!grown)
      return NULL;
    body->pieces = grown;
    body->capacity = capacity;
  }
  piece = &body->pieces[body->count];
  memset(piece, 0, sizeof *piece);
  piece->kind = kind;
  piece->fd = -1;
  return piece;
}

int body_add_text(struct body *body, const char *text, size_t length) {
  struct body_piece *piece;
  if (length == 0)
    return 0;
  piece = add_piece(body, BODY_TEXT);
  if (!piece || !(piece->text = malloc(length)))
    return -1;
  memcpy(piece->text, text, length);
  piece->size = piece->length = length;
  body->length += length;
  body->count++;
  return 0;
}

static int64_t change_time(const struct stat *status) {
#ifdef __APPLE__
  const struct timespec *at = &status->st_mtimespec;
#else
  const struct timespec *at = &status->st_mtim;
#endif
  return (int64_t)at->tv_sec * 1000000000 + at->tv_nsec;
}

static int open_regular(const char *path, struct stat *status) {
  /* Non-blocking: a FIFO must not hang the host before it is refused. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0)
    return -1;
  if (fstat(fd, status) == 0 && S_ISREG(status->st_mode))
    return fd;
  close(fd);
  errno = S_ISDIR(status->st_mode) ? EISDIR : EINVAL;
  return -1;
}

int body_add_file(struct body *body, const char *path, enum body_kind kind) {
  struct stat status;
  struct body_piece *piece = add_piece(body, kind);
  if (!piece || !(piece->path = strdup(path)))
    return -1;
  memset(&status, 0, sizeof status);
  piece->fd = open_regular(path, &status);
  if (piece->fd < 0) {
    free(piece->path);
    return -1;
  }
  piece->size = (uint64_t)status.st_size;
  piece->changed = change_time(&status);
  piece->length =
      kind == BODY_BASE64 ? base64_length(piece->size) : piece->size;
  body->length += piece->length;
  body->count++;
  return 0;
}

/* A file must be, at its last bytes, what it was when it was announced. */
static int is_unchanged(const struct body_piece *piece) {
  struct stat status;
  return fstat(piece->fd, &status) == 0 && status.st_nlink > 0 &&
         (uint64_t)status.st_size == piece->size &&
         change_time(&status) == piece->changed;
}

/* Exactly `length` bytes of the file at the body's offset, or -1. */
static int read_exactly(const struct body_piece *piece, uint64_t offset,
                        char *out, size_t length) {
  while (length > 0) {
    ssize_t count = pread(piece->fd, out, length, (off_t)offset);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return -1;
    out += count;
    offset += (uint64_t)count;
    length -= (size_t)count;
  }
  return 0;
}

static size_t smaller(uint64_t left, size_t room) {
  return left < room ? (size_t)left : room;
}

/* Each of these stores bytes of one piece from an offset on, both as they are
 * on the wire: at most `length`, which are there, and one at least. It returns
 * how many, or -1 if the file failed. */

static ptrdiff_t read_text(const struct body_piece *piece, uint64_t offset,
                           char *out, size_t length) {
  memcpy(out, piece->text + offset, length);
  return (ptrdiff_t)length;
}

static ptrdiff_t read_file(const struct body_piece *piece, uint64_t offset,
                           char *out, size_t length) {
  return read_exactly(piece, offset, out, length) < 0 ? -1 : (ptrdiff_t)length;
}

/* `groups` of 4 characters each, the first of them the `first` of the file. */
static ptrdiff_t encode(const struct body_piece *piece, uint64_t first,
                        size_t groups, char *out) {
  char bytes[STEP];
  uint64_t offset = first * 3;
  size_t count = smaller(piece->size - offset, groups * 3);
  if (read_exactly(piece, offset, bytes, count) < 0)
    return -1;
  return (ptrdiff_t)base64_encode((unsigned char *)bytes, count, out);
}

static ptrdiff_t read_base64(const struct body_piece *piece, uint64_t offset,
                             char *out, size_t length) {
  char group[4];
  size_t skipped = offset % 4;
  if (skipped == 0 && length >= 4)
    return encode(piece, offset / 4, smaller(length / 4, STEP / 3), out);
  if (encode(piece, offset / 4, 1, group) < 0)
    return -1;
  length = smaller(sizeof group - skipped, length);
  memcpy(out, group + skipped, length);
  return (ptrdiff_t)length;
}

static ptrdiff_t read_piece(struct body *body, char *out, size_t room) {
  static ptrdiff_t (*const readers[])(const struct body_piece *, uint64_t,
                                      char *, size_t) = {
      [BODY_TEXT] = read_text,
      [BODY_FILE] = read_file,
      [BODY_BASE64] = read_base64,
  };
  struct body_piece *piece = &body->pieces[body->piece];
  size_t wanted = smaller(piece->length - body->offset, room);
  ptrdiff_t count = 0;
  if (wanted > 0)
    count = readers[piece->kind](piece, body->offset, out, wanted);
  if (count >= 0 && body->offset + (uint64_t)count < piece->length) {
    body->offset += (uint64_t)count;
    return count;
  }
  if (count < 0 || (piece->kind != BODY_TEXT && !is_unchanged(piece))) {
    body->failed = piece->path;
    return -1;
  }
  body->piece++;
  body->offset = 0;
  return count;
}

ptrdiff_t body_read(struct body *body, char *out, size_t room) {
  size_t stored = 0;
  while (body->piece < body->count && stored < room) {
    ptrdiff_t count = read_piece(body, out + stored, room - stored);
    if (count < 0)
      return -1;
    stored += (size_t)count;
  }
  body->sent += stored;
  return (ptrdiff_t)stored;
}

int body_is_done(const struct body *body) {
  return body->sent == body->length;
}

void body_rewind(struct body *body) {
  body->piece = 0;
  body->offset = body->sent = 0;
  body->failed = NULL;
}

void body_free(struct body *body) {
  for (size_t i = 0; i < body->count; i++) {
    free(body->pieces[i].text);
    free(body->pieces[i].path);
    if (body->pieces[i].fd >= 0)
      close(body->pieces[i].fd);
  }
  free(body->pieces);
  memset(body, 0, sizeof *body);
}
