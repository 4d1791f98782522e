/* What JSON text needs before lua-cjson may see it: long integers and empty
 * lists marked, NUL bytes and broken UTF-8 found. It checks nothing else: that
 * is the parser's work. */
#include "jsontext.h"

#include <string.h>

/* The fewest digits that a double may round (2^53 has 16). */
#define LONG_DIGITS 16

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* What may belong to a number, or to a word that is run into one. */
static int is_token(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         c == '-' || c == '+' || c == '.' || c == '_';
}

/* Offset just after the string whose opening quote stands before `at`. */
static size_t skip_string(const char *text, size_t length, size_t at) {
  while (at < length) {
    const char *quote = memchr(text + at, '"', length - at);
    size_t end = quote ? (size_t)(quote - text) : length;
    const char *escape = memchr(text + at, '\\', end - at);
    if (!escape)
      return quote ? end + 1 : length;
    at = (size_t)(escape - text) + 2;
  }
  return length;
}

static size_t skip_token(const char *text, size_t length, size_t at) {
  while (at < length && is_token(text[at]))
    at++;
  return at;
}

/* A token is quoted only if it is a sound integer: quotes around `0123…` or
 * `12…x` would make good JSON of bad. */
static int is_long_integer(const char *token, size_t length) {
  size_t at;
  if (length > 0 && token[0] == '-') {
    token++;
    length--;
  }
  if (length < LONG_DIGITS || token[0] == '0')
    return 0;
  for (at = 0; at < length; at++)
    if (!is_digit(token[at]))
      return 0;
  return 1;
}

static size_t skip_space(const char *text, size_t length, size_t at) {
  while (at < length && strchr(" \t\r\n", text[at]) != NULL)
    at++;
  return at;
}

/* Whether a value may end here; a colon would make a key of the number. */
static int ends_value(const char *text, size_t length, size_t at) {
  at = skip_space(text, length, at);
  return at == length || text[at] == ',' || text[at] == ']' || text[at] == '}';
}

/* Adds what stands between `from` and the token, then the token in quotes. */
static int add_quoted(struct buffer *out, const char *text, size_t from,
                      size_t token, size_t end) {
  static const char opening[] = {'"', JSONTEXT_MARK};
  if (buffer_add(out, text + from, token - from) != 0 ||
      buffer_add(out, opening, sizeof(opening)) != 0 ||
      buffer_add(out, text + token, end - token) != 0)
    return -1;
  return buffer_add(out, "\"", 1);
}

/* Finds what is to be marked from *at on; returns 1 and its bounds, or 0: a
 * long integer, or the nothing between the brackets of an empty list. */
static int find_mark(const char *text, size_t length, size_t *at, size_t *end) {
  size_t here = *at;
  while (here < length) {
    if (text[here] == '"') {
      here = skip_string(text, length, here + 1);
    } else if (is_token(text[here])) {
      *end = skip_token(text, length, here);
      *at = here;
      if (is_long_integer(text + here, *end - here) &&
          ends_value(text, length, *end))
        return 1;
      here = *end;
    } else if (text[here] == '[') {
      here = skip_space(text, length, here + 1);
      *at = *end = here;
      if (here < length && text[here] == ']')
        return 1;
    } else {
      here++;
    }
  }
  return 0;
}

enum jsontext_result jsontext_mark(const char *text, size_t length,
                                   struct buffer *out) {
  size_t start = out->length, copied = 0, at = 0, end = 0;
  if (length == 0)
    return JSONTEXT_SAME;
  if (memchr(text, '\0', length) != NULL)
    return JSONTEXT_NUL;
  while (find_mark(text, length, &at, &end)) {
    if (copied == 0 && buffer_reserve(out, length + 64) != 0)
      goto fail;
    if (add_quoted(out, text, copied, at, end) != 0)
      goto fail;
    copied = at = end;
  }
  if (copied == 0)
    return JSONTEXT_SAME;
  if (buffer_add(out, text + copied, length - copied) != 0)
    goto fail;
  return JSONTEXT_MARKED;
fail:
  out->length = start;
  if (out->bytes != NULL)
    out->bytes[start] = '\0';
  return JSONTEXT_NO_MEMORY;
}

/* Bytes of the sequence that begins with `lead` (0: none does), and the
 * bounds of its second byte, which alone tell overlong forms, surrogates and
 * code points that are too large. */
static size_t sequence(unsigned char lead, unsigned char *low,
                       unsigned char *high) {
  *low = 0x80;
  *high = 0xBF;
  if (lead < 0x80)
    return 1;
  if (lead < 0xC2 || lead > 0xF4)
    return 0;
  if (lead < 0xE0)
    return 2;
  if (lead == 0xE0)
    *low = 0xA0;
  else if (lead == 0xED)
    *high = 0x9F;
  else if (lead == 0xF0)
    *low = 0x90;
  else if (lead == 0xF4)
    *high = 0x8F;
  return lead < 0xF0 ? 3 : 4;
}

size_t jsontext_utf8_error(const char *text, size_t length) {
  const unsigned char *bytes = (const unsigned char *)text;
  unsigned char low, high;
  size_t at = 0, size, i;
  while (at < length) {
    if (bytes[at] < 0x80) {
      at++;
      continue;
    }
    size = sequence(bytes[at], &low, &high);
    if (size == 0 || size > length - at)
      return at;
    if (bytes[at + 1] < low || bytes[at + 1] > high)
      return at;
    for (i = 2; i < size; i++)
      if ((bytes[at + i] & 0xC0) != 0x80)
        return at;
    at += size;
  }
  return length;
}

int jsontext_is_plain(const char *text, size_t length) {
  size_t at;
  for (at = 0; at < length; at++)
    if ((unsigned char)text[at] < 0x20 || text[at] == '"' || text[at] == '\\')
      return 0;
  return jsontext_utf8_error(text, length) == length;
}
