/* Fuzzes the header values: what is read of a hostile one stays within its
 * bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

#define DAY_MS 86400000

static void check_retry_after(const char *value) {
  uint64_t early = header_retry_after(value, INT64_C(1795000000));
  uint64_t late = header_retry_after(value, INT64_C(1795000060));
  if (early > DAY_MS || late > early)
    abort();
}

static void check_range(const char *value) {
  struct content_range range = {7, 7, 7};
  if (header_content_range(value, &range) < 0)
    return;
  if (range.first == HEADER_UNKNOWN) {
    if (range.last != HEADER_UNKNOWN)
      abort();
    return;
  }
  if (range.first > range.last || range.last >= range.total)
    abort();
  if (strchr(value, '-') == NULL || strchr(value, '/') == NULL)
    abort();
}

static void check_etag(const char *value) {
  if (header_etag_is_strong(value) &&
      (value[0] != '"' || strpbrk(value, "\r\n") != NULL))
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
  char *value = malloc(length + 1);
  if (value == NULL)
    return 0;
  if (length > 0)
    memcpy(value, bytes, length);
  value[length] = '\0';
  check_retry_after(value);
  check_range(value);
  check_etag(value);
  free(value);
  return 0;
}
