/* Fuzzes the JSON text checks: taking the marks and their quotes out again
 * must give the text that went in. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jsontext.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Undoes `"\x7f123"`; only for texts that hold no mark of their own. */
static void unquote(const struct buffer *quoted, struct buffer *out) {
  size_t at = 0;
  while (at < quoted->length) {
    if (quoted->bytes[at] == '"' && quoted->bytes[at + 1] == JSONTEXT_MARK) {
      const char *digits = quoted->bytes + at + 2;
      size_t count = strcspn(digits, "\"");
      if (count < 16 || digits[count] != '"' ||
          strspn(digits, "-0123456789") != count)
        abort();
      buffer_add(out, digits, count);
      at += count + 3;
    } else {
      buffer_add(out, quoted->bytes + at++, 1);
    }
  }
}

static void check_quoting(const char *text, size_t length) {
  struct buffer quoted = {NULL, 0, 0}, restored = {NULL, 0, 0};
  enum jsontext_result result = jsontext_quote_integers(text, length, &quoted);
  int has_nul = length > 0 && memchr(text, '\0', length) != NULL;
  if ((result == JSONTEXT_NUL) != has_nul)
    abort();
  if (result != JSONTEXT_QUOTED && quoted.bytes != NULL)
    abort();
  if (result == JSONTEXT_QUOTED &&
      memchr(text, JSONTEXT_MARK, length) == NULL) {
    unquote(&quoted, &restored);
    if (restored.length != length || memcmp(restored.bytes, text, length) != 0)
      abort();
  }
  buffer_free(&quoted);
  buffer_free(&restored);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  const char *text = (const char *)bytes;
  size_t at = jsontext_utf8_error(text, length);
  if (at > length || jsontext_utf8_error(text, at) != at)
    abort();
  if (jsontext_is_plain(text, length) && at != length)
    abort();
  check_quoting(text, length);
  return 0;
}
