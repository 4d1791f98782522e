/* What JSON text needs before lua-cjson may see it. */
#ifndef MINIMAX_JSONTEXT_H
#define MINIMAX_JSONTEXT_H

#include <stddef.h>

#include "base/buffer.h"

/* Begins each string that is made here. One of the text itself that begins with
 * it has it twice. */
#define JSONTEXT_MARK '\x7f'

enum jsontext_result {
  JSONTEXT_SAME,     /* nothing to mark; `out` is untouched */
  JSONTEXT_MARKED,   /* `out` holds the text with its marks */
  JSONTEXT_NUL,      /* a NUL byte stands outside of strings */
  JSONTEXT_TOO_MANY, /* more values, with the names of fields, than `most` */
  JSONTEXT_NO_MEMORY
};

/* Marks what lua-cjson would spoil, aware of strings and escapes. Each number
 * is quoted: lua-cjson rounds long ones, and reads all by the locale, `[1,5]`
 * as 1.5 where that has a comma: 0.25 becomes "\x7f0.25". What begins like a
 * number and is none is made an error. An empty list, which is read like an
 * empty object, becomes ["\x7f"].
 *
 * And it mends what is wrong with one character, so that no answer is lost for
 * it: half of a surrogate pair, a NUL and bytes that are not UTF-8 become
 * U+FFFD in a string, a backslash that escapes nothing is doubled, NaN and
 * Infinity are null, a byte order mark before the text and NUL bytes behind it
 * go. Other bad JSON passes through for the parser to refuse. */
enum jsontext_result jsontext_mark(const char *text, size_t length, size_t most,
                                   struct buffer *out);

/* Offset of the first byte that is not valid UTF-8 (surrogates, overlong
 * forms and code points above 10FFFF included), or `length`. */
size_t jsontext_utf8_error(const char *text, size_t length);

/* Whether the whole token is a number as JSON has it. */
int jsontext_is_number(const char *token, size_t length);

/* Whether the text is one object or list that is closed, with nothing behind
 * it: nothing that is still to come could change what it says. */
int jsontext_is_closed(const char *text, size_t length);

#endif
