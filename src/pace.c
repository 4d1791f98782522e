/* A rate budget kept as a sliding log of departures: what is inside the
 * trailing window may never exceed the count. */
#include "pace.h"

#include <stdlib.h>
#include <string.h>

#include "retry.h"

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
static uint64_t *place(const struct pace *pace, unsigned back) {
  unsigned at = pace->head + pace->capacity - back;
  return &pace->departed[at % pace->capacity];
}

static uint64_t instant_of(uint64_t entry) {
  return entry >> 1;
}

static int was_refused(uint64_t entry) {
  return (int)(entry & 1);
}

void pace_init(struct pace *pace, unsigned count, uint64_t window) {
  unsigned parts = count == 0 ? 1 : (count - 1) / PACE_LOG + 1;
  memset(pace, 0, sizeof(*pace));
  pace->ceiling = count / parts;
  pace->window = window > parts ? window / parts : 1;
}

void pace_free(struct pace *pace) {
  free(pace->departed);
  pace->departed = NULL;
  pace->head = pace->used = pace->capacity = 0;
}

/* When the trailing window holds fewer than `count`; 0 for no limit. */
static uint64_t freed(const struct pace *pace, unsigned count,
                      uint64_t window) {
  if (count == 0 || pace->used < count)
    return 0;
  return later(instant_of(*place(pace, count)), later(window, slack(window)));
}

/* After a named time one request at a time tries whether it is kept: what left
 * with it would only be refused with it. */
static uint64_t next_trial(const struct pace *pace) {
  uint64_t last = pace->used > 0 ? instant_of(*place(pace, 1)) : 0;
  return last >= pace->promised ? later(last, TRIAL_GAP) : pace->promised;
}

uint64_t pace_ready(const struct pace *pace, uint64_t now) {
  uint64_t ready = pace->held > now ? pace->held : now;
  uint64_t own = freed(pace, pace->ceiling, pace->window);
  uint64_t learned =
      pace->promised ? next_trial(pace) : freed(pace, pace->count, PACE_WINDOW);
  if (own > ready)
    ready = own;
  return learned > ready ? learned : ready;
}

/* Whether the ring's oldest departure can no longer matter. */
static int oldest_is_past(const struct pace *pace, uint64_t now) {
  uint64_t window = pace->window > PACE_WINDOW ? pace->window : PACE_WINDOW;
  uint64_t oldest = instant_of(*place(pace, pace->used));
  return later(oldest, window > UINT64_MAX / 2 ? window : 2 * window) < now;
}

static int grow(struct pace *pace) {
  unsigned capacity = pace->capacity == 0 ? FIRST_LOG : pace->capacity * 2;
  uint64_t *departed = malloc(capacity * sizeof(*departed));
  unsigned i;
  if (departed == NULL)
    return -1;
  for (i = 0; i < pace->used; i++)
    departed[i] = *place(pace, pace->used - i);
  free(pace->departed);
  pace->departed = departed;
  pace->capacity = capacity;
  pace->head = pace->used;
  return 0;
}

int pace_depart(struct pace *pace, uint64_t now) {
  int full = pace->used == pace->capacity;
  if (full && pace->capacity < PACE_LOG &&
      (pace->used == 0 || !oldest_is_past(pace, now))) {
    if (grow(pace) != 0)
      return -1;
    full = 0;
  }
  pace->departed[pace->head] = now * 2;
  pace->head = (pace->head + 1) % pace->capacity;
  if (!full)
    pace->used++;
  return 0;
}

/* Marks the last departure that has not been refused yet; which one it was
 * cannot be told, but the server takes requests in order. Returns when it
 * left. */
static uint64_t mark_refused(struct pace *pace, uint64_t now) {
  unsigned back;
  for (back = 1; back <= pace->used; back++) {
    uint64_t *entry = place(pace, back);
    if (!was_refused(*entry)) {
      *entry |= 1;
      return instant_of(*entry);
    }
  }
  return now;
}

/* Departures of the window that ends at `instant` which were not refused, and
 * the oldest of them, if there is one. */
static unsigned accepted(const struct pace *pace, uint64_t instant,
                         uint64_t *oldest) {
  unsigned back, count = 0;
  for (back = 1; back <= pace->used; back++) {
    uint64_t entry = *place(pace, back);
    if (instant_of(entry) > instant)
      continue;
    if (instant - instant_of(entry) >= PACE_WINDOW)
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
static void hold(struct pace *pace, uint64_t now, uint64_t retry_after) {
  uint64_t until;
  if (retry_after > 0) {
    until = later(now, retry_after < RETRY_NAMED_MOST ? retry_after
                                                      : RETRY_NAMED_MOST);
  } else if (now >= pace->held) {
    unsigned doubled = pace->refusals < 3 ? pace->refusals : 3;
    until = later(now, UINT64_C(PACE_WINDOW / 32) << doubled);
    pace->refusals++;
  } else {
    return;
  }
  if (until > pace->held)
    pace->held = until;
}

/* A new run of limits: how far it may lower the count, and at least how far
 * it does. */
static void begin_run(struct pace *pace, uint64_t now) {
  unsigned count = pace->count;
  pace->limited = pace->changed = now;
  pace->least = pace->proven ? count - (count * 3 + 9) / 10 : 1;
  if (pace->least == 0)
    pace->least = 1;
  if (count > 1)
    pace->count = count - 1;
  if (pace->probing && pace->patience < MOST_PATIENCE)
    pace->patience = pace->patience * 2 + 1;
  pace->proven = pace->probing = 0;
  pace->clean = 0;
}

/* A named time that is too short for a window of a minute: whether it is
 * believed. One is broken where a request left after it and met a limit. */
static int is_believed(struct pace *pace, uint64_t now, uint64_t named) {
  if (pace->promised && instant_of(*place(pace, 1)) >= pace->promised)
    pace->broken++;
  if (pace->broken >= MOST_BROKEN)
    return 0;
  if (pace->probing) /* the raise did not serve, whatever the limit is */
    begin_run(pace, now);
  if (named > pace->promised)
    pace->promised = named;
  return 1;
}

void pace_limited(struct pace *pace, uint64_t now, uint64_t retry_after) {
  uint64_t departed = mark_refused(pace, now);
  uint64_t named = later(now, retry_after);
  uint64_t earliest = later(named, slack(PACE_WINDOW));
  uint64_t oldest = 0;
  unsigned held = accepted(pace, departed, &oldest);
  int first = pace->count == 0;
  hold(pace, now, retry_after);
  if (retry_after == 0 || held == 0 || oldest + PACE_WINDOW <= earliest)
    pace->broken = 0;
  else if (is_believed(pace, now, named))
    return;
  pace->promised = 0;
  if (first && held == 0)
    return; /* others may have used it up: that says nothing of the count */
  if (first || pace->limited == 0 || now - pace->limited >= PACE_WINDOW)
    begin_run(pace, now);
  if (held < pace->least)
    held = pace->least;
  if (first || held < pace->count)
    pace->count = held;
  pace->changed = now;
}

/* Whether the trailing window (a little more, for waits and answers on the
 * way) held as many departures as it may. */
static int is_full(const struct pace *pace, uint64_t now) {
  uint64_t first;
  if (pace->used < pace->count)
    return 0;
  first = instant_of(*place(pace, pace->count));
  return now <= later(first, PACE_WINDOW + PACE_WINDOW / 4);
}

void pace_answered(struct pace *pace, uint64_t now) {
  pace->refusals = pace->broken = 0;
  pace->promised = 0;
  if (pace->count == 0 || pace->count == PACE_LOG ||
      now - pace->changed < PACE_WINDOW || !is_full(pace, now))
    return;
  pace->changed = now;
  pace->proven = 1;
  if (pace->probing)
    pace->patience = 0;
  if (pace->clean++ < pace->patience)
    return;
  pace->clean = 0;
  pace->probing = 1;
  pace->count++;
}
