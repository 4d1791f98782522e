/* A rate budget kept as a sliding log of departures: what is inside the
 * trailing window may never exceed the count. */
#include "base/rate.h"

#include <stdlib.h>
#include <string.h>

#include "base/retry.h"

#define FIRST_LOG      16
#define SMALLEST_SLACK UINT64_C(20)
#define MOST_PATIENCE  31
#define MOST_BROKEN    2 /* promises in a row that are believed no more */
#define TRIAL_GAP      UINT64_C(1000)

/* Requests may bunch up on their way, so a window is taken a little longer
 * than it is. */
static uint64_t slack(uint64_t window) {
  uint64_t share = window / 50;
  return share < SMALLEST_SLACK ? SMALLEST_SLACK : share;
}

static uint64_t later(uint64_t instant, uint64_t delay) {
  return delay > UINT64_MAX - instant ? UINT64_MAX : instant + delay;
}

/* The ring place of the departure `back` places before the next one. */
static uint64_t *place(const struct rate *rate, unsigned back) {
  unsigned at = rate->head + rate->capacity - back;
  return &rate->departed[at % rate->capacity];
}

static uint64_t instant_of(uint64_t entry) {
  return entry >> 1;
}

static int was_refused(uint64_t entry) {
  return (int)(entry & 1);
}

void rate_init(struct rate *rate, unsigned count, uint64_t window) {
  unsigned parts = count == 0 ? 1 : (count - 1) / RATE_LOG + 1;
  memset(rate, 0, sizeof(*rate));
  rate->ceiling = count / parts;
  rate->window = window > parts ? window / parts : 1;
}

void rate_free(struct rate *rate) {
  free(rate->departed);
  rate->departed = NULL;
  rate->head = rate->used = rate->capacity = 0;
}

/* When the trailing window holds fewer than `count`; 0 for no limit. */
static uint64_t freed(const struct rate *rate, unsigned count,
                      uint64_t window) {
  if (count == 0 || rate->used < count)
    return 0;
  return later(instant_of(*place(rate, count)), later(window, slack(window)));
}

/* After a named time one request at a time tries whether it is kept: what left
 * with it would only be refused with it. */
static uint64_t next_trial(const struct rate *rate) {
  uint64_t last = rate->used > 0 ? instant_of(*place(rate, 1)) : 0;
  return last >= rate->promised ? later(last, TRIAL_GAP) : rate->promised;
}

uint64_t rate_ready(const struct rate *rate, uint64_t now) {
  uint64_t ready = rate->held > now ? rate->held : now;
  uint64_t own = freed(rate, rate->ceiling, rate->window);
  uint64_t learned =
      rate->promised ? next_trial(rate) : freed(rate, rate->count, RATE_WINDOW);
  if (own > ready)
    ready = own;
  return learned > ready ? learned : ready;
}

/* Whether the ring's oldest departure can no longer matter. */
static int oldest_is_past(const struct rate *rate, uint64_t now) {
  uint64_t window = rate->window > RATE_WINDOW ? rate->window : RATE_WINDOW;
  uint64_t oldest = instant_of(*place(rate, rate->used));
  return later(oldest, window > UINT64_MAX / 2 ? window : 2 * window) < now;
}

static int grow(struct rate *rate) {
  unsigned capacity = rate->capacity == 0 ? FIRST_LOG : rate->capacity * 2;
  uint64_t *departed = malloc(capacity * sizeof(*departed));
  unsigned i;
  if (departed == NULL)
    return -1;
  for (i = 0; i < rate->used; i++)
    departed[i] = *place(rate, rate->used - i);
  free(rate->departed);
  rate->departed = departed;
  rate->capacity = capacity;
  rate->head = rate->used;
  return 0;
}

int rate_depart(struct rate *rate, uint64_t now) {
  int full = rate->used == rate->capacity;
  if (full && rate->capacity < RATE_LOG &&
      (rate->used == 0 || !oldest_is_past(rate, now))) {
    if (grow(rate) != 0)
      return -1;
    full = 0;
  }
  rate->departed[rate->head] = now * 2;
  rate->head = (rate->head + 1) % rate->capacity;
  if (!full)
    rate->used++;
  return 0;
}

/* Marks the last departure that has not been refused yet; which one it was
 * cannot be told, but the server takes requests in order. Returns when it
 * left. */
static uint64_t mark_refused(struct rate *rate, uint64_t now) {
  unsigned back;
  for (back = 1; back <= rate->used; back++) {
    uint64_t *entry = place(rate, back);
    if (!was_refused(*entry)) {
      *entry |= 1;
      return instant_of(*entry);
    }
  }
  return now;
}

/* Departures of the window that ends at `instant` which were not refused, and
 * the oldest of them, if there is one. */
static unsigned accepted(const struct rate *rate, uint64_t instant,
                         uint64_t *oldest) {
  unsigned back, count = 0;
  for (back = 1; back <= rate->used; back++) {
    uint64_t entry = *place(rate, back);
    if (instant_of(entry) > instant)
      continue;
    if (instant - instant_of(entry) >= RATE_WINDOW)
      break;
    if (was_refused(entry))
      continue;
    *oldest = instant_of(entry);
    count++;
  }
  return count;
}

/* A limit that names no time holds for a part of the window. A request that
 * left before the hold began proves nothing about it. */
static void hold(struct rate *rate, uint64_t now, uint64_t retry_after) {
  uint64_t until;
  if (retry_after > 0) {
    until = later(now, retry_after < RETRY_NAMED_MOST ? retry_after
                                                      : RETRY_NAMED_MOST);
  } else if (now >= rate->held) {
    unsigned doubled = rate->refusals < 3 ? rate->refusals : 3;
    until = later(now, UINT64_C(RATE_WINDOW / 32) << doubled);
    rate->refusals++;
  } else {
    return;
  }
  if (until > rate->held)
    rate->held = until;
}

/* A new run of limits: how far it may lower the count, and at least how far
 * it does. */
static void begin_run(struct rate *rate, uint64_t now) {
  unsigned count = rate->count;
  rate->limited = rate->changed = now;
  rate->least = rate->proven ? count - (count * 3 + 9) / 10 : 1;
  if (rate->least == 0)
    rate->least = 1;
  if (count > 1)
    rate->count = count - 1;
  if (rate->probing && rate->patience < MOST_PATIENCE)
    rate->patience = rate->patience * 2 + 1;
  rate->proven = rate->probing = 0;
  rate->clean = 0;
}

/* A named time that is too short for a window of a minute: whether it is
 * believed. One is broken where a request left after it and met a limit. */
static int is_believed(struct rate *rate, uint64_t now, uint64_t named) {
  if (rate->promised && instant_of(*place(rate, 1)) >= rate->promised)
    rate->broken++;
  if (rate->broken >= MOST_BROKEN)
    return 0;
  if (rate->probing) /* the raise did not serve, whatever the limit is */
    begin_run(rate, now);
  if (named > rate->promised)
    rate->promised = named;
  return 1;
}

void rate_limited(struct rate *rate, uint64_t now, uint64_t retry_after) {
  uint64_t departed = mark_refused(rate, now);
  uint64_t named = later(now, retry_after);
  uint64_t earliest = later(named, slack(RATE_WINDOW));
  uint64_t oldest = 0;
  unsigned held = accepted(rate, departed, &oldest);
  int first = rate->count == 0;
  hold(rate, now, retry_after);
  if (retry_after == 0 || held == 0 || oldest + RATE_WINDOW <= earliest)
    rate->broken = 0;
  else if (is_believed(rate, now, named))
    return;
  rate->promised = 0;
  if (first && held == 0)
    return; /* others may have used it up: that says nothing of the count */
  if (first || rate->limited == 0 || now - rate->limited >= RATE_WINDOW)
    begin_run(rate, now);
  if (held < rate->least)
    held = rate->least;
  if (first || held < rate->count)
    rate->count = held;
  rate->changed = now;
}

/* Whether the trailing window (a little more, for waits and answers on the
 * way) held as many departures as it may. */
static int is_full(const struct rate *rate, uint64_t now) {
  uint64_t first;
  if (rate->used < rate->count)
    return 0;
  first = instant_of(*place(rate, rate->count));
  return now <= later(first, RATE_WINDOW + RATE_WINDOW / 4);
}

void rate_answered(struct rate *rate, uint64_t now) {
  rate->refusals = rate->broken = 0;
  rate->promised = 0;
  if (rate->count == 0 || rate->count == RATE_LOG ||
      now - rate->changed < RATE_WINDOW || !is_full(rate, now))
    return;
  rate->changed = now;
  rate->proven = 1;
  if (rate->probing)
    rate->patience = 0;
  if (rate->clean++ < rate->patience)
    return;
  rate->clean = 0;
  rate->probing = 1;
  rate->count++;
}
