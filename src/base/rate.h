/* A rate budget: at most `count` requests in any window. Configured, or
 * learned from the server's own limit answers.
 * Times are milliseconds on the monotonic clock. */
#ifndef MINIMAX_RATE_H
#define MINIMAX_RATE_H

#include <stdint.h>

#define RATE_LOG    1024  /* departures remembered; no count is larger */
#define RATE_WINDOW 60000 /* the API counts in minutes */

/* Private to rate.c. Two limits hold at once: the caller's own figure, which
 * nothing raises, and what was learned. */
struct rate {
  unsigned ceiling;   /* requests the caller allows in `window`; 0: any */
  uint64_t window;    /* milliseconds */
  unsigned count;     /* requests learned for RATE_WINDOW; 0: nothing known */
  uint64_t held;      /* no departure before this instant (Retry-After) */
  uint64_t changed;   /* when the count was last changed or confirmed */
  uint64_t limited;   /* when the last run of limit answers began */
  unsigned least;     /* that run lowers the count no further than this */
  unsigned refusals;  /* holds in a row that an answer did not end */
  uint64_t promised;  /* the end of a named time too short for a window of a
                       * minute, until it is kept or not believed; or 0 */
  unsigned broken;    /* such times in a row that were not kept */
  int proven;         /* the count has served a whole, full window */
  int probing;        /* the count was raised, and has not served yet */
  unsigned clean;     /* full windows served since it was changed */
  unsigned patience;  /* how many of them to let pass before raising it */
  uint64_t *departed; /* ring of the last departures, allocated when needed:
                       * each instant times two, plus one if it was refused */
  unsigned head, used, capacity; /* next place, places in use, places */
};

/* count 0: no limit until the server answers with one. A count above RATE_LOG
 * is kept as the same rate over a shorter window. */
void rate_init(struct rate *rate, unsigned count, uint64_t window);
void rate_free(struct rate *rate);

/* The first instant at which a request may leave; `now` or earlier means: at
 * once. What was learned does not hold up a request beyond a time that the
 * server named since, as long as that is believed. Each window is taken a
 * little longer than it is (2 %, at least 20 ms), since requests are counted
 * where they arrive. */
uint64_t rate_ready(const struct rate *rate, uint64_t now);

/* A request leaves. 0, or -1 when memory ends (it is then not counted). */
int rate_depart(struct rate *rate, uint64_t now);

/*
 * The server answered with a rate limit; `retry_after` in milliseconds (more
 * than an hour counts as an hour), 0 if it named none: the hold then begins
 * at two seconds and doubles up to fifteen while limits go on.
 *
 * Learns from what was accepted in the window before the refusal: the server
 * allows no more than that, whether its window slides or is fixed. So the
 * count falls to it, by at least one, but to no less than 0.7 of a count that
 * has already served a whole window (then somebody else's requests may be the
 * cause), and never below one a window. Limits within one window are one run:
 * together they lower it no further.
 *
 * But a time so short that a window of a minute would not be free by then says
 * that the limit is of another kind, or was no limit of ours: then there is a
 * hold, and nothing is learned. After two such times in a row that the server
 * did not keep it learns all the same; any other answer ends that row.
 *
 * A plain cut to 0.7 at each limit, with one more a window after it, would run
 * 15 % below the limit on average; this one stays within one of it.
 */
void rate_limited(struct rate *rate, uint64_t now, uint64_t retry_after);

/*
 * The server answered otherwise: after a whole window without a limit that was
 * also used to the full, a learned count grows by one. A raise that the server
 * refuses doubles how many such windows pass before the next (up to 31), one
 * that serves brings that back to one: or a limit of 5 a minute would be
 * answered to every sixth request for ever.
 */
void rate_answered(struct rate *rate, uint64_t now);

#endif
