/* What JSON text needs before lua-cjson may see it. Floor 1: plain C. */
#ifndef MINIMAX_JSONTEXT_H
#define MINIMAX_JSONTEXT_H

#include <stddef.h>

#include "buffer.h"

/* Stands before the digits inside the quotes, so that a number that was
 * quoted here is told from a string that the server sent. */
#define JSONTEXT_MARK '\x7f'

enum jsontext_result {
  JSONTEXT_SAME,   /* nothing to quote; `out` is untouched */
  JSONTEXT_QUOTED, /* `out` holds the text with long integers quoted */
  JSONTEXT_NUL,    /* a NUL byte stands in the text */
  JSONTEXT_NO_MEMORY
};

/* Quotes each integer token of 16 digits and more (lua-cjson before 2.1.0.14
 * rounds them), aware of strings and escapes: 401047179385389059 becomes
 * "\x7f401047179385389059". A sign is kept; a token with a fraction or an
 * exponent is left alone. Invalid JSON passes through for the parser to
 * refuse. */
enum jsontext_result jsontext_quote_integers(const char *text, size_t length,
                                             struct buffer *out);

/* Offset of the first byte that is not valid UTF-8 (surrogates, overlong
 * forms and code points above 10FFFF included), or `length`. */
size_t jsontext_utf8_error(const char *text, size_t length);

/* Whether the text can stand between JSON quotes as it is: valid UTF-8, no
 * control character, no quote, no backslash. */
int jsontext_is_plain(const char *text, size_t length);

#endif
