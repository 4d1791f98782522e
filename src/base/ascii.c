/* Letters without regard to case, whatever locale the host has set. */
#include "base/ascii.h"

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

int ascii_equal_up_to(const char *one, const char *other, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if (lower(one[i]) != lower(other[i]))
      return 0;
    if (one[i] == '\0')
      return 1;
  }
  return 1;
}

int ascii_equal(const char *one, const char *other) {
  return ascii_equal_up_to(one, other, (size_t)-1);
}
