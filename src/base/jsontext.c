/* What JSON text needs before lua-cjson may see it: numbers and empty lists
 * marked, and mended what is wrong with a single character. It checks nothing
 * else: that is the parser's work. */
#include "base/jsontext.h"

#include <string.h>

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* What a byte may be, as bits. */
enum {
  PLAIN = 1, /* in a string: stands for itself, and is no mark */
  TOKEN = 2, /* part of a number, or of a word that is run into one */
  BEGIN = 4, /* a value begins with it, or the name of one */
  SOUND = 8, /* between values: needs nothing */
  P = PLAIN,
  T = PLAIN | TOKEN | BEGIN,
  S = PLAIN | SOUND,
  B = BEGIN,                 /* a quote */
  Q = PLAIN | BEGIN,         /* a list */
  W = PLAIN | BEGIN | SOUND, /* an object */
};

/* clang-format off */
static const unsigned char classes[256] = {
    0, P, P, P, P, P, P, P, P, S, S, P, P, S, P, P, /* 00 */
    P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, P, /* 10 */
    S, P, B, P, P, P, P, P, P, P, P, T, S, T, T, P, /* 20 */
    T, T, T, T, T, T, T, T, T, T, S, P, P, P, P, P, /* 30 */
    P, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* 40 */
    T, T, T, T, T, T, T, T, T, T, T, Q, 0, S, P, T, /* 50 */
    P, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* 60 */
    T, T, T, T, T, T, T, T, T, T, T, W, P, S, P, 0, /* 70 */
};
/* clang-format on */

static int is(int class, char c) {
  return classes[(unsigned char)c] & class;
}

/* Offset just after the string whose opening quote stands before `at`. */
static size_t skip_string(const char *text, size_t length, size_t at) {
  for (; at < length && text[at] != '"'; at++)
    if (text[at] == '\\')
      at++;
  return at < length ? at + 1 : length;
}

static size_t skip_token(const char *text, size_t length, size_t at) {
  while (at < length && is(TOKEN, text[at]))
    at++;
  return at;
}

static size_t skip_digits(const char *text, size_t length, size_t at) {
  while (at < length && is_digit(text[at]))
    at++;
  return at;
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

/* Bytes of the character at the begin of the text; 0: it is not valid. */
static size_t character(const char *text, size_t length) {
  const unsigned char *bytes = (const unsigned char *)text;
  unsigned char low, high;
  size_t size = sequence(bytes[0], &low, &high);
  if (size == 0 || size > length)
    return 0;
  if (size > 1 && (bytes[1] < low || bytes[1] > high))
    return 0;
  for (size_t i = 2; i < size; i++)
    if ((bytes[i] & 0xC0) != 0x80)
      return 0;
  return size;
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

static int is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_space(const char *text, size_t length, size_t at) {
  while (at < length && is_space(text[at]))
    at++;
  return at;
}

/* Nothing may stand behind a text but blanks, and NUL bytes of a buffer that
 * was sent whole. */
static int is_rest(const char *text, size_t length, size_t at) {
  while (at < length && (is_space(text[at]) || text[at] == '\0'))
    at++;
  return at == length;
}

/* Bytes of a byte order mark at the begin. */
static size_t order_mark(const char *text, size_t length) {
  static const char mark[] = "\xEF\xBB\xBF";
  return length >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;
}

/* Whether a value may end here; a colon would make a key of the number. */
static int ends_value(const char *text, size_t length, size_t at) {
  at = skip_space(text, length, at);
  return at == length || text[at] == ',' || text[at] == ']' || text[at] == '}';
}

/* ---- the characters of a string ---- */

/* Of what is none. */
#define REPLACEMENT "\xEF\xBF\xBD"

/* The code unit that the escape at the begin of the text names, or -1. */
static long unit_of(const char *text, size_t length) {
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  long unit = 0;
  if (length < 6 || text[0] != '\\' || text[1] != 'u')
    return -1;
  for (int i = 2; i < 6; i++) {
    const char *digit = memchr(digits, text[i], sizeof digits - 1);
    if (!digit)
      return -1;
    unit = unit * 16 + (digit - digits) % 16;
  }
  return unit;
}

/* From a backslash on. Half of a pair, and a NUL, which would end a text of C,
 * are no characters; a backslash that escapes nothing is meant as it is. */
static size_t take_escape(const char *text, size_t length,
                          const char **instead) {
  long unit = unit_of(text, length);
  long next = unit >= 0 ? unit_of(text + 6, length - 6) : -1;
  if (unit < 0) {
    if (length > 1 && text[1] != '\0' && strchr("\"\\/bfnrt", text[1]))
      return 2;
    *instead = "\\\\";
    return 1;
  }
  if (unit >= 0xD800 && unit < 0xDC00 && next >= 0xDC00 && next < 0xE000)
    return 12;
  if (unit == 0 || (unit >= 0xD800 && unit < 0xE000))
    *instead = REPLACEMENT;
  return 6;
}

/* Bytes of the next character, and what must stand `instead` of it. */
static size_t take(const char *text, size_t length, const char **instead) {
  size_t size;
  if (*text == '\\')
    return take_escape(text, length, instead);
  size = *text == '\0' ? 0 : character(text, length);
  if (size > 0)
    return size;
  *instead = REPLACEMENT;
  return 1;
}

/* ---- marks ---- */

/* What is to be done to the text at a place. */
enum change {
  NOTHING,
  QUOTE,   /* a number, or the nothing between the brackets of an empty list */
  SPOIL,   /* what is no number: a parser may take it for one, or not */
  REWRITE, /* a string */
  BLANK,   /* a number that is none, in words: NaN */
  DROP,
  REFUSE
};

struct place {
  enum change change;
  int begins_so; /* a value that begins with the mark, which is doubled then */
  size_t at, end;
};

/* A token, or a word. */
static enum change change_of_token(const char *text, size_t length,
                                   const struct place *place) {
  static const char *const words[] = {"NaN",       "nan", "Infinity",
                                      "-Infinity", "inf", "-inf"};
  const char *token = text + place->at;
  size_t size = place->end - place->at;
  int may_end = ends_value(text, length, place->end);
  if (jsontext_is_number(token, size))
    return may_end ? QUOTE : NOTHING;
  for (size_t i = 0; may_end && i < sizeof words / sizeof *words; i++)
    if (strlen(words[i]) == size && memcmp(words[i], token, size) == 0)
      return BLANK;
  return is_digit(*token) || strchr("+-.", *token) ? SPOIL : NOTHING;
}

/* Whether the string is a value that begins with the mark. */
static int begins_with_mark(const char *text, size_t length,
                            const struct place *place) {
  static const char escaped[] = "\\u007f";
  const char *content = text + place->at + 1;
  size_t size = place->end - place->at;
  int begins_so = size > 2 && content[0] == JSONTEXT_MARK;
  if (size > sizeof escaped && memcmp(content, escaped, 5) == 0)
    begins_so |= content[5] == 'f' || content[5] == 'F';
  return begins_so && ends_value(text, length, place->end);
}

static size_t skip_plain(const char *text, size_t length, size_t at) {
  while (at < length && is(PLAIN, text[at]))
    at++;
  return at;
}

/* Offset behind what stands there, if at first sight it needs nothing: most of
 * a text does not. */
static size_t skip_sound(const char *text, size_t length, size_t here) {
  size_t end = here + 1;
  if (is(SOUND, text[here]))
    return end;
  if (text[here] != '"')
    return here;
  end = skip_plain(text, length, end);
  return end < length && text[end] == '"' ? end + 1 : here;
}

/* A string from its opening quote on. */
static struct place look_at_string(const char *text, size_t length, size_t at) {
  struct place place = {.at = at};
  int is_odd = 0;
  place.end = skip_plain(text, length, at + 1);
  while (place.end < length && text[place.end] != '"') {
    const char *instead = NULL;
    place.end += take(text + place.end, length - place.end, &instead);
    place.end = skip_plain(text, length, place.end);
    is_odd |= instead != NULL;
  }
  place.end += place.end < length;
  place.begins_so = begins_with_mark(text, length, &place);
  place.change = is_odd || place.begins_so ? REWRITE : NOTHING;
  return place;
}

static struct place look_at_token(const char *text, size_t length, size_t at) {
  struct place place = {.at = at, .end = skip_token(text, length, at)};
  place.change = change_of_token(text, length, &place);
  return place;
}

/* Looks at what stands at `here`. */
static struct place look(const char *text, size_t length, size_t here) {
  struct place place = {.at = here, .end = here + 1};
  if (text[here] == '"')
    return look_at_string(text, length, here);
  if (is(TOKEN, text[here]))
    return look_at_token(text, length, here);
  if (text[here] == '[') {
    place.at = place.end = skip_space(text, length, here + 1);
    if (place.at < length && text[place.at] == ']')
      place.change = QUOTE;
  } else if (text[here] == '\0') {
    place.change = is_rest(text, length, here) ? DROP : REFUSE;
    place.end = length;
  } else if (here == 0 && order_mark(text, length) > 0) {
    place.change = DROP;
    place.end = order_mark(text, length);
  }
  return place;
}

static int add_marked(struct buffer *out, const char *token, size_t size) {
  static const char opening[] = {'"', JSONTEXT_MARK};
  if (buffer_add(out, opening, sizeof opening) != 0 ||
      buffer_add(out, token, size) != 0)
    return -1;
  return buffer_add(out, "\"", 1);
}

/* The string with what is odd in it replaced. */
static int add_rewritten(struct buffer *out, const char *text,
                         const struct place *place) {
  static const char mark = JSONTEXT_MARK;
  size_t copied = place->at + 1, at = copied;
  if (buffer_add(out, "\"", 1) != 0 ||
      (place->begins_so && buffer_add(out, &mark, 1) != 0))
    return -1;
  while (at < place->end) {
    const char *instead = NULL;
    size_t size = take(text + at, place->end - at, &instead);
    if (instead) {
      if (buffer_add(out, text + copied, at - copied) != 0 ||
          buffer_add_text(out, instead) != 0)
        return -1;
      copied = at + size;
    }
    at += size;
  }
  return buffer_add(out, text + copied, place->end - copied);
}

/* Adds what stands between `from` and the place, then that, changed. */
static int add_changed(struct buffer *out, const char *text, size_t from,
                       const struct place *place) {
  static const char mark = JSONTEXT_MARK;
  const char *found = text + place->at;
  size_t size = place->end - place->at;
  if (buffer_add(out, text + from, place->at - from) != 0)
    return -1;
  switch (place->change) {
  case QUOTE:
    return add_marked(out, found, size);
  case SPOIL:
    return buffer_add(out, &mark, 1) != 0 ? -1 : buffer_add(out, found, size);
  case REWRITE:
    return add_rewritten(out, text, place);
  case BLANK:
    return buffer_add_text(out, "null");
  default:
    return 0;
  }
}

/* What came out so far is of no use. */
static enum jsontext_result give_up(struct buffer *out, size_t start,
                                    enum jsontext_result result) {
  out->length = start;
  if (out->bytes != NULL)
    out->bytes[start] = '\0';
  return result;
}

enum jsontext_result jsontext_mark(const char *text, size_t length, size_t most,
                                   struct buffer *out) {
  size_t start = out->length, copied = 0, values = 0;
  struct place place;
  for (size_t here = 0; here < length; here = place.end) {
    values += is(BEGIN, text[here]) != 0;
    if (values > most)
      return give_up(out, start, JSONTEXT_TOO_MANY);
    place.end = skip_sound(text, length, here);
    if (place.end > here)
      continue;
    place = look(text, length, here);
    if (place.change == NOTHING)
      continue;
    if (place.change == REFUSE)
      return give_up(out, start, JSONTEXT_NUL);
    if (copied == 0 && buffer_reserve(out, length + 64) != 0)
      return give_up(out, start, JSONTEXT_NO_MEMORY);
    if (add_changed(out, text, copied, &place) != 0)
      return give_up(out, start, JSONTEXT_NO_MEMORY);
    copied = place.end;
  }
  if (copied == 0)
    return JSONTEXT_SAME;
  if (buffer_add(out, text + copied, length - copied) != 0)
    return give_up(out, start, JSONTEXT_NO_MEMORY);
  return JSONTEXT_MARKED;
}

size_t jsontext_utf8_error(const char *text, size_t length) {
  size_t at = 0, size;
  for (; at < length; at += size) {
    size =
        (unsigned char)text[at] < 0x80 ? 1 : character(text + at, length - at);
    if (size == 0)
      break;
  }
  return at;
}

int jsontext_is_closed(const char *text, size_t length) {
  size_t depth = 0, at = skip_space(text, length, order_mark(text, length));
  while (at < length) {
    char c = text[at++];
    if (c == '"')
      at = skip_string(text, length, at);
    else if (c == '{' || c == '[')
      depth++;
    else if ((c == '}' || c == ']') && depth > 0 && --depth == 0)
      return is_rest(text, length, at);
    if (depth == 0)
      return 0;
  }
  return 0;
}
