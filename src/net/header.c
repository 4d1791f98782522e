/* The values of the few response headers that matter here. */
#include "net/header.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"

enum { DAY_MS = 86400000 };

static uint64_t capped(double milliseconds) {
  if (!(milliseconds > 0))
    return 0;
  return milliseconds > (double)DAY_MS ? DAY_MS : (uint64_t)milliseconds;
}

static const char *past_spaces(const char *text) {
  return text + strspn(text, " \t");
}

/* Digits with at most one point; the end is stored. Not strtod: that follows
 * the locale and knows hexadecimal and infinity. */
static double decimal(const char *text, const char **end) {
  double value = 0, scale = 1;
  int point = 0;
  for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
    if (*text == '.') {
      point = 1;
      continue;
    }
    value = value * 10 + (*text - '0');
    scale *= point ? 10 : 1;
  }
  *end = text;
  return value / scale;
}

int64_t header_date(const char *value) {
  return (int64_t)curl_getdate(value, NULL);
}

uint64_t header_retry_after(const char *value, int64_t now) {
  const char *end;
  double number;
  int64_t date;
  value = past_spaces(value);
  if (*value >= '0' && *value <= '9') {
    number = decimal(value, &end);
    end = past_spaces(end);
    if (*end == '\0' || ascii_equal(end, "s"))
      return capped(number * 1000);
    return ascii_equal(end, "ms") ? capped(number) : 0;
  }
  date = header_date(value);
  return date < 0 ? 0 : capped(((double)date - (double)now) * 1000);
}

/* A number of at most 18 digits: no sum of two can run over. */
static int whole_number(const char **text, uint64_t *number) {
  size_t digits = strspn(*text, "0123456789");
  if (digits == 0 || digits > 18)
    return -1;
  *number = strtoull(*text, NULL, 10);
  *text += digits;
  return 0;
}

static int range_bounds(const char **text, struct content_range *range) {
  if (**text == '*') {
    range->first = range->last = HEADER_UNKNOWN;
    ++*text;
    return 0;
  }
  if (whole_number(text, &range->first) < 0 || *(*text)++ != '-')
    return -1;
  return whole_number(text, &range->last);
}

int header_content_range(const char *value, struct content_range *range) {
  value = past_spaces(value);
  if (!ascii_equal_up_to(value, "bytes", 5))
    return -1;
  value = past_spaces(value + 5);
  if (range_bounds(&value, range) < 0 || *value++ != '/')
    return -1;
  range->total = HEADER_UNKNOWN;
  if (*value == '*')
    value++;
  else if (whole_number(&value, &range->total) < 0)
    return -1;
  if (*past_spaces(value) != '\0')
    return -1;
  if (range->first == HEADER_UNKNOWN)
    return 0;
  return range->last < range->first || range->last >= range->total ? -1 : 0;
}

int header_etag_is_strong(const char *value) {
  size_t length = strlen(value);
  if (length < 2 || value[0] != '"' || value[length - 1] != '"')
    return 0;
  for (size_t i = 1; i < length - 1; i++) {
    unsigned char byte = (unsigned char)value[i];
    if (byte <= ' ' || byte == '"' || byte == 0x7F)
      return 0;
  }
  return 1;
}
