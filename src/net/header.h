/* The values of the few response headers that matter here. */
#ifndef MINIMAX_HEADER_H
#define MINIMAX_HEADER_H

#include <stdint.h>

#define HEADER_UNKNOWN UINT64_MAX

/* Retry-After in milliseconds: seconds (also with a fraction), "250ms", or an
 * HTTP date measured against `now` (Unix seconds). 0 where it says nothing
 * that can be used; at most a day. */
uint64_t header_retry_after(const char *value, int64_t now);

/* A date as HTTP writes it, in Unix seconds; -1 for anything else. */
int64_t header_date(const char *value);

struct content_range {
  uint64_t first, last; /* HEADER_UNKNOWN for an unsatisfied range */
  uint64_t total;       /* HEADER_UNKNOWN for an asterisk */
};

/* "bytes 100-199/200", "bytes 100-199/" + "*", "bytes" + " *" + "/200".
 * 0, or -1 for anything else. */
int header_content_range(const char *value, struct content_range *range);

/* Whether an ETag may be used to resume: quoted, not weak, and fit to stand in
 * a header (RFC 9110, 8.8.3). */
int header_etag_is_strong(const char *value);

#endif
