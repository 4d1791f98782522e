/* Who may send now: places and rate budgets. */
#include "gate.h"

#include <string.h>

#include "retry.h"

enum {
  RESERVED = 2,       /* places that only reads may take */
  PROBE_FLOOR = 1000, /* ms between two probes of an outage */
  PROBE_BASE = 500
};

void gate_init(struct gate *gate, struct engine *engine, unsigned places) {
  memset(gate, 0, sizeof *gate);
  gate->engine = engine;
  gate->places = places;
  gate->multiplier = 1;
  for (int i = 0; i < LANES; i++)
    pace_init(&gate->lanes[i].pace, 0, 0);
}

void gate_free(struct gate *gate) {
  for (int i = 0; i < LANES; i++)
    pace_free(&gate->lanes[i].pace);
}

static void enqueue(struct gate *gate, struct pass *pass) {
  struct lane *lane = &gate->lanes[pass->lane];
  pass->queued = 1;
  pass->next = NULL;
  pass->previous = lane->last;
  if (lane->last)
    lane->last->next = pass;
  else
    lane->first = pass;
  lane->last = pass;
}

static void dequeue(struct gate *gate, struct pass *pass) {
  struct lane *lane = &gate->lanes[pass->lane];
  pass->queued = 0;
  if (pass->previous)
    pass->previous->next = pass->next;
  else
    lane->first = pass->next;
  if (pass->next)
    pass->next->previous = pass->previous;
  else
    lane->last = pass->previous;
}

static void wake_first(struct gate *gate, enum lane_name name) {
  struct pass *first = gate->lanes[name].first;
  if (first)
    engine_wake(gate->engine, first->waiter);
}

static int has_place(const struct gate *gate, enum lane_name lane) {
  unsigned limit = gate->places;
  if (lane == LANE_QUERY)
    return gate->used < limit * gate->multiplier;
  limit = limit > RESERVED ? limit - RESERVED : 1;
  return gate->bulk_used < limit &&
         gate->used < gate->places * gate->multiplier;
}

/* During an outage one patient read at a time finds out whether it is over. */
static uint64_t probe_due(const struct gate *gate, const struct pass *pass,
                          uint64_t now) {
  if (!pass->patient || gate->failures == 0)
    return 0;
  if (gate->probe)
    return POLLER_NEVER;
  return gate->probe_at > now ? gate->probe_at : 0;
}

/* 0 if the pass may go now, else when to ask again. */
static uint64_t obstacle(const struct gate *gate, const struct pass *pass,
                         uint64_t now) {
  const struct lane *lane = &gate->lanes[pass->lane];
  int in_turn = !lane->first || lane->first == pass;
  uint64_t due;
  /* What a person waits for must not stand behind an outage's queue. */
  int overtakes = !pass->patient && gate->failures > 0;
  if ((!in_turn && !overtakes) || !has_place(gate, pass->lane))
    return POLLER_NEVER;
  due = probe_due(gate, pass, now);
  if (due > 0)
    return due;
  due = pace_ready(&lane->pace, now);
  return due > now ? due : 0;
}

uint64_t gate_ask(struct gate *gate, struct pass *pass, uint64_t now) {
  uint64_t due = obstacle(gate, pass, now);
  if (due > 0) {
    if (!pass->queued)
      enqueue(gate, pass);
    return due;
  }
  if (pass->queued)
    dequeue(gate, pass);
  pass->inside = 1;
  gate->used++;
  gate->bulk_used += pass->lane != LANE_QUERY;
  if (pass->patient && gate->failures > 0)
    gate->probe = pass;
  pace_depart(&gate->lanes[pass->lane].pace, now);
  wake_first(gate, pass->lane);
  return 0;
}

void gate_leave(struct gate *gate, struct pass *pass) {
  if (pass->queued) {
    dequeue(gate, pass);
    wake_first(gate, pass->lane);
  }
  if (!pass->inside)
    return;
  pass->inside = 0;
  gate->used--;
  gate->bulk_used -= pass->lane != LANE_QUERY;
  if (gate->probe == pass)
    gate->probe = NULL;
  for (int i = 0; i < LANES; i++)
    wake_first(gate, (enum lane_name)i);
}

void gate_failed(struct gate *gate, uint64_t now, uint64_t cap) {
  uint64_t wait = retry_backoff(gate->failures, PROBE_BASE, PROBE_FLOOR, cap,
                                &gate->engine->random);
  gate->failures++;
  gate->probe_at = now + wait;
}

void gate_answered(struct gate *gate, enum lane_name lane, uint64_t now) {
  pace_answered(&gate->lanes[lane].pace, now);
  if (lane == LANE_QUERY && gate->failures > 0) {
    gate->failures = 0;
    gate->probe = NULL;
    wake_first(gate, LANE_QUERY);
  }
}

void gate_limited(struct gate *gate, enum lane_name lane, uint64_t now,
                  uint64_t retry_after) {
  pace_limited(&gate->lanes[lane].pace, now, retry_after);
}

void gate_hurry(struct gate *gate, struct pass *pass) {
  struct lane *lane = &gate->lanes[pass->lane];
  if (!pass->queued || lane->first == pass)
    return;
  dequeue(gate, pass);
  pass->queued = 1;
  pass->previous = NULL;
  pass->next = lane->first;
  lane->first->previous = pass;
  lane->first = pass;
}
