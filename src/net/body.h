/* A request body as a list of pieces: text, a file as it is, a file as base64.
 * Its length is known before the first byte leaves, and no file is ever held
 * in memory. */
#ifndef MINIMAX_BODY_H
#define MINIMAX_BODY_H

#include <stddef.h>
#include <stdint.h>

enum body_kind { BODY_TEXT, BODY_FILE, BODY_BASE64 };

struct body_piece {
  enum body_kind kind;
  char *text;      /* BODY_TEXT: owned */
  char *path;      /* otherwise: owned, for messages */
  int fd;          /* owned; -1 for text */
  uint64_t size;   /* bytes of the text or of the file */
  uint64_t length; /* bytes on the wire */
  int64_t changed; /* the file's change time in nanoseconds, when opened */
};

/* All zero is an empty body. It owns its pieces. */
struct body {
  struct body_piece *pieces;
  size_t count, capacity;
  uint64_t length;    /* bytes on the wire */
  uint64_t sent;      /* bytes handed out */
  size_t piece;       /* the one being sent */
  uint64_t offset;    /* bytes of it already sent, as on the wire */
  const char *failed; /* path of a file that changed or can't be read */
};

/* All return 0, or -1: no memory, or errno says why the file can't be used.
 * A path must be a regular file. */
int body_add_text(struct body *body, const char *text, size_t length);
int body_add_file(struct body *body, const char *path, enum body_kind kind);

/* The next bytes: as many as there is room for, or all that are left; so 0
 * without room and at the end. -1 if a file failed (its last byte is held back
 * then, so no request is ever complete with it). */
ptrdiff_t body_read(struct body *body, char *out, size_t room);

/* Whether the last byte was handed out. */
int body_is_done(const struct body *body);

/* From the start again. */
void body_rewind(struct body *body);

void body_free(struct body *body);

#endif
