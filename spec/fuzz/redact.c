/* Fuzzes the redaction: what comes out holds no secret, no control character
 * and no broken UTF-8. The first byte of the input says how long the secret
 * is, which follows it; what is left is the text. */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsontext.h"
#include "base/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define LONGEST 15

/* Letters and digits only: what the redaction writes holds no four of them in
 * a row, so a secret in the output is one that came through. */
static size_t take_secret(const uint8_t *bytes, size_t length, char *secret) {
  size_t count = 0, wanted = length == 0 ? 0 : bytes[0] & LONGEST;
  while (count < wanted && count + 1 < length && isalnum(bytes[count + 1])) {
    secret[count] = (char)bytes[count + 1];
    count++;
  }
  secret[count] = '\0';
  return count;
}

/* A question mark may also stand for a byte that was not UTF-8: not here. */
static void check_query(const char *text) {
  const char *query = strstr(text, "https://a.io/?");
  if (query != NULL && strncmp(query + 14, "[cut]", 5) != 0 &&
      strncmp(query + 14, "[key]", 5) != 0)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  char secret[LONGEST + 1];
  size_t taken = take_secret(bytes, length, secret), at;
  size_t skipped = length == 0 ? 0 : taken + 1;
  const char *text = (const char *)bytes + skipped;
  struct buffer out = {NULL, 0, 0};
  if (redact_text(text, length - skipped, secret, &out) != 0)
    abort();
  if (jsontext_utf8_error(out.bytes, out.length) != out.length)
    abort();
  for (at = 0; at < out.length; at++)
    if ((unsigned char)out.bytes[at] < 0x20 || out.bytes[at] == 0x7F)
      abort();
  if (taken >= 4 && strstr(out.bytes, secret) != NULL)
    abort();
  if (jsontext_utf8_error(text, length - skipped) == length - skipped)
    check_query(out.bytes);
  buffer_free(&out);
  return 0;
}
