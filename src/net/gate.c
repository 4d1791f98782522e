/* Who may send now: places and rate budgets. */
#include "net/gate.h"

#include <string.h>

#include "base/retry.h"

enum {
  RESERVED = 2 /* places that only reads may take */
};

void gate_init(struct gate *gate, struct engine *engine, unsigned places) {
  memset(gate, 0, sizeof *gate);
  gate->engine = engine;
  gate->places = places;
  gate->multiplier = 1;
  for (int i = 0; i < LANES; i++)
    rate_init(&gate->lanes[i].rate, 0, 0);
}

void gate_free(struct gate *gate) {
  for (int i = 0; i < LANES; i++)
    rate_free(&gate->lanes[i].rate);
}

static struct queue *queue_of(struct gate *gate, const struct pass *pass) {
  return &gate->lanes[pass->lane].queues[pass->patient];
}

/* Puts it before `next`, or at the end. */
static void enqueue(struct gate *gate, struct pass *pass, struct pass *next) {
  struct queue *queue = queue_of(gate, pass);
  pass->queued = 1;
  pass->next = next;
  pass->previous = next ? next->previous : queue->last;
  if (pass->previous)
    pass->previous->next = pass;
  else
    queue->first = pass;
  if (next)
    next->previous = pass;
  else
    queue->last = pass;
}

static void dequeue(struct gate *gate, struct pass *pass) {
  struct queue *queue = queue_of(gate, pass);
  pass->queued = 0;
  if (pass->previous)
    pass->previous->next = pass->next;
  else
    queue->first = pass->next;
  if (pass->next)
    pass->next->previous = pass->previous;
  else
    queue->last = pass->previous;
}

/* Whether it may carry a large body, and so takes a place for long. */
static int is_bulky(enum lane_name lane) {
  return lane >= LANE_SUBMIT;
}

/* Patient ones leave one place to whoever is not. */
static int has_place(const struct gate *gate, const struct pass *pass) {
  unsigned limit = gate->places * gate->multiplier;
  unsigned others = gate->places > RESERVED ? gate->places - RESERVED : 1;
  if (!is_bulky(pass->lane))
    return gate->used < limit - (pass->patient && limit > 1);
  return gate->bulk_used < others && gate->used < limit;
}

/* What a person waits for must not stand behind polls that can't go: those of
 * an outage, or where all their places hang. */
static int stands_back(const struct gate *gate, const struct pass *patient) {
  return gate->failures > 0 || !has_place(gate, patient);
}

/* Whose turn it is in a lane, or NULL. */
static struct pass *first_of(const struct gate *gate, enum lane_name name) {
  const struct lane *lane = &gate->lanes[name];
  struct pass *hasty = lane->queues[0].first;
  struct pass *patient = lane->queues[1].first;
  if (!hasty || !patient)
    return hasty ? hasty : patient;
  if (stands_back(gate, patient) || hasty->number < patient->number)
    return hasty;
  return patient;
}

static void wake_first(struct gate *gate, enum lane_name name) {
  struct pass *first = first_of(gate, name);
  if (first)
    engine_wake(gate->engine, first->waiter);
}

static void wake_all_lanes(struct gate *gate) {
  for (int i = 0; i < LANES; i++)
    wake_first(gate, (enum lane_name)i);
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
  const struct pass *first = first_of(gate, pass->lane);
  uint64_t due;
  if (first && first != pass &&
      (pass->patient || !first->patient || !stands_back(gate, first)))
    return POLLER_NEVER;
  if (!has_place(gate, pass))
    return POLLER_NEVER;
  due = probe_due(gate, pass, now);
  if (due > 0)
    return due;
  due = rate_ready(&gate->lanes[pass->lane].rate, now);
  return due > now ? due : 0;
}

static void take_place(struct gate *gate, const struct pass *pass) {
  gate->used++;
  gate->bulk_used += (unsigned)is_bulky(pass->lane);
}

static void free_place(struct gate *gate, const struct pass *pass) {
  gate->used--;
  gate->bulk_used -= (unsigned)is_bulky(pass->lane);
}

uint64_t gate_ask(struct gate *gate, struct pass *pass, uint64_t now) {
  uint64_t due = pass->inside ? 0 : obstacle(gate, pass, now);
  if (due > 0) {
    if (!pass->queued) {
      pass->number = ++gate->lanes[pass->lane].last;
      enqueue(gate, pass, NULL);
    }
    return due;
  }
  if (pass->inside) /* and was not sent then: there was no memory for it */
    return 0;
  if (pass->queued)
    dequeue(gate, pass);
  pass->inside = 1;
  take_place(gate, pass);
  if (pass->patient && gate->failures > 0)
    gate->probe = pass;
  rate_depart(&gate->lanes[pass->lane].rate, now);
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
  gate_reclaim(gate, pass);
  free_place(gate, pass);
  if (gate->probe == pass)
    gate->probe = NULL;
  wake_all_lanes(gate);
}

void gate_lend(struct gate *gate, struct pass *pass) {
  if (!pass->inside || pass->lent)
    return;
  pass->lent = 1;
  free_place(gate, pass);
  wake_all_lanes(gate);
}

void gate_reclaim(struct gate *gate, struct pass *pass) {
  if (!pass->lent)
    return;
  pass->lent = 0;
  take_place(gate, pass);
}

int gate_is_read(enum lane_name lane) {
  return lane == LANE_QUERY || lane == LANE_FILE;
}

void gate_failed(struct gate *gate, uint64_t now, uint64_t cap,
                 uint64_t named) {
  uint64_t wait = retry_backoff(gate->failures, RETRY_BASE, RETRY_FLOOR, cap,
                                &gate->engine->random);
  if (named > 0)
    wait = named < cap ? named : cap;
  gate->failures++;
  gate->probe_at = now + wait;
}

void gate_answered(struct gate *gate, enum lane_name lane, uint64_t now) {
  rate_answered(&gate->lanes[lane].rate, now);
  if (gate_is_read(lane) && gate->failures > 0) {
    gate->failures = 0;
    gate->probe = NULL;
    wake_first(gate, LANE_QUERY);
  }
}

void gate_limited(struct gate *gate, enum lane_name lane, uint64_t now,
                  uint64_t retry_after) {
  rate_limited(&gate->lanes[lane].rate, now, retry_after);
}

void gate_hurry(struct gate *gate, struct pass *pass) {
  struct queue *queue = queue_of(gate, pass);
  if (!pass->queued)
    return;
  dequeue(gate, pass);
  pass->number = --gate->lanes[pass->lane].first;
  enqueue(gate, pass, queue->first);
}
