/* A rate budget: at most `count` requests in any window. Configured, or
 * learned from the server's own limit answers. Floor 1: plain C.
 * Times are milliseconds on the monotonic clock. */
#ifndef MINIMAX_PACE_H
#define MINIMAX_PACE_H

#include <stdint.h>

#define PACE_LOG 1024 /* departures remembered; also the largest count kept */

struct pace {
  unsigned count;     /* requests a window allows; 0: no limit known */
  uint64_t window;    /* milliseconds */
  int configured;     /* the caller's own figure: never raised above it */
  unsigned ceiling;   /* the configured count, or 0 */
  uint64_t held;      /* no departure before this instant (Retry-After) */
  uint64_t raised;    /* when the learned count was last changed */
  uint64_t *departed; /* ring of the last departures, allocated when needed */
  unsigned head, used;
};

/* count 0: no limit until the server answers with one; the window is then
 * 60 s, which is how this API counts. */
void pace_init(struct pace *pace, unsigned count, uint64_t window);
void pace_free(struct pace *pace);

/* The first instant at which a request may leave; `now` or earlier means: at
 * once. It leaves a small margin, since answers are counted on arrival. */
uint64_t pace_ready(const struct pace *pace, uint64_t now);

/* A request leaves. 0, or -1 when memory ends (it is then not counted). */
int pace_depart(struct pace *pace, uint64_t now);

/* The server answered with a rate limit; `retry_after` in milliseconds, 0 if
 * it named none. Learns: at the first one the count is what the trailing
 * window held, at a later one within the learned count 0.7 of it, never below
 * one a window. Several limits within one window count as one. */
void pace_limited(struct pace *pace, uint64_t now, uint64_t retry_after);

/* The server answered otherwise: after each whole window without a limit a
 * learned count grows by one. */
void pace_answered(struct pace *pace, uint64_t now);

#endif
