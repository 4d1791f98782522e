/* What JSON text needs before lua-cjson may see it: numbers and empty lists
 * marked, NUL bytes and broken UTF-8 found. It checks nothing else: that is the
 * parser's work. */
#include "jsontext.h"

#include <string.h>

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
  for (; at < length && text[at] != '"'; at++)
    if (text[at] == '\\')
      at++;
  return at < length ? at + 1 : length;
}

static size_t skip_token(const char *text, size_t length, size_t at) {
  while (at < length && is_token(text[at]))
    at++;
  return at;
}

static size_t skip_digits(const char *text, size_t length, size_t at) {
  while (at < length && is_digit(text[at]))
    at++;
  return at;
}

int jsontext_is_number(const char *token, size_t length) {
  size_t at = length > 0 && token[0] == '-';
  size_t digits = at;
  at = skip_digits(token, length, at);
  if (at == digits || (token[digits] == '0' && at > digits + 1))
    return 0;
  if (at < length && token[at] == '.') {
    digits = at + 1;
    at = skip_digits(token, length, digits);
    if (at == digits)
      return 0;
  }
  if (at < length && (token[at] == 'e' || token[at] == 'E')) {
    at++;
    at += at < length && (token[at] == '+' || token[at] == '-');
    digits = at;
    at = skip_digits(token, length, digits);
    if (at == digits)
      return 0;
  }
  return at == length;
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

/* What is to be done to the text at a place. */
enum change {
  NOTHING,
  QUOTE, /* a number, or the nothing between the brackets of an empty list */
  SPOIL, /* what is no number: a parser may take it for one, or not */
  DOUBLE /* the mark that a string of the text itself begins with */
};

struct place {
  enum change change;
  size_t at, end;
};

/* A token, or a word: NaN is the parser's to refuse, as any other. */
static enum change change_of_token(const char *text, size_t length,
                                   const struct place *place) {
  char first = text[place->at];
  if (!jsontext_is_number(text + place->at, place->end - place->at))
    return is_digit(first) || strchr("+-.", first) ? SPOIL : NOTHING;
  return ends_value(text, length, place->end) ? QUOTE : NOTHING;
}

/* A string from its opening quote on. */
static enum change change_of_string(const char *text, size_t length,
                                    const struct place *place) {
  static const char escaped[] = "\\u007f";
  const char *content = text + place->at + 1;
  size_t size = place->end - place->at;
  int begins_so = size > 2 && content[0] == JSONTEXT_MARK;
  if (size > sizeof escaped && memcmp(content, escaped, 5) == 0)
    begins_so |= content[5] == 'f' || content[5] == 'F';
  return begins_so && ends_value(text, length, place->end) ? DOUBLE : NOTHING;
}

/* Looks at what stands at `here`. */
static struct place look(const char *text, size_t length, size_t here) {
  struct place place = {NOTHING, here, here + 1};
  if (text[here] == '"') {
    place.end = skip_string(text, length, here + 1);
    place.change = change_of_string(text, length, &place);
  } else if (is_token(text[here])) {
    place.end = skip_token(text, length, here);
    place.change = change_of_token(text, length, &place);
  } else if (text[here] == '[') {
    place.at = place.end = skip_space(text, length, here + 1);
    if (place.at < length && text[place.at] == ']')
      place.change = QUOTE;
  }
  return place;
}

/* Adds what stands between `from` and the place, then that, changed. */
static int add_changed(struct buffer *out, const char *text, size_t from,
                       const struct place *place) {
  static const char opening[] = {'"', JSONTEXT_MARK};
  const char *found = text + place->at;
  size_t size = place->end - place->at;
  if (buffer_add(out, text + from, place->at - from) != 0)
    return -1;
  switch (place->change) {
  case SPOIL:
    if (buffer_add(out, opening + 1, 1) != 0)
      return -1;
    break;
  case DOUBLE:
    found++;
    size--;
    if (buffer_add(out, opening, sizeof opening) != 0)
      return -1;
    break;
  default:
    if (buffer_add(out, opening, sizeof opening) != 0 ||
        buffer_add(out, found, size) != 0)
      return -1;
    found = "\"";
    size = 1;
    break;
  }
  return buffer_add(out, found, size);
}

enum jsontext_result jsontext_mark(const char *text, size_t length,
                                   struct buffer *out) {
  size_t start = out->length, copied = 0;
  struct place place;
  if (length == 0)
    return JSONTEXT_SAME;
  if (memchr(text, '\0', length) != NULL)
    return JSONTEXT_NUL;
  for (size_t here = 0; here < length; here = place.end) {
    place = look(text, length, here);
    if (place.change == NOTHING)
      continue;
    if (copied == 0 && buffer_reserve(out, length + 64) != 0)
      goto fail;
    if (add_changed(out, text, copied, &place) != 0)
      goto fail;
    copied = place.end;
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

int jsontext_is_closed(const char *text, size_t length) {
  size_t depth = 0, at = skip_space(text, length, 0);
  while (at < length) {
    char c = text[at++];
    if (c == '"')
      at = skip_string(text, length, at);
    else if (c == '{' || c == '[')
      depth++;
    else if ((c == '}' || c == ']') && depth > 0 && --depth == 0)
      return skip_space(text, length, at) == length;
    if (depth == 0)
      return 0;
  }
  return 0;
}
