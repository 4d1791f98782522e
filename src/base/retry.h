/* How long to wait before the next attempt. */
#ifndef MINIMAX_RETRY_H
#define MINIMAX_RETRY_H

#include <stdint.h>

/* ms: the usual figures of retry_backoff; and what lies at least between two
 * polls of one task that fail, or two probes of an outage. */
#define RETRY_BASE  UINT64_C(500)
#define RETRY_CAP   UINT64_C(30000)
#define RETRY_FLOOR UINT64_C(1000)

/* ms. A server that names a time (Retry-After) is believed for so long; and of
 * what is longer than the other a warning tells. */
#define RETRY_NAMED_MOST UINT64_C(3600000)
#define RETRY_NAMED_SAID UINT64_C(60000)

/* A small random generator (xorshift64*); the state must not be zero. */
uint64_t retry_random(uint64_t *state);

/* Full jitter: a random number of milliseconds in [floor, min(cap, base ×
 * 2^attempt)], never below `floor`; attempt counts from 0. */
uint64_t retry_backoff(unsigned attempt, uint64_t base, uint64_t floor,
                       uint64_t cap, uint64_t *random_state);

#endif
