/* A rate budget kept as a sliding log of departures: what is inside the
 * trailing window may never exceed the count. */
#include "pace.h"

#include <stdlib.h>

#define FIRST_LOG      16
#define API_WINDOW     UINT64_C(60000)
#define SMALLEST_SLACK UINT64_C(20)
#define MOST_PATIENCE  31

/* Answers are counted when requests arrive, and those may bunch up on the
 * way: so the window is taken a little longer than it is. */
static uint64_t slack(const struct pace *pace) {
  uint64_t share = pace->window / 50;
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
  unsigned parts;
  *pace = (struct pace){.window = window == 0 ? API_WINDOW : window};
  if (count == 0)
    return;
  parts = (count - 1) / PACE_LOG + 1;
  pace->configured = 1;
  pace->count = pace->ceiling = count / parts;
  pace->window = pace->window > parts ? pace->window / parts : 1;
}

void pace_free(struct pace *pace) {
  free(pace->departed);
  pace->departed = NULL;
  pace->head = pace->used = pace->capacity = 0;
}

uint64_t pace_ready(const struct pace *pace, uint64_t now) {
  uint64_t ready = pace->held, freed;
  if (pace->count > 0 && pace->used >= pace->count) {
    freed = instant_of(*place(pace, pace->count)) + pace->window + slack(pace);
    if (freed > ready)
      ready = freed;
  }
  return ready > now ? ready : now;
}

/* Whether the ring's oldest departure can no longer matter. */
static int oldest_is_past(const struct pace *pace, uint64_t now) {
  uint64_t oldest = instant_of(*place(pace, pace->used));
  return later(oldest, 2 * pace->window) < now;
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

/* Departures of the window that ends at `instant` which were not refused. */
static unsigned accepted(const struct pace *pace, uint64_t instant) {
  unsigned back, count = 0;
  for (back = 1; back <= pace->used; back++) {
    uint64_t entry = *place(pace, back);
    if (instant_of(entry) > instant)
      continue;
    if (instant - instant_of(entry) >= pace->window)
      break;
    if (!was_refused(entry))
      count++;
  }
  return count;
}

/* The hold after a limit that names no time. A request that left before the
 * hold began proves nothing about it. Limits here are counted in minutes. */
static void hold(struct pace *pace, uint64_t now, uint64_t retry_after) {
  uint64_t span = pace->window > API_WINDOW ? pace->window : API_WINDOW;
  uint64_t until;
  if (retry_after > 0) {
    until = later(now, retry_after);
  } else if (now >= pace->held) {
    unsigned doubled = pace->refusals < 3 ? pace->refusals : 3;
    until = later(now, (span / 32) << doubled);
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
  pace->limited = now;
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

void pace_limited(struct pace *pace, uint64_t now, uint64_t retry_after) {
  uint64_t departed = mark_refused(pace, now);
  unsigned held = accepted(pace, departed);
  int first = pace->count == 0;
  hold(pace, now, retry_after);
  if (first || pace->limited == 0 || now - pace->limited >= pace->window)
    begin_run(pace, now);
  if (held < pace->least)
    held = pace->least;
  if (first || held < pace->count)
    pace->count = held;
  pace->raised = now;
}

/* Whether the trailing window (a little more, for waits and answers on the
 * way) held as many departures as it may. */
static int is_full(const struct pace *pace, uint64_t now) {
  uint64_t first;
  if (pace->used < pace->count)
    return 0;
  first = instant_of(*place(pace, pace->count));
  return now <= later(first, pace->window + pace->window / 4);
}

void pace_answered(struct pace *pace, uint64_t now) {
  unsigned most = pace->configured ? pace->ceiling : PACE_LOG;
  pace->refusals = 0;
  if (pace->count == 0 || pace->count == most ||
      now - pace->raised < pace->window || !is_full(pace, now))
    return;
  pace->raised = now;
  pace->proven = 1;
  if (pace->probing)
    pace->patience = 0;
  if (pace->clean++ < pace->patience)
    return;
  pace->clean = 0;
  pace->probing = 1;
  pace->count++;
}
