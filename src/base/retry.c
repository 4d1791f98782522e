/* How long to wait before the next attempt: exponential, with full jitter, so
 * that many clients that failed together do not come back together. */
#include "base/retry.h"

uint64_t retry_random(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return *state * UINT64_C(0x2545F4914F6CDD1D);
}

/* base × 2^attempt, or `cap` where that is less (or does not fit). */
static uint64_t longest(unsigned attempt, uint64_t base, uint64_t cap) {
  if (base == 0)
    return 0;
  if (attempt >= 64 || base > cap >> attempt)
    return cap;
  return base << attempt;
}

uint64_t retry_backoff(unsigned attempt, uint64_t base, uint64_t floor,
                       uint64_t cap, uint64_t *random_state) {
  uint64_t most = longest(attempt, base, cap);
  uint64_t random = retry_random(random_state);
  if (most <= floor)
    return floor;
  if (most - floor == UINT64_MAX)
    return random;
  return floor + random % (most - floor + 1);
}
