/* What JSON text needs before lua-cjson may see it. Floor 1: plain C. */
#ifndef MINIMAX_JSONTEXT_H
#define MINIMAX_JSONTEXT_H

#include <stddef.h>

#include "buffer.h"

/* Begins each string that is made here, so that it is told from one that the
 * server sent. */
#define JSONTEXT_MARK '\x7f'

enum jsontext_result {
  JSONTEXT_SAME,   /* nothing to mark; `out` is untouched */
  JSONTEXT_MARKED, /* `out` holds the text with its marks */
  JSONTEXT_NUL,    /* a NUL byte stands in the text */
  JSONTEXT_NO_MEMORY
};

/* Marks what lua-cjson would spoil, aware of strings and escapes. Each integer
 * token of 16 digits and more (versions before 2.1.0.14 round them) is quoted:
 * 401047179385389059 becomes "\x7f401047179385389059"; a sign is kept, a token
 * with a fraction or an exponent is left alone. An empty list, which is read
 * like an empty object, becomes ["\x7f"]. Invalid JSON passes through for the
 * parser to refuse. */
enum jsontext_result jsontext_mark(const char *text, size_t length,
                                   struct buffer *out);

/* Offset of the first byte that is not valid UTF-8 (surrogates, overlong
 * forms and code points above 10FFFF included), or `length`. */
size_t jsontext_utf8_error(const char *text, size_t length);

/* Whether the text can stand between JSON quotes as it is: valid UTF-8, no
 * control character, no quote, no backslash. */
int jsontext_is_plain(const char *text, size_t length);

#endif
