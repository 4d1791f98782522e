/* Copies the Lua values of a request into what lua-cjson can encode, and
 * refuses what JSON can't carry. */
#ifndef MINIMAX_ENCODE_H
#define MINIMAX_ENCODE_H

#include <lua.h>
#include <stdint.h>

/* What is known of a request besides its table. */
struct request {
  int kind;           /* enum kind, or MEDIA_NO_KIND */
  uint64_t nonce;     /* nobody can guess it */
  int bare;           /* ids are sent as bare numbers */
  const char *secret; /* for the redactor: a Lua string, anchored meanwhile */
};

/* What a placeholder stands for. */
enum splice {
  SPLICE_JSON = 1, /* a text that is JSON already */
  SPLICE_STRING,   /* a long string, to be quoted */
  SPLICE_FILE      /* the path of a file, to be sent as a data: URL */
};

/* The copy holds a placeholder for each value that lua-cjson must not see; the
 * list at `splices` has what it stands for: { splice, value, MIME type }. */
struct encoder {
  lua_State *L;
  const struct request *request;
  int splices; /* index of the list; 0 in a preview */
  int count;
  int depth;
  size_t path_length;
  char path[160]; /* "media_inputs[1].value", for messages */
};

/* Pushes a copy of the table; -1 with an error pushed. */
int encode_copy(struct encoder *encoder, int table);

/* Replaces the text on top by a placeholder that stands for it; `mime` is that
 * of a file, else NULL. */
void encode_hide(struct encoder *encoder, enum splice splice, const char *mime);

/* Pushes an error about the place where it is; returns -1. */
int encode_refuse(struct encoder *encoder, const char *format,
                  const char *detail);

#endif
