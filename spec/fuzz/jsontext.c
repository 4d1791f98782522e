/* Fuzzes the JSON text checks: taking the marks and their quotes out again
 * must give the text that went in. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Just after the closing quote of the string that has begun. */
static size_t end_of_string(const struct buffer *text, size_t at) {
  while (at < text->length && text->bytes[at] != '"')
    at += text->bytes[at] == '\\' ? 2 : 1;
  return at < text->length ? at + 1 : text->length;
}

/* Undoes `"\x7f1.5"`, `["\x7f"]`, and the mark before what is no number; only
 * for texts that hold no mark of their own, escaped or not. */
static void unmark(const struct buffer *marked, struct buffer *out) {
  size_t at = 0;
  while (at < marked->length) {
    if (marked->bytes[at] == '"' && marked->bytes[at + 1] == JSONTEXT_MARK) {
      const char *digits = marked->bytes + at + 2;
      size_t count = strcspn(digits, "\"");
      if (digits[count] != '"' || strspn(digits, "+-.eE0123456789") != count)
        abort();
      buffer_add(out, digits, count);
      at += count + 3;
    } else if (marked->bytes[at] == JSONTEXT_MARK) {
      at++;
    } else {
      size_t end = at + 1;
      if (marked->bytes[at] == '"')
        end = end_of_string(marked, end);
      buffer_add(out, marked->bytes + at, end - at);
      at = end;
    }
  }
}

/* Whether nothing in the text may need mending, which can't be undone. */
static int is_sound(const char *text, size_t length) {
  static const char *const odd[] = {"\\",  "\xEF\xBB\xBF", "nan",
                                    "NaN", "inf",          "Infinity"};
  if (memchr(text, '\0', length) != NULL ||
      memchr(text, JSONTEXT_MARK, length) != NULL)
    return 0;
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
    if (memmem(text, length, odd[i], strlen(odd[i])) != NULL)
      return 0;
  return jsontext_utf8_error(text, length) == length;
}

static void check_marking(const char *text, size_t length) {
  struct buffer marked = {NULL, 0, 0}, restored = {NULL, 0, 0};
  enum jsontext_result result = jsontext_mark(text, length, SIZE_MAX, &marked);
  int has_nul = length > 0 && memchr(text, '\0', length) != NULL;
  if (result == JSONTEXT_NUL && !has_nul)
    abort();
  if (result == JSONTEXT_SAME && has_nul)
    abort();
  if (result == JSONTEXT_MARKED &&
      memchr(marked.bytes, '\0', marked.length) != NULL)
    abort();
  if (result == JSONTEXT_MARKED &&
      jsontext_utf8_error(text, length) == length &&
      jsontext_utf8_error(marked.bytes, marked.length) != marked.length)
    abort();
  if (result == JSONTEXT_MARKED && is_sound(text, length)) {
    unmark(&marked, &restored);
    if (restored.length != length || memcmp(restored.bytes, text, length) != 0)
      abort();
  }
  buffer_free(&marked);
  buffer_free(&restored);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  const char *text = (const char *)bytes;
  size_t at = jsontext_utf8_error(text, length);
  if (at > length || jsontext_utf8_error(text, at) != at)
    abort();
  check_marking(text, length);
  return 0;
}
